"""Explains why a connection is allowed or denied: the oracle's verdict, the matching rules, and the nearest rules."""
