"""Planned pods and Services, which have no address yet, beside the pods and Services with an address.

A placeholder stands for the address. Each block is marked with whether it holds the placeholder, by one of two
readings: it does if it holds every address that may be assigned (certain), or at least one of them (possible). Every
rule allows, so the certain reading allows least.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum, auto
from functools import partial
from typing import NamedTuple, TypeVar

import msgspec

from ovsnp.model.address import FAMILIES, Prefix, family, merge
from ovsnp.model.cluster import Cluster, Pod
from ovsnp.model.policy import Direction, IPBlock, NetworkPolicy, Peer, Rule
from ovsnp.model.service import Service
from ovsnp.model.unassigned import Unassigned, pod_placeholder, service_placeholder
from ovsnp.oracle.isolation import affects

_EVERYWHERE = tuple(Prefix(version, 0, 0) for version in FAMILIES)
_Item = TypeVar("_Item", Pod, Service)


class Reading(Enum):
    """Which blocks hold a future address: those that hold every possible address, or those that hold at least one."""

    CERTAIN = auto()
    POSSIBLE = auto()


class UncertainBlock(NamedTuple):
    """A block that may or may not hold the future address of a pod; ``rule`` and ``peer`` are indexes."""

    policy: NetworkPolicy
    direction: Direction
    rule: int
    peer: int


def with_planned(*clusters: Cluster, reading: Reading = Reading.CERTAIN) -> tuple[Cluster, ...]:
    """The clusters with their planned pods and Services among the others, at placeholders.

    A pod of one name has the same placeholder in all clusters. If no cluster has planned pods or Services, the clusters
    are returned as they are.
    """
    if not any(each.planned or each.planned_services for each in clusters):
        return clusters
    versions = planned_families(*clusters)
    pods = _numbers(pod.key for each in clusters for pod in each.planned)
    services = _numbers(service.key for each in clusters for service in each.planned_services)

    def pod_at(pod: Pod) -> Pod:
        addresses = tuple(pod_placeholder(version, pods[pod.key]) for version in versions)
        return msgspec.structs.replace(pod, addresses=addresses)

    def service_at(service: Service) -> Service:
        addresses = tuple(service_placeholder(version, services[service.key]) for version in versions)
        return msgspec.structs.replace(service, cluster_ips=addresses)

    return tuple(
        msgspec.structs.replace(
            each,
            pods=_sorted((*each.pods, *map(pod_at, each.planned))),
            services=_sorted((*each.services, *map(service_at, each.planned_services))),
            policies=tuple(read_blocks(each.policies, each, reading)),
            planned=(),
            planned_services=(),
        )
        for each in clusters
    )


class Readings(NamedTuple):
    """One cluster by both readings, which are equal without planned pods and Services."""

    certain: Cluster
    possible: Cluster


def readings(cluster: Cluster) -> Readings:
    """The cluster with its planned pods and Services, by both readings."""
    (certain,), (possible,) = with_planned(cluster), with_planned(cluster, reading=Reading.POSSIBLE)
    return Readings(certain, possible)


def uncertain_blocks(cluster: Cluster) -> Iterator[UncertainBlock]:
    """The blocks that hold planned pods by the possible reading only; none in a cluster without planned pods."""
    if not cluster.planned:
        return
    territory = _pod_networks(cluster)
    for policy in cluster.policies:
        for direction in filter(partial(affects, policy), Direction):
            for index, rule in enumerate(policy.rules(direction)):
                for item, peer in enumerate(rule.peers):
                    if isinstance(peer, IPBlock) and _possible(peer, territory) and not _certain(peer, territory):
                        yield UncertainBlock(policy, direction, index, item)


def planned_families(*clusters: Cluster) -> tuple[int, ...]:
    """The families of planned addresses: those of the pod CIDRs, else of other pods, else IPv4 and those of blocks."""
    cidrs = {cidr.family for each in clusters for node in each.nodes.values() for cidr in node.pod_cidrs}
    pods = {family(address) for each in clusters for pod in each.pods for address in pod.addresses}
    blocks = {block.cidr.family for each in clusters for policy in each.policies for block in policy.blocks}
    return tuple(sorted(cidrs or pods or {4, *blocks}))


def _numbers(keys: Iterable[str]) -> Mapping[str, int]:
    return {key: number for number, key in enumerate(sorted({*keys}))}


def _sorted(items: Iterable[_Item]) -> tuple[_Item, ...]:
    return tuple(sorted(items, key=lambda item: (item.namespace, item.name)))


def read_blocks(
    policies: Iterable[NetworkPolicy], cluster: Cluster, reading: Reading = Reading.CERTAIN
) -> Iterator[NetworkPolicy]:
    """Policies of a cluster, with each block marked by whether it holds the planned addresses, as in `with_planned`."""
    holds = _certain if reading is Reading.CERTAIN else _possible
    pods, services = _pod_networks(cluster), cluster.service_cidrs or _EVERYWHERE

    def with_unassigned(peer: Peer) -> Peer:
        if not isinstance(peer, IPBlock):
            return peer
        return msgspec.structs.replace(peer, unassigned=Unassigned(holds(peer, pods), holds(peer, services)))

    def with_blocks(rule: Rule) -> Rule:
        return msgspec.structs.replace(rule, peers=tuple(map(with_unassigned, rule.peers)))

    for policy in policies:
        ingress, egress = tuple(map(with_blocks, policy.ingress)), tuple(map(with_blocks, policy.egress))
        yield msgspec.structs.replace(policy, ingress=ingress, egress=egress)


def _pod_networks(cluster: Cluster) -> Sequence[Prefix]:
    """The networks of pod addresses: the pod CIDRs of the nodes, or all addresses if there are none."""
    return [cidr for node in cluster.nodes.values() for cidr in node.pod_cidrs] or _EVERYWHERE


def _certain(block: IPBlock, networks: Sequence[Prefix]) -> bool:
    """True if there are networks of the block's family, and the block holds every address in them."""
    own = [network for network in networks if network.family == block.cidr.family]
    return (
        bool(own)
        and all(block.cidr.contains(network) for network in own)
        and not any(_overlap(part, network) for part in block.excepts for network in own)
    )


def _possible(block: IPBlock, networks: Sequence[Prefix]) -> bool:
    """True if a block holds at least one address in these networks."""
    shared = [max(block.cidr, network, key=_length) for network in networks if _overlap(block.cidr, network)]
    excepted = merge(block.excepts) if block.excepts else ()
    return any(not any(part.contains(each) for part in excepted) for each in shared)


def _overlap(one: Prefix, other: Prefix) -> bool:
    return one.contains(other) or other.contains(one)


def _length(prefix: Prefix) -> int:
    return prefix.length
