"""What is asked of a bridge: for every class of packets, whether it must pass, and how it must leave."""
