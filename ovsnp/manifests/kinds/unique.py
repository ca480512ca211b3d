"""Objects of one kind: a name counts once."""

from typing import Generic, NamedTuple, TypeVar

from msgspec import structs

from ovsnp.errors import Place
from ovsnp.manifests.kinds.endpoints import Subset
from ovsnp.manifests.kinds.nodes import WrittenNode
from ovsnp.model.address import Prefix
from ovsnp.model.cluster import Namespace, Pod
from ovsnp.model.policy import NetworkPolicy
from ovsnp.model.service import EndpointSlice, Service
from ovsnp.yaml_reader.report import MistakeReport


class PlacedNode(NamedTuple):
    """A Node object as far as ovsnp reads it, and its place."""

    node: WrittenNode
    place: Place


class PlacedNamespace(NamedTuple):
    """A namespace and its place."""

    namespace: Namespace
    place: Place


class PlacedServiceCIDR(NamedTuple):
    """The blocks of a ServiceCIDR and its place."""

    cidrs: tuple[Prefix, ...]
    place: Place


class PlacedEndpoints(NamedTuple):
    """The subsets of an Endpoints object and its place."""

    subsets: tuple[Subset, ...]
    place: Place


class LeftOut(NamedTuple):
    """The place of an object that does not count, but takes its name."""

    place: Place


NAME = ("metadata", "name")

_Modelled = Pod | NetworkPolicy | Service | EndpointSlice
_Placed = PlacedNode | PlacedNamespace | PlacedServiceCIDR | PlacedEndpoints
_Item = TypeVar("_Item", bound=_Modelled | _Placed | LeftOut)


class Unique(Generic[_Item]):
    """Takes each name once: an object that appears twice with the same content counts once.

    Of two different objects with one name, the first counts if both are only planned, as no flow comes from them.
    Otherwise they are a mistake: the cluster may have either of the two, and either may allow more than the other.
    """

    def __init__(self, report: MistakeReport) -> None:
        self._report = report
        self._found: dict[str, dict[str, _Item]] = {}

    def add(self, namespace: str, name: str, item: _Item) -> bool:
        """True if the item is the first with its name; reports or notes an item that differs from the first."""
        first = self._found.setdefault(namespace, {}).setdefault(name, item)
        if first is item:
            return True
        if _same(first, item):
            return False
        if _is_planned(first) and _is_planned(item):
            self._report.note(NAME, another_counts(first.place))
        else:
            one_file = first.place.file == item.place.file
            remedy = "keep one of the two" if one_file else "name with -f the directory or file that you mean"
            self._report.add(NAME, f"{_another(first.place)}; {remedy}")
        return False


def another_counts(first: Place) -> str:
    """The note about an object that does not count, as the object at ``first`` has its name and differs."""
    return f"{_another(first)}; ovsnp takes that one"


def _another(first: Place) -> str:
    return f"another object of this name, in {first.file}, differs"


def _is_planned(item: object) -> bool:
    """True if an object has no running pod and no address yet."""
    match item:
        case Pod():
            return not item.addresses
        case Service():
            return not item.cluster_ips
        case _:
            return isinstance(item, LeftOut)


def _same(first: object, second: object) -> bool:
    """True if two objects have the same content, wherever they are."""
    if isinstance(first, _Modelled) and isinstance(second, _Modelled):
        return structs.replace(first, place=second.place) == second
    if isinstance(first, _Placed) and isinstance(second, _Placed):
        return first[0] == second[0]
    return type(first) is type(second)
