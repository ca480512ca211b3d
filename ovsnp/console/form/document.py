"""The form of a policy, as a browser gets it and sends it back in JSON.

Rows have an ``origin``: the place in the object that the form was made from, and nothing in a new row. A browser keeps
it, also when rows are moved or removed, so that what the form does not show stays with its row.
"""

from typing import Literal

import msgspec

Choice = Literal["all", "listed"]
View = Literal["simple", "advanced"]


class _Row(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """A part of the form."""


class LabelForm(_Row):
    """A label that must be there; ``origin`` is its key in the object."""

    key: str = ""
    value: str = ""
    origin: str | None = None


class ExpressionForm(_Row):
    """A requirement of ``matchExpressions``; ``origin`` is its index."""

    key: str = ""
    operator: str = ""
    values: list[str] = []
    origin: int | None = None


class SelectorForm(_Row):
    """Pods: ``all``, or those that the rows select. A choice of ``listed`` without rows is a mistake, never all."""

    choice: Choice = "listed"
    labels: list[LabelForm] = []
    expressions: list[ExpressionForm] = []


class NamespacesForm(_Row):
    """Namespaces: the policy's own, the one with a name, all, or those that the rows select."""

    choice: Literal["own", "named", "all", "listed"] = "own"
    name: str = ""
    labels: list[LabelForm] = []
    expressions: list[ExpressionForm] = []


class PortForm(_Row):
    """A row of Protocol & Port.

    ``protocol`` is ``TCP``, ``UDP``, ``SCTP`` or ``any``; ``port`` a number, a name, a range (``8000-8100``), or ``*``
    for all ports of the protocol. ``origin`` has the indexes of the items of ``ports``: three for ``any``, else one.
    """

    protocol: str = "TCP"
    port: str = ""
    origin: list[int] = []


class PeerForm(_Row):
    """A source or destination: a CIDR block, or pods of some namespaces; ``origin`` is its index.

    ``block`` is ``BLOCK`` or ``BLOCK|EXCEPTION,EXCEPTION``.
    """

    kind: Literal["pods", "block"] = "pods"
    block: str = ""
    namespaces: NamespacesForm = msgspec.field(default_factory=NamespacesForm)
    pods: SelectorForm = msgspec.field(default_factory=lambda: SelectorForm("all"))
    origin: int | None = None


class RuleForm(_Row):
    """A rule; ``origin`` is its index. A choice of ``listed`` without rows is a mistake, never all."""

    port_choice: Choice = "listed"
    ports: list[PortForm] = []
    peer_choice: Choice = "listed"
    peers: list[PeerForm] = []
    origin: int | None = None


class PolicyForm(_Row):
    """The form of a policy.

    ``directions`` are those in which the policy isolates its pods. ``view`` tells the view that can show all of it.
    """

    name: str = ""
    namespace: str = ""
    selector: SelectorForm = msgspec.field(default_factory=SelectorForm)
    directions: list[Literal["Ingress", "Egress"]] = []
    inbound: list[RuleForm] = []
    outbound: list[RuleForm] = []
    view: View = "simple"


def view_of(form: PolicyForm) -> View:
    """The simple view shows labels, and for each rule its ports and one peer in one namespace."""
    if form.selector.expressions:
        return "advanced"
    return "simple" if all(map(_is_simple, (*form.inbound, *form.outbound))) else "advanced"


def _is_simple(rule: RuleForm) -> bool:
    if len(rule.peers) > 1:
        return False
    return all(peer.namespaces.choice in ("own", "named") and not peer.pods.expressions for peer in rule.peers)
