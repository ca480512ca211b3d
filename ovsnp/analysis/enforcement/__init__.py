"""Which policies of a live cluster are enforced, by what the agents of the nodes have told."""
