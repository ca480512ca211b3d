"""A cluster of nodes and pods on this machine: real Open vSwitch, real sockets, measured against the oracle.

topology    the containerlab file: which nodes there are, their links, their commands
runtime     builds a topology and takes it away again (`netns`: network namespaces, no Docker)
shipped     where the lab lies that comes with ovsnp
own         a lab of the user's own cluster, chosen and planned
standing    a lab that stands: what it was built from, how to reach its nodes
endpoints   pods, nodes and outside hosts, as ends of a connection
probes      who can connect to whom, tried with one probe agent in every namespace
matrix      what was measured, beside what the oracle expects
"""
