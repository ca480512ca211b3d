"""The result of `apply` as JSON."""

from collections.abc import Iterable, Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from ovsnp.apply.commit import ApplyResult
from ovsnp.document import Count, ObjectKey
from ovsnp.model.bridge import Oddity
from ovsnp.model.options import Options


class OddInterfaces(msgspec.Struct, frozen=True):
    """The fault of a pod's interfaces on the bridge."""

    pod: ObjectKey
    interfaces: Annotated[Sequence[str], Meta(min_length=1)]
    closed: Annotated[bool, Meta(description="true: the bridge has no flows for these interfaces")]
    message: Annotated[str, Meta(description="what is wrong, and what to do")]


class AppliedChanges(msgspec.Struct, frozen=True):
    """The numbers of flows that apply added, changed (other actions or another rule) and deleted."""

    added: Count
    changed: Count
    deleted: Count


EveryOddInterface = Annotated[
    Sequence[OddInterfaces],
    Meta(description="what is wrong with interfaces of pods, and what to do; `without_port` has closed local pods too"),
]


class ApplyDocument(msgspec.Struct, frozen=True):
    """What apply did; later versions may add keys, and never change a key."""

    bridge: str
    node: Annotated[str | None, Meta(description="null: the input has no Node, and --node names none")]
    done: Annotated[Sequence[str], Meta(description="what apply made or set on the bridge, in words")]
    flows: AppliedChanges
    groups: Annotated[Count, Meta(description="the number of groups that apply added, changed or deleted")]
    cut: Annotated[Count, Meta(description="the number of connections that apply cut, as their endpoint is gone")]
    forgotten: Annotated[
        Count,
        Meta(
            description="the number of connections of pods that are gone, which conntrack forgot; all connections where"
            " holders_known is false"
        ),
    ]
    holders_known: Annotated[bool, Meta(description="false: there was no record of who held which address")]
    emptied_zones: Annotated[
        Sequence[int],
        Meta(description="conntrack zones that apply emptied, as the datapath could not forget one connection alone"),
    ]
    cut_by_policy: Annotated[
        Count,
        Meta(description="the number of connections that --established cut ended, as the policies forbid them"),
    ]
    without_port: Annotated[
        Sequence[ObjectKey],
        Meta(description="local pods without a port, as NAMESPACE/POD, and local pods that are closed"),
    ]
    odd_interfaces: EveryOddInterface


def document(options: Options, outcome: ApplyResult) -> ApplyDocument:
    """The result of `apply` on the bridge of these options."""
    return ApplyDocument(
        bridge=options.bridge,
        node=options.node,
        done=outcome.bridge,
        flows=AppliedChanges(outcome.added, outcome.changed, outcome.deleted),
        groups=outcome.groups,
        cut=outcome.cut,
        forgotten=outcome.forgotten,
        holders_known=outcome.known,
        emptied_zones=outcome.emptied,
        cut_by_policy=outcome.cut_by_policy,
        without_port=outcome.without_port,
        odd_interfaces=odd_interfaces(outcome.odd),
    )


def odd_interfaces(odd: Iterable[Oddity]) -> list[OddInterfaces]:
    """The faults of the interfaces of each pod."""
    return [OddInterfaces(each.pod, each.interfaces, each.closed, each.message) for each in odd]
