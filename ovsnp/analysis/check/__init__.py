"""Compares expectations (which connections are allowed or denied), kept in a file, with the oracle and with flows."""
