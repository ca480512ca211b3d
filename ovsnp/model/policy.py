"""NetworkPolicy v1, in the terms of the API
(https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/network-policy-v1/).

The model keeps the content of the object; of the server's defaults it fills in the protocol only. The *meaning* (which
pods are isolated, what an absent list allows) is worked out twice: by `ovsnp.resolve` and, independently, by
`ovsnp.oracle`.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Literal

import msgspec

from ovsnp.errors import Place
from ovsnp.model.address import Prefix
from ovsnp.model.ports import PortEntry
from ovsnp.model.selector import Selector
from ovsnp.model.unassigned import Unassigned

Section = Literal["ingress", "egress"]


class Direction(StrEnum):
    """The direction of the connections that a rule judges, as seen from the pod."""

    INGRESS = "Ingress"
    EGRESS = "Egress"

    @property
    def section(self) -> Section:
        """The field of the policy's spec that holds this direction's rules."""
        return "ingress" if self is Direction.INGRESS else "egress"


class IPBlock(msgspec.Struct, frozen=True, order=True):
    """A CIDR block without some of its parts.

    ``unassigned`` says whether the block holds the addresses that placeholders stand for; None: no placeholders.
    """

    cidr: Prefix
    excepts: tuple[Prefix, ...] = ()
    unassigned: Unassigned | None = None


class PodPeer(msgspec.Struct, frozen=True, order=True):
    """Pods by labels; None is an absent selector, which is not the same as an empty one.

    At least one of the two is given.
    """

    pod_selector: Selector | None
    namespace_selector: Selector | None


Peer = IPBlock | PodPeer


class Rule(msgspec.Struct, frozen=True):
    """One item of ``ingress`` or ``egress``; an empty tuple stands for an absent, null or empty list."""

    peers: tuple[Peer, ...] = ()
    ports: tuple[PortEntry, ...] = ()


class NetworkPolicy(msgspec.Struct, frozen=True):
    """A policy; ``policy_types`` is empty where the object gives no ``policyTypes``."""

    namespace: str
    name: str
    pod_selector: Selector
    policy_types: frozenset[Direction]
    ingress: tuple[Rule, ...]
    egress: tuple[Rule, ...]
    place: Place

    @property
    def key(self) -> str:
        """``NAMESPACE/NAME``."""
        return f"{self.namespace}/{self.name}"

    @property
    def blocks(self) -> Iterator[IPBlock]:
        """The ipBlocks of all rules in the order of the object, ingress before egress."""
        for rule in (*self.ingress, *self.egress):
            yield from (peer for peer in rule.peers if isinstance(peer, IPBlock))

    def rules(self, direction: Direction) -> tuple[Rule, ...]:
        """The rules of one direction, even if ``policyTypes`` does not list the direction."""
        return self.ingress if direction is Direction.INGRESS else self.egress
