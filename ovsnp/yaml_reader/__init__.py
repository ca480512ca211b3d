"""YAML and JSON as values that know their file and line. Nothing here knows the kinds of the Kubernetes API."""
