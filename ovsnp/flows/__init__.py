"""The intermediate representation: flows as typed matches and actions, checked against the pipeline."""
