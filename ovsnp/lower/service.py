"""Service: a connection to a cluster IP and port gets one of the endpoints.

Conntrack translates the destination at once and remembers that the connection is Service-bound, but not yet that it
is admitted: policy judges it on the endpoint, packet by packet, until a packet reaches Commit.
"""

from collections.abc import Iterator

from ovsnp.errors import UsageError
from ovsnp.flows.action import Action, Goto, SetField, ToGroup, Translate
from ovsnp.flows.flow import Flow
from ovsnp.flows.group import Bucket, Group
from ovsnp.flows.match import Match, exactly
from ovsnp.model.address import family, format_address
from ovsnp.model.frontend import Backend, Frontend
from ovsnp.pipeline import fields as f
from ovsnp.pipeline import priorities as p
from ovsnp.pipeline import registers as r
from ovsnp.pipeline.conntrack import ZONE
from ovsnp.pipeline.numbers import number

_GROUPS = 0xFFFFFF00
"""Numbers of groups and buckets lie below (OFPG_MAX, OFPG_BUCKET_ALL)."""


_ENDPOINTS = 420
"""Open vSwitch describes a group in one message of at most 64 KiB, and ends when one is larger."""


def groups(frontends: tuple[Frontend, ...]) -> dict[Frontend, Group]:
    """A group for each port that has endpoints; raises UsageError where one has more than a group can hold."""
    for frontend in frontends:
        if len(frontend.backends) > _ENDPOINTS:
            raise UsageError(
                f"Service {frontend.service} has {len(frontend.backends)} endpoints for port {frontend.port}, and a"
                f" group holds {_ENDPOINTS}; divide them among several Services"
            )
    numbers = number(map(_name, frontends), _GROUPS)
    return {frontend: _group(frontend, numbers[_name(frontend)]) for frontend in frontends if frontend.backends}


def flows(choices: dict[Frontend, Group], frontends: tuple[Frontend, ...]) -> Iterator[Flow]:
    """One flow a port."""
    # What comes through the tunnel was given its endpoint where it came from.
    yield Flow("Service", p.SERVICE_GUARD, Match("", (exactly(r.ORIGIN, r.Origin.TUNNEL),)), (Goto("DestinationNode"),))
    for frontend in frontends:
        version = family(frontend.address)
        match = Match(
            f.PROTOCOL_KIND[version, frontend.protocol],
            (exactly(f.IP_DST[version], int.from_bytes(frontend.address, "big")), exactly(f.PORT_DST, frontend.port)),
        )
        group = choices.get(frontend)
        note = f"{frontend.service}" if group else f"{frontend.service}, which has no endpoints"
        yield Flow("Service", p.SERVICE, match, (ToGroup(group.id),) if group else (), note)
    yield Flow("Service", p.MISS, Match(), (Goto("DestinationNode"),))


def _name(frontend: Frontend) -> str:
    return f"{frontend.service} {format_address(frontend.address)} {frontend.protocol} {frontend.port}"


def _group(frontend: Frontend, group: int) -> Group:
    version = family(frontend.address)
    names = {backend: f"{format_address(backend.address)} {backend.port}" for backend in frontend.backends}
    numbers = number(names.values(), _GROUPS)
    source = "ip_src" if version == 4 else "ipv6_src"
    port = f"{frontend.protocol.lower()}_src"
    return Group(
        group,
        (source,) if frontend.affinity else (source, port),
        tuple(Bucket(numbers[names[backend]], _choose(version, backend)) for backend in frontend.backends),
        frontend.service,
        f"{frontend.port}/{frontend.protocol}",
    )


def _choose(version: int, backend: Backend) -> tuple[Action, ...]:
    ports = (backend.port, backend.port)
    remember = (SetField(r.SERVICE_LABEL, 1),)
    translate = Translate(ZONE[version], "DestinationNode", "dst", backend.address, ports, remember)
    return SetField(r.SERVICE_BOUND, 1), translate
