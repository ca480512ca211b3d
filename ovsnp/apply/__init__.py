"""Changes a bridge to exactly a program: computes the difference, then applies it in one transaction."""

from ovsnp.apply.commit import ApplyResult, apply
from ovsnp.apply.preview import Preview, preview

__all__ = ["ApplyResult", "Preview", "apply", "preview"]
