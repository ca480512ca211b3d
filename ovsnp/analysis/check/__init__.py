"""Expectations of who reaches whom, kept in a file beside the policies, and held against the oracle."""
