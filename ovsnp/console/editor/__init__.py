"""The page that creates, edits and copies policies: its fields, its rows, and the answers beside it."""
