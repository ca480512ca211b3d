"""Reads YAML and JSON into values with their file and line; nothing here depends on the kinds of the Kubernetes API."""
