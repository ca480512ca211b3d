"""Simulates the tables of Open vSwitch for sets of packets, with the matches and actions that ovsnp writes.

`space` represents sets of packets, `reading` parses flows and groups, and `walk` takes a set from table to table. Other
matches and actions are kept as unknown: packets that meet one cannot be judged.
"""
