"""Resolves the ends and the port of a connection, as a user writes them, to pods, nodes, Services and ports."""
