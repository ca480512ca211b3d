"""The order of resource versions."""


def reaches(version: str, wanted: str) -> bool | None:
    """True if a resource version is the wanted one or a later one; None if the two cannot be compared.

    "Resource versions must be interpreted as integers of unlimited size" (KEP-5504); the versions of an API server that
    does otherwise are only equal or not.
    """
    if version == wanted:
        return True
    if not (_is_number(version) and _is_number(wanted)):
        return None
    return _size(version) >= _size(wanted)


def _is_number(version: str) -> bool:
    return version.isascii() and version.isdecimal()


def _size(version: str) -> tuple[int, str]:
    """Orders integers of any length; Python reads none of more than 4,300 digits."""
    digits = version.lstrip("0")
    return len(digits), digits
