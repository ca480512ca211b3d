"""Rules in the form of the rule tables: numbers for subjects and identities, masks for ports."""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from ovsnp.ir.node_changes import NodeChanges
from ovsnp.ir.ruleset import PeerTable, RuleRef
from ovsnp.model.address import Prefix
from ovsnp.model.policy import Direction
from ovsnp.model.ports import Protocol


class PortMask(NamedTuple):
    """Destination ports with ``value`` in the bits of ``mask`` (0: every port of the protocol)."""

    protocol: Protocol
    value: int = 0
    mask: int = 0


class SubjectClass(msgspec.Struct, frozen=True):
    """Local pods that the same rules select, with one number; ``pods`` are ``NAMESPACE/NAME``, sorted."""

    number: int
    pods: tuple[str, ...]


class Identity(msgspec.Struct, frozen=True):
    """A class of addresses that no rule tells apart: a number, and the names of the peer sets that hold the class."""

    number: int
    sets: tuple[str, ...]


class PeerEntry(NamedTuple):
    """The identity of the addresses of a prefix, without those of longer prefixes (None: in no peer set)."""

    prefix: Prefix
    identity: Identity | None


class RuleClauses(msgspec.Struct, frozen=True):
    """A rule as up to three clauses; ``identities`` None is every peer, ``ports`` None every port and protocol.

    In table EgressServicePeer both are those of the cluster IP that the client connected to.
    """

    number: int
    key: str
    ref: RuleRef
    subjects: tuple[SubjectClass, ...]
    identities: tuple[Identity, ...] | None
    ports: tuple[PortMask, ...] | None
    table: PeerTable


class ClauseChanges(msgspec.Struct, frozen=True):
    """The changes of one direction's rules; None: removed.

    ``subjects`` are the classes of isolated local pods, by the name of the class. ``numbers`` are the subject numbers
    of pods by ``NAMESPACE/NAME`` (0: not isolated). ``rules`` are by key.
    """

    subjects: Mapping[str, SubjectClass | None]
    numbers: Mapping[str, int]
    rules: Mapping[str, RuleClauses | None]


class PolicyChanges(msgspec.Struct, frozen=True):
    """The result of pass 3: the changes of the node, of the peers' identities, and of the rules' clauses."""

    node: NodeChanges
    peers: Mapping[PeerTable, Mapping[Prefix, PeerEntry | None]]
    clauses: Mapping[Direction, ClauseChanges]
