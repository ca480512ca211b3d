"""The flows of a node, kept up to date with the objects of the cluster."""
