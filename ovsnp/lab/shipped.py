"""The lab that comes with ovsnp."""

from pathlib import Path

_PACKAGE = Path(__file__).parents[1]
_PLACES = (_PACKAGE / "containerlab", _PACKAGE.parent / "containerlab")
"""In an installed package its folder lies within the package, in a checkout beside it."""


def shipped_topology() -> Path:
    """The topology file of that lab."""
    folder = next((place for place in _PLACES if place.is_dir()), _PLACES[0])
    return folder / "ovsnp.clab.yml"
