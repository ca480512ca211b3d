"""Service, Endpoint: a connection to a cluster IP and port gets one of the endpoints."""

from collections.abc import Iterator, Mapping

from ovsnp.flows.action import Goto, Lookup, ToGroup
from ovsnp.flows.flow import Flow
from ovsnp.flows.group import Group
from ovsnp.flows.match import Match, exactly
from ovsnp.lower.endpoints import kept
from ovsnp.model.address import family
from ovsnp.model.frontend import Frontend
from ovsnp.pipeline import fields as f
from ovsnp.pipeline import priorities as p
from ovsnp.pipeline import registers as r


def flows(groups: Mapping[Frontend, tuple[Group, ...]], frontends: tuple[Frontend, ...]) -> Iterator[Flow]:
    """One flow a port; with sessionAffinity two, and one an endpoint.

    ``groups`` are those of each port that has endpoints, the one that chooses last.
    """
    # What comes through the tunnel was given its endpoint where it came from.
    yield Flow("Service", p.SERVICE_GUARD, Match("", (exactly(r.ORIGIN, r.Origin.TUNNEL),)), (Goto("DestinationNode"),))
    for frontend in frontends:
        yield from _port(frontend, groups.get(frontend, ()))
    yield Flow("Service", p.MISS, Match(), (Goto("DestinationNode"),))


def _port(frontend: Frontend, groups: tuple[Group, ...]) -> Iterator[Flow]:
    version = family(frontend.address)
    address = exactly(f.IP_DST[version], int.from_bytes(frontend.address, "big"))
    match = Match(f.PROTOCOL_KIND[version, frontend.protocol], (address, exactly(f.PORT_DST, frontend.port)))
    if not groups:
        yield Flow("Service", p.SERVICE, match, (), f"{frontend.service}, which has no endpoints")
    elif frontend.affinity:
        asked = (Lookup("SessionAffinity"), Goto("Endpoint"))
        yield Flow("Service", p.SERVICE, match, asked, frontend.service)
        yield from kept(frontend, match, groups[-1])
    else:
        yield Flow("Service", p.SERVICE, match, (ToGroup(groups[-1].id),), frontend.service)
