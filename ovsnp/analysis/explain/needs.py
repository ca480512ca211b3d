"""The needs of a connection: what it lacks for one item of a rule to match it."""

from enum import StrEnum

import msgspec

from ovsnp.analysis.wording.ports import range_words
from ovsnp.model.address import Prefix
from ovsnp.model.policy import Direction
from ovsnp.model.ports import Protocol


class Holder(StrEnum):
    """The kind of object that has a label."""

    POD = "pod"
    NAMESPACE = "namespace"


class Label(msgspec.Struct, frozen=True):
    """A pod (by its title) or namespace would need a label with this value; None: it must not have the label.

    ``now`` is the current value of the label. With ``anything`` every value matches, and ``value`` is an example.
    """

    holder: Holder
    name: str
    key: str
    value: str | None
    now: str | None
    anything: bool = False


class InNamespace(msgspec.Struct, frozen=True):
    """A pod would have to be in another namespace, such as this one.

    With ``only`` no other namespace matches: the item has no namespaceSelector, so it means the policy's own namespace.
    """

    pod: str
    namespace: str
    only: bool


class ToPort(msgspec.Struct, frozen=True):
    """The connection would have to go to one of these ports, ``first`` and ``last`` included.

    ``by`` is the port of a Service that leads there (``6380/tcp of svc/default/db``); empty without a Service.
    """

    protocol: Protocol
    first: int
    last: int
    by: str = ""


class RulePort(msgspec.Struct, frozen=True):
    """A rule of a policy (``NAMESPACE/NAME``) would have to name this port, at which pods listen behind a Service."""

    policy: str
    direction: Direction
    rule: int
    protocol: Protocol
    number: int
    service: str


class PortName(msgspec.Struct, frozen=True):
    """A container of the destination pod would have to give this name to the port."""

    pod: str
    name: str
    protocol: Protocol
    number: int


class OtherAddress(msgspec.Struct, frozen=True):
    """The end's address is outside the block, or in a part that the block excepts."""

    address: str
    cidr: Prefix
    excepted: Prefix | None


class OtherEnd(msgspec.Struct, frozen=True):
    """Only another end could match; ``reason`` is a sentence that begins with the name of this end."""

    reason: str


Change = Label | InNamespace | ToPort | PortName | RulePort
"""A need that a user can meet."""

Need = Change | OtherAddress | OtherEnd


def cost(need: Need) -> int:
    """The cost of a need, for comparison: a need that a user can meet costs less than any other."""
    match need:
        case Label(holder=Holder.POD) | ToPort():
            return 2
        case Label() | PortName() | RulePort():
            return 3
        case InNamespace():
            return 4
        case OtherAddress():
            right_family = (":" in need.address) == (need.cidr.family == 6)
            return 20 if need.excepted else 21 if right_family else 22
        case OtherEnd():
            return 30


def need_words(need: Need) -> str:
    """``add label role=frontend to pod default/plain-0``, and so on."""
    match need:
        case Label():
            return _label_words(need)
        case InNamespace():
            other = "or name its namespace in the rule" if need.only else "or in another that is meant"
            return f"run pod {need.pod} in namespace {need.namespace}, {other}"
        case ToPort(protocol=protocol, first=first, last=last):
            if (first, last) == (1, 65535):
                return f"use {protocol}, any port"
            port = range_words(protocol, first, last)
            if not need.by:
                return f"use port {port}"
            return f"use port {need.by}{'' if need.by.startswith(f'{port} ') else f', which leads to {port}'}"
        case RulePort():
            port = range_words(need.protocol, need.number)
            return f"name port {port} in the rule: behind {need.service} policies see the port of the pods"
        case PortName():
            port = range_words(need.protocol, need.number)
            return f"call the container's port {port} of pod {need.pod} {need.name}"
        case OtherAddress(excepted=None):
            return f"{need.address} is outside {need.cidr}"
        case OtherAddress():
            return f"{need.address} is in {need.excepted}, which {need.cidr} excepts"
        case OtherEnd():
            return need.reason


def _label_words(need: Label) -> str:
    of = f"{need.holder} {need.name}"
    if need.value is None:
        return f"remove label {need.key} from {of} (it is {need.now})"
    if need.anything:
        return f"add label {need.key}, of any value, to {of}"
    if need.now is None:
        return f"add label {need.key}={need.value} to {of}"
    return f"change label {need.key} of {of} from {need.now} to {need.value}"
