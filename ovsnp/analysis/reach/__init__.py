"""Who may open what to whom: pods, nodes and outsiders as parties, judged class by class by the oracle's pieces."""
