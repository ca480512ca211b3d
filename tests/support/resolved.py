"""The result of the compiler's second pass for a cluster, put together from its changes."""

from typing import NamedTuple

from ovsnp.ir.frontend import Frontend
from ovsnp.ir.ruleset import PeerTable, PortRange, RuleChanges, RuleRef
from ovsnp.model.address import Address
from ovsnp.model.bridge import BridgePort, BridgePorts
from ovsnp.model.changes import Changes, all_objects
from ovsnp.model.cluster import Cluster
from ovsnp.model.options import Options
from ovsnp.model.policy import Direction, IPBlock
from ovsnp.resolve import Resolver


class PeerSet(NamedTuple):
    """A peer set: its name, the addresses that it lists, and its blocks."""

    name: str
    addresses: frozenset[Address]
    blocks: tuple[IPBlock, ...]


class ResolvedRule(NamedTuple):
    """A rule with its peer set; the subjects are keys of pods."""

    ref: RuleRef
    key: str
    subjects: tuple[str, ...]
    peers: PeerSet | None
    ports: tuple[PortRange, ...] | None


class RuleSet(NamedTuple):
    """One direction: the keys of the isolated pods, and the rules, sorted by key."""

    isolated: tuple[str, ...]
    rules: tuple[ResolvedRule, ...]


def resolved(cluster: Cluster, options: Options) -> dict[Direction, RuleSet]:
    """The rules of a node; all its pods have a port."""
    ports = {pod.key: BridgePort(number, number) for number, pod in enumerate(cluster.pods, start=100)}
    told = Resolver(options).update(Changes(all_objects(cluster), ports=BridgePorts(1, BridgePort(2, 2), ports)))
    return {direction: _rule_set(told.rules, direction) for direction in Direction}


def _rule_set(told: RuleChanges, direction: Direction) -> RuleSet:
    rules = tuple(
        ResolvedRule(
            rule.ref, key, rule.subjects, _peer_set(told, rule.table, rule.peers) if rule.peers else None, rule.ports
        )
        for key, rule in sorted(told.rules[direction].items())
        if rule
    )
    return RuleSet(tuple(sorted(key for key, isolated in told.isolated[direction].items() if isolated)), rules)


def _peer_set(told: RuleChanges, table: PeerTable, name: str) -> PeerSet:
    listed = frozenset(address for address, names in told.listed[table].items() if name in names)
    return PeerSet(name, listed, told.blocks[table].get(name, ()))


def frontends(cluster: Cluster, node: str | None) -> tuple[Frontend, ...]:
    """The frontends of the cluster's Services for the clients on a node."""
    told = Resolver(Options(node=node)).update(Changes(all_objects(cluster))).frontends
    return tuple(frontend for name in sorted(told) for frontend in told[name])
