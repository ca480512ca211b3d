"""What the bridge does with packets, with the names of pods and rules: drops, counters, connections."""
