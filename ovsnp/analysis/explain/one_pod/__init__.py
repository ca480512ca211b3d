"""All about one pod: ``ovsnp explain POD``."""
