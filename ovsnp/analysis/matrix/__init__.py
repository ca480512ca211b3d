"""The matrix: the allowed traffic between all pods, nodes and outsiders, judged class by class by the oracle."""
