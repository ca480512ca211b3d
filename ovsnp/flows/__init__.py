"""Flows as typed matches and actions, and the groups and programs of these, checked against the pipeline."""
