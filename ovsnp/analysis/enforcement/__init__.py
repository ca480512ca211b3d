"""Which policies of a live cluster are enforced, by the status that the agents of the nodes publish."""
