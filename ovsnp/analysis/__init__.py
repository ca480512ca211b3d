"""Answers about a cluster and its policies: a package for each command that answers, and what these packages share."""
