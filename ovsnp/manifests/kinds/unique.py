"""Objects of one kind, each name once."""

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


NAME = ("metadata", "name")

_Modelled = Pod | NetworkPolicy | Service | EndpointSlice
_Placed = PlacedNode | PlacedNamespace | PlacedServiceCIDR | PlacedEndpoints
_Item = TypeVar("_Item", bound=_Modelled | _Placed | LeftOut)


class Unique(Generic[_Item]):
    """What stands there twice counts once, if it says the same both times.

    Of two that differ, the first counts where both are only planned: no flow is made of these. Otherwise nobody knows
    which of the two the cluster has, and either may allow more than the other.
    """

    def __init__(self, report: MistakeReport) -> None:
        self._report = report
        self._found: dict[str, dict[str, _Item]] = {}

    def add(self, namespace: str, name: str, item: _Item) -> bool:
        """Whether it is the first of its name; one that differs from the first is reported."""
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
    """What to say of an object that does not count, as the one at ``first`` has its name and says something else."""
    return f"{_another(first)}; ovsnp takes that one"


def _another(first: Place) -> str:
    return f"another object of this name, in {first.file}, differs"


def _is_planned(item: object) -> bool:
    """Whether an object says nothing yet of a living pod or of an address."""
    match item:
        case Pod():
            return not item.addresses
        case Service():
            return not item.cluster_ips
        case _:
            return isinstance(item, LeftOut)


def _same(first: object, second: object) -> bool:
    """Whether two objects say the same, wherever they stand."""
    if isinstance(first, _Modelled) and isinstance(second, _Modelled):
        return structs.replace(first, place=second.place) == second
    if isinstance(first, _Placed) and isinstance(second, _Placed):
        return first[0] == second[0]
    return type(first) is type(second)
