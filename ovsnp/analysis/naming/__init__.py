"""What a user writes for the ends and the port of a connection, as pods, nodes, Services and ports of a cluster."""
