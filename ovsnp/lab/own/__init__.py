"""A lab of the user's own cluster: as many of its nodes and pods as a machine carries, with their own names, labels
and addresses, and hosts outside for the blocks of its policies.

choosing    which pods are in the lab: every policy gets a subject, peers that it admits, and others
outsiders   addresses inside and outside of the policies' blocks
underlay    the nodes' own addresses, or others where these do not fit one segment
writing     the cluster's objects, as manifests
wiring      the topology file: namespaces, links, commands
planning    all of it together
"""
