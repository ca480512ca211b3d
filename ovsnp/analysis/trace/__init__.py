"""Follows a connection's first packet over real bridges, table by table, and compares its path with the policies."""
