"""Conntrack zones, far from those that hosts and other bridges number from 0."""

ZONE = {4: 2654, 6: 2655}
"""Zone of the pods' connections, by address family."""

SNAT_ZONE = {4: 2656, 6: 2657}
"""Zone of the connections whose source was made the node's gateway address, by address family."""

SNAT_PORTS = (1024, 32767)
"""Source ports of these: below those that hosts take for connections of their own (Linux: 32768 to 60999)."""
