"""Follows a cluster and keeps the bridge of one node: watches the API server, and carries out each change at once."""
