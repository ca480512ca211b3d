"""Rules in the form of the rule tables: numbers for subjects and identities, masks for ports."""

from typing import NamedTuple

import msgspec

from ovsnp.model.address import Prefix
from ovsnp.model.policy import Direction
from ovsnp.model.ports import Protocol
from ovsnp.model.ruleset import RuleRef


class PortMask(NamedTuple):
    """Destination ports with ``value`` in the bits of ``mask`` (0: every port of the protocol)."""

    protocol: Protocol
    value: int = 0
    mask: int = 0


class SubjectClass(msgspec.Struct, frozen=True):
    """Local pods that the same rules select, with their number; ``pods`` are ``NAMESPACE/NAME``."""

    number: int
    pods: tuple[str, ...]


class Identity(msgspec.Struct, frozen=True):
    """A class of addresses that no rule tells apart: its number, and the names of the peer sets it is in."""

    number: int
    sets: tuple[str, ...]


class PeerEntry(NamedTuple):
    """The addresses of a prefix, without those of longer prefixes, have an identity (None: in no peer set)."""

    prefix: Prefix
    identity: Identity | None


class RuleClauses(msgspec.Struct, frozen=True):
    """A rule as up to three clauses; ``identities`` None is every peer, ``ports`` None every port and protocol.

    With ``service`` both are of the cluster IP that a connection was opened to.
    """

    number: int
    key: str
    ref: RuleRef
    subjects: tuple[SubjectClass, ...]
    identities: tuple[Identity, ...] | None
    ports: tuple[PortMask, ...] | None
    service: bool = False


class Clauses(msgspec.Struct, frozen=True):
    """One direction's subjects, peers and rules, each sorted; ``service_peers`` are cluster IPs."""

    direction: Direction
    subjects: tuple[SubjectClass, ...]
    peers: tuple[PeerEntry, ...]
    rules: tuple[RuleClauses, ...]
    service_peers: tuple[PeerEntry, ...] = ()
