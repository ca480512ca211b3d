"""Decides whether one part of a policy holds all of another one, whatever pods and namespaces may come.

The answers follow from answers of the oracle about every value that could matter. A yes is always right. A no may be
wrong: a block is not compared with a selector, nor several parts together with one.
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
"""Stands for every value that a selector does not mention; no label can have this value."""

_NOBODY = OutsideEnd(Address(bytes(4)))
"""A destination without named ports."""

ALL_PORTS = (1, 65535)
"""The first and the last port number."""


@lru_cache(maxsize=100_000)
def selector_within(narrow: Selector, wide: Selector) -> bool:
    """True if the wide selector selects all labels that the narrow one selects.

    A selector's requirements on different keys are independent, so each key is compared on its own.
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
    """True if there can be labels that the selector selects."""
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
    """The cases of a key: absent, with a value that no selector mentions, and with each value that one mentions."""
    mentioned = {
        value
        for selector in selectors
        for requirement in selector.requirements
        if requirement.key == key
        for value in requirement.values
    }
    return [{}, *({key: value} for value in sorted({_OTHER, *mentioned}))]


def peer_within(cluster: Cluster, namespace: str, narrow: Peer, wide: Peer) -> bool:
    """True if the wide peer names all pods and addresses that the narrow one names.

    ``namespace`` is the namespace of the policy; its own labels are those that it has now.
    """
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
    """True if the exceptions of a block leave nothing of a prefix; only the last that begins no later can hold it."""
    parts = excepted(block)
    place = bisect_right(parts, prefix)
    return place > 0 and parts[place - 1].contains(prefix)


@lru_cache(maxsize=100_000)
def excepted(block: IPBlock) -> tuple[Prefix, ...]:
    """The exceptions of a block as the fewest prefixes, sorted."""
    return merge(block.excepts) if block.excepts else ()


def empty(block: IPBlock) -> bool:
    """True if the exceptions leave nothing of the block."""
    return _excepts(block, block.cidr)


def possible(peer: Peer) -> bool:
    """True if the peer can name any pod or address, whatever pods and namespaces may come."""
    if isinstance(peer, IPBlock):
        return not empty(peer)
    return all(satisfiable(each or Selector()) for each in (peer.pod_selector, peer.namespace_selector))


@lru_cache(maxsize=100_000)
def port_within(narrow: PortEntry, wide: PortEntry) -> bool:
    """True if the wide entry matches all that the narrow one matches; the numbers of an entry have no gaps."""
    if narrow == wide:
        return True
    return all(port_matches((wide,), Traffic(narrow.protocol, port), _NOBODY) for port in port_range(narrow))


def port_range(entry: PortEntry) -> tuple[int, int]:
    """The first and the last number that an entry may match; a name may be any number, as each pod defines its own."""
    if not isinstance(entry.port, int):
        return ALL_PORTS
    return entry.port, entry.port if entry.end_port is None else entry.end_port
