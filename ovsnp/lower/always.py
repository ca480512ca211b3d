"""The flows that are always there, whatever pods, nodes, rules and Services there are."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from ovsnp.flows.flow import Flow
from ovsnp.lower import address_resolution, connections, forward, nodes, origin, output, policy, service
from ovsnp.lower.denial import denial
from ovsnp.model.bridge import Bridge
from ovsnp.model.options import Options
from ovsnp.pipeline.drop_log import DropReason


class Always(NamedTuple):
    """Flows that are one unit; ``needs`` are the fields of `Bridge` that they depend on."""

    name: str
    needs: tuple[str, ...]
    make: Callable[[Bridge], Iterator[Flow]]


def always(options: Options) -> tuple[Always, ...]:
    """All units that are always there, in the order of the stages."""
    return (
        Always("origin", ("node", "tunnel", "gateway", "families"), origin.flows),
        Always("pods' sources", ("pod_prefixes", "gateway"), origin.pod_sources),
        Always("address resolution", ("node", "gateway", "families"), address_resolution.flows),
        Always("connections", ("node", "families", "alone"), connections.flows),
        Always("own openings", ("local_prefixes",), connections.own_openings),
        Always("service", (), service.flows),
        Always("nodes", ("node",), nodes.flows),
        Always(
            "egress",
            ("families",),
            partial(policy.egress_flows, guarded=denial(options, DropReason.TUNNEL_GUARD)),
        ),
        Always("forward", ("node", "gateway", "families"), forward.flows),
        Always("service CIDRs", ("service_cidrs",), forward.service_cidrs),
        Always("ingress", ("families",), policy.ingress_flows),
        Always(
            "output",
            ("node", "tunnel", "gateway", "families"),
            partial(output.flows, encap=options.encap, masquerade=options.masquerade),
        ),
    )
