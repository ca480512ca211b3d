"""Objects of one kind, each name once."""

from typing import Generic, NamedTuple, TypeVar

from msgspec import structs

from ovsnp.errors import Place
from ovsnp.manifests.kinds.endpoints import Subset
from ovsnp.manifests.kinds.nodes import WrittenNode
from ovsnp.manifests.report import Report
from ovsnp.model.address import Prefix
from ovsnp.model.cluster import Namespace, Pod
from ovsnp.model.policy import NetworkPolicy
from ovsnp.model.service import EndpointSlice, Service


class PlacedNode(NamedTuple):
    """What a Node object says, and where it stands."""

    node: WrittenNode
    place: Place


class PlacedNamespace(NamedTuple):
    """A namespace and where it stands."""

    namespace: Namespace
    place: Place


class PlacedServiceCIDR(NamedTuple):
    """The blocks of a ServiceCIDR and where it stands."""

    cidrs: tuple[Prefix, ...]
    place: Place


class PlacedEndpoints(NamedTuple):
    """The subsets of an Endpoints object and where it stands."""

    subsets: tuple[Subset, ...]
    place: Place


class LeftOut(NamedTuple):
    """Where an object stands that does not count, but has its name."""

    place: Place


_Modelled = Pod | NetworkPolicy | Service | EndpointSlice
_Placed = PlacedNode | PlacedNamespace | PlacedServiceCIDR | PlacedEndpoints
_Item = TypeVar("_Item", bound=_Modelled | _Placed | LeftOut)


class Unique(Generic[_Item]):
    """What stands there twice counts once, if it says the same both times."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._found: dict[str, dict[str, _Item]] = {}

    def add(self, namespace: str, name: str, item: _Item) -> bool:
        """Whether it is the first of its name; one that differs from the first is reported."""
        first = self._found.setdefault(namespace, {}).setdefault(name, item)
        if first is item:
            return True
        if not _same(first, item):
            where = first.place.file
            self._report.add(
                ("metadata", "name"), f"another object of this name, in {where}, differs; keep one of the two"
            )
        return False


def _same(first: object, second: object) -> bool:
    """Whether two objects say the same, wherever they stand."""
    if isinstance(first, _Modelled) and isinstance(second, _Modelled):
        return structs.replace(first, place=second.place) == second
    if isinstance(first, _Placed) and isinstance(second, _Placed):
        return first[0] == second[0]
    return type(first) is type(second)
