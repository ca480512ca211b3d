"""Answers to "may this connect, and why": what the command line names, and what the oracle says of it."""
