"""The lab that comes with ovsnp."""

from pathlib import Path

_PACKAGE = Path(__file__).parents[1]
_PLACES = (_PACKAGE / "containerlab", _PACKAGE.parent / "containerlab")
"""The lab's folder is inside an installed package; in a checkout it is beside the package."""


def shipped_topology() -> Path:
    """The topology file of the lab that comes with ovsnp."""
    folder = next((place for place in _PLACES if place.is_dir()), _PLACES[0])
    return folder / "ovsnp.clab.yml"
