"""Conntrack zones: one a family, far from those that hosts and other bridges number from 0."""

ZONE = {4: 2654, 6: 2655}
"""Zone of the pods' connections, by address family."""
