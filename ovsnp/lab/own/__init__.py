"""A lab of the user's own cluster: as many nodes and pods as a machine can run, with their own names, labels and
addresses, and outside hosts for the blocks of the policies.

choosing    chooses the pods: every policy gets a subject, peers that it admits, and others
outsiders   chooses addresses inside and outside of the policies' blocks
underlay    keeps the nodes' own addresses, or replaces them where they do not fit one segment
writing     writes the cluster's objects as manifests
wiring      makes the topology file: containers, links, commands
planning    makes the whole plan of a lab and writes its files
"""
