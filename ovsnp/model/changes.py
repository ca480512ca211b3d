"""The changes of a cluster and of a bridge from one moment to the next."""

from collections.abc import Collection, Iterable, Mapping
from typing import TypeVar

import msgspec

from ovsnp.model.address import Prefix
from ovsnp.model.bridge import BridgePorts
from ovsnp.model.cluster import Cluster, Namespace, Node, Pod
from ovsnp.model.policy import NetworkPolicy
from ovsnp.model.service import EndpointSlice, Service

_Kind = TypeVar("_Kind")
_Key = TypeVar("_Key")
_Item = TypeVar("_Item")


class Objects(msgspec.Struct, frozen=True):
    """Objects of a cluster by kind, in any order; ``host_pods`` are pods with ``hostNetwork: true``."""

    namespaces: Collection[Namespace] = ()
    nodes: Collection[Node] = ()
    pods: Collection[Pod] = ()
    host_pods: Collection[Pod] = ()
    policies: Collection[NetworkPolicy] = ()
    services: Collection[Service] = ()
    slices: Collection[EndpointSlice] = ()
    service_cidrs: Collection[Prefix] = ()


class Changes(msgspec.Struct, frozen=True):
    """The objects that are removed (``went``), and then the objects that are added (``came``).

    An added object replaces the object of the same kind and name. ``ports`` are all ports of the bridge; None: as
    before.
    """

    came: Objects = Objects()
    went: Objects = Objects()
    ports: BridgePorts | None = None


def all_objects(cluster: Cluster) -> Objects:
    """The objects of a cluster that flows depend on."""
    return Objects(
        cluster.namespaces.values(),
        cluster.nodes.values(),
        cluster.pods,
        cluster.host_pods,
        cluster.policies,
        cluster.services,
        cluster.slices,
        cluster.service_cidrs,
    )


def changes_between(before: Cluster, after: Cluster, ports: BridgePorts | None = None) -> Changes:
    """The changes that turn the cluster ``before`` into the cluster ``after``."""
    old, new = all_objects(before), all_objects(after)
    came, went = {}, {}
    for kind in Objects.__struct_fields__:
        came[kind], went[kind] = _difference(_by_name(getattr(old, kind)), _by_name(getattr(new, kind)))
    return Changes(Objects(**came), Objects(**went), ports)


def keep(held: dict[_Key, _Item], changes: Mapping[_Key, _Item | None]) -> None:
    """Update a mapping in place: set the items that changed, and remove the keys with None."""
    for key, item in changes.items():
        if item is None:
            held.pop(key, None)
        else:
            held[key] = item


def _by_name(items: Iterable[_Kind]) -> dict[object, _Kind]:
    return {_name(item): item for item in items}


def _name(item: object) -> object:
    match item:
        case Namespace(name=name) | Node(name=name):
            return name
        case Pod(namespace=namespace, name=name) | NetworkPolicy(namespace=namespace, name=name):
            return namespace, name
        case Service(namespace=namespace, name=name) | EndpointSlice(namespace=namespace, name=name):
            return namespace, name
        case _:
            return item


def _difference(
    before: Mapping[object, _Kind], after: Mapping[object, _Kind]
) -> tuple[tuple[_Kind, ...], tuple[_Kind, ...]]:
    """The items that are new or have changed, and the items that are removed."""
    came = tuple(item for name, item in after.items() if before.get(name) != item)
    return came, tuple(item for name, item in before.items() if name not in after)
