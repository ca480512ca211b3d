"""Who reaches whom: every pair of pods, nodes and outsiders, judged class by class by the oracle."""
