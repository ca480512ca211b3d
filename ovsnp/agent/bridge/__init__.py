"""The bridge of a node: brought to the program, kept so, and rid of connections that the policies forbid."""
