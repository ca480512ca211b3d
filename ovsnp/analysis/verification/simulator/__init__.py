"""What Open vSwitch does with sets of packets: of the matches and actions that ovsnp writes, all others unknown."""
