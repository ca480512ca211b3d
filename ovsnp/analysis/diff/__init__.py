"""Shows what a change does: to the flows of a bridge (`flows`), and to connections (`effect`, `bridge`).

`effect` compares two states of manifests, `bridge` compares the flows of a bridge with the manifests.
"""
