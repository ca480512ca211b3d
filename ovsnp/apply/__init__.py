"""Brings a bridge to exactly a program: the difference, then one transaction."""

from ovsnp.apply.commit import Outcome, apply
from ovsnp.apply.preview import Preview, preview

__all__ = ["Outcome", "Preview", "apply", "preview"]
