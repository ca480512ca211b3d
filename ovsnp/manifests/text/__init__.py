"""Bytes to values, in JSON or YAML, each with its line; nothing here knows what an object is."""
