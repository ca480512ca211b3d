"""Policies in a browser: ``ovsnp console``. The console adds no semantics; all answers come from the public API."""
