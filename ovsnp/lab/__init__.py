"""A cluster of nodes and pods on this machine: real Open vSwitch, real sockets, measured against the oracle.

topology    reads the containerlab file: nodes, links, and commands of the nodes
runtime     builds a topology and removes it again (`netns`: network namespaces, no Docker)
shipped     the place of the lab that comes with ovsnp
own         chooses and plans a lab of the user's own cluster
standing    builds, finds and removes a lab, and applies policies in it
agents      let an agent on each node follow an API server
hosts       the ends of connections: pods, nodes and outside hosts
probes      tries connections, with one probe agent in every node of the topology
matrix      compares the measured results with the answers of the oracle
"""
