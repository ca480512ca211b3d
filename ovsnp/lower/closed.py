"""Closed addresses: flows that stand beside a program for a moment, in which conntrack forgets connections."""

from collections.abc import Iterable, Iterator

from ovsnp.flows.check import check_flow
from ovsnp.flows.flow import Flow
from ovsnp.flows.match import Match, exactly, match_prefix
from ovsnp.model.address import Address, family, host_prefix
from ovsnp.pipeline import fields as f
from ovsnp.pipeline import priorities as p
from ovsnp.pipeline import registers as r


def closing_flows(addresses: Iterable[Address] | None) -> tuple[Flow, ...]:
    """Flows that drop every packet from or to some addresses; None closes the whole bridge.

    A packet's sender is its source where it comes in, or who the tunnel's header says. Its receiver is known when
    conntrack has translated the destination, so that table Forward drops what goes to a closed address. No dropped
    packet reaches Commit or Output.
    """
    if addresses is None:
        return (check_flow(Flow("Origin", p.CLOSED, Match())),)
    return tuple(check_flow(flow) for address in sorted(addresses) for flow in _close(address))


def _close(address: Address) -> Iterator[Flow]:
    host, carried = host_prefix(address), r.CARRIED_SOURCE[family(address)]
    yield Flow("Origin", p.CLOSED, match_prefix(f.IP_SRC, host))
    yield Flow("Forward", p.CLOSED, match_prefix(f.IP_DST, host))
    yield Flow("Forward", p.CLOSED, Match("", (exactly(carried, host.value),)))
