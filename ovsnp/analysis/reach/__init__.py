"""The traffic that pods, nodes and outsiders may open to one another, judged class by class with the oracle's parts."""
