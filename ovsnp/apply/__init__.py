"""Brings a bridge to exactly a program: the difference, then one transaction."""

from ovsnp.apply.commit import Outcome, apply

__all__ = ["Outcome", "apply"]
