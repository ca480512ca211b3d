"""Comparison of clusters by content, without places in files."""

from typing import TypeVar

import msgspec

from ovsnp.errors import Place
from ovsnp.model.cluster import Cluster, Pod
from ovsnp.model.policy import NetworkPolicy
from ovsnp.model.service import EndpointSlice, Service

_Item = TypeVar("_Item", Pod, NetworkPolicy, Service, EndpointSlice)


def bare(cluster: Cluster) -> Cluster:
    """The cluster without places, which differ between files."""
    return msgspec.structs.replace(
        cluster,
        pods=_nowhere(cluster.pods),
        policies=_nowhere(cluster.policies),
        services=_nowhere(cluster.services),
        slices=_nowhere(cluster.slices),
        host_pods=_nowhere(cluster.host_pods),
        ended_pods=_nowhere(cluster.ended_pods),
        notes=tuple(sorted(note._replace(place=Place("")) for note in cluster.notes)),
    )


def _nowhere(items: tuple[_Item, ...]) -> tuple[_Item, ...]:
    return tuple(msgspec.structs.replace(item, place=Place("")) for item in items)
