"""Whether one part of a policy holds all that another does, whatever pods and namespaces may come.

The answers follow from the oracle's, asked about every value that could matter. They may miss a case, never make one
up: a block is not held against a selector, nor several parts together against one.
"""

from bisect import bisect_right
from functools import lru_cache

from ovsnp.model.address import Address, Prefix, merge
from ovsnp.model.cluster import METADATA_NAME, Cluster
from ovsnp.model.policy import IPBlock, Peer, PodPeer
from ovsnp.model.ports import PortEntry
from ovsnp.model.selector import Operator, Requirement, Selector
from ovsnp.oracle import OutsideEnd, Traffic, port_matches, selects

_OTHER = "\0"
"""Stands for every value that a selector does not mention: no label can have it."""

_NOBODY = OutsideEnd(Address(bytes(4)))
"""A destination without named ports."""

ALL_PORTS = (1, 65535)
"""The first and the last number."""


@lru_cache(maxsize=100_000)
def selector_within(narrow: Selector, wide: Selector) -> bool:
    """Whether all labels that the narrow selector selects are selected by the wide one.

    A selector's requirements on different keys do not touch each other, so each key is looked at by itself.
    """
    if not satisfiable(narrow):
        return True
    return all(
        selects(_about(wide, key), labels)
        for key in {requirement.key for requirement in wide.requirements}
        for labels in _labels(key, narrow, wide)
        if selects(_about(narrow, key), labels)
    )


@lru_cache(maxsize=100_000)
def satisfiable(selector: Selector) -> bool:
    """Whether there can be labels that the selector selects."""
    return all(
        any(selects(_about(selector, key), labels) for labels in _labels(key, selector))
        for key in {requirement.key for requirement in selector.requirements}
    )


def allowed_value(selector: Selector, requirement: Requirement) -> str | None:
    """The first value of a requirement with ``In`` that the selector allows as a whole; None if there is none."""
    about = _about(selector, requirement.key)
    return next((value for value in requirement.values if selects(about, {requirement.key: value})), None)


def _about(selector: Selector, key: str) -> Selector:
    return Selector(tuple(requirement for requirement in selector.requirements if requirement.key == key))


def _labels(key: str, *selectors: Selector) -> list[dict[str, str]]:
    """The key absent, with a value that nobody mentions, and with each that one of the selectors does."""
    mentioned = {
        value
        for selector in selectors
        for requirement in selector.requirements
        if requirement.key == key
        for value in requirement.values
    }
    return [{}, *({key: value} for value in sorted({_OTHER, *mentioned}))]


def peer_within(cluster: Cluster, namespace: str, narrow: Peer, wide: Peer) -> bool:
    """Whether all whom one peer names are named by the other; the namespace's own labels are those it has now."""
    match narrow, wide:
        case IPBlock(), IPBlock():
            return _block_within(narrow, wide)
        case PodPeer(), PodPeer():
            pods = selector_within(narrow.pod_selector or Selector(), wide.pod_selector or Selector())
            return pods and _namespaces_within(cluster, namespace, narrow, wide)
        case _:
            return False


def _namespaces_within(cluster: Cluster, namespace: str, narrow: PodPeer, wide: PodPeer) -> bool:
    own = Selector((Requirement(METADATA_NAME, Operator.IN, (namespace,)),))
    if narrow.namespace_selector is None:
        labels = cluster.namespaces[namespace].labels
        return wide.namespace_selector is None or selects(wide.namespace_selector, labels)
    return selector_within(
        narrow.namespace_selector, own if wide.namespace_selector is None else wide.namespace_selector
    )


@lru_cache(maxsize=100_000)
def _block_within(narrow: IPBlock, wide: IPBlock) -> bool:
    inside = wide.cidr.contains(narrow.cidr) or narrow.cidr in merge((wide.cidr, *narrow.excepts))
    return inside and all(
        _excepts(narrow, hole) for hole in wide.excepts if narrow.cidr.contains(hole) or hole.contains(narrow.cidr)
    )


def _excepts(block: IPBlock, prefix: Prefix) -> bool:
    """Whether the exceptions of a block leave nothing of a prefix; the last that begins no later is the one to ask."""
    parts = excepted(block)
    place = bisect_right(parts, prefix)
    return place > 0 and parts[place - 1].contains(prefix)


@lru_cache(maxsize=100_000)
def excepted(block: IPBlock) -> tuple[Prefix, ...]:
    """The exceptions of a block as the fewest prefixes, sorted."""
    return merge(block.excepts) if block.excepts else ()


def empty(block: IPBlock) -> bool:
    """Whether the exceptions leave nothing of the block."""
    return _excepts(block, block.cidr)


def possible(peer: Peer) -> bool:
    """Whether the peer could name anyone, whatever pods and namespaces may come."""
    if isinstance(peer, IPBlock):
        return not empty(peer)
    return all(satisfiable(each or Selector()) for each in (peer.pod_selector, peer.namespace_selector))


@lru_cache(maxsize=100_000)
def port_within(narrow: PortEntry, wide: PortEntry) -> bool:
    """Whether all that one entry matches is matched by the other; an entry's numbers have no gaps."""
    if narrow == wide:
        return True
    return all(port_matches((wide,), Traffic(narrow.protocol, port), _NOBODY) for port in port_range(narrow))


def port_range(entry: PortEntry) -> tuple[int, int]:
    """The first and the last number that an entry may match: a name is each pod's own affair, so it may be any."""
    if not isinstance(entry.port, int):
        return ALL_PORTS
    return entry.port, entry.port if entry.end_port is None else entry.end_port
