"""Closed addresses: flows that are on the bridge beside a program only while conntrack forgets connections."""

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

    The sender of a packet is the source address with which it comes in, or the address that the tunnel header carries.
    The receiver is known only when conntrack has translated the destination, so table Forward drops packets to a closed
    address. No dropped packet reaches Commit or Output.
    """
    if addresses is None:
        return (check_flow(Flow("Origin", p.CLOSED, Match())),)
    return tuple(check_flow(flow) for address in sorted(addresses) for flow in _close(address))


def _close(address: Address) -> Iterator[Flow]:
    host, carried = host_prefix(address), r.CARRIED_SOURCE[family(address)]
    yield Flow("Origin", p.CLOSED, match_prefix(f.IP_SRC, host))
    yield Flow("Forward", p.CLOSED, match_prefix(f.IP_DST, host))
    yield Flow("Forward", p.CLOSED, Match("", (exactly(carried, host.value),)))
