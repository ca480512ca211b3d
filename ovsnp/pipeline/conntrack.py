"""Conntrack zones, far from the zones of hosts and other bridges, which are numbered from 0."""

ZONE = {4: 2654, 6: 2655}
"""The zone of the pods' connections, by address family."""

SNAT_ZONE = {4: 2656, 6: 2657}
"""The zone of connections whose source address becomes the node's gateway address, by address family."""

SNAT_PORTS = (1024, 32767)
"""The source ports of these connections: below the ports that hosts use for their own (Linux: 32768 to 60999)."""
