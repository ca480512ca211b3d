"""The objects that the console shows: of a directory or of a live cluster, read again when they change."""
