"""Explains the connections of one pod: ``ovsnp explain POD``."""
