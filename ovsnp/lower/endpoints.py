"""The endpoints of Services: select groups, and for Services with sessionAffinity the table that learns.

Conntrack translates the destination at once and remembers that the connection is Service-bound, but not yet that it
is admitted: policy judges it on the endpoint, packet by packet, until a packet reaches Commit.
"""

from collections.abc import Iterable, Iterator

from ovsnp.flows.action import Action, Learn, Lookup, SetField, ToGroup, Translate
from ovsnp.flows.flow import Flow
from ovsnp.flows.group import Bucket, Group
from ovsnp.flows.match import Match, exactly
from ovsnp.model.address import family, format_address
from ovsnp.model.frontend import Backend, Frontend
from ovsnp.pipeline import priorities as p
from ovsnp.pipeline import registers as r
from ovsnp.pipeline.conntrack import ZONE
from ovsnp.pipeline.numbers import number

_GROUPS = 0xFFFFFF00
"""Numbers of groups and buckets lie below (OFPG_MAX, OFPG_BUCKET_ALL)."""

_MOST = 256
"""Buckets of a group. Open vSwitch describes a group in one message of at most 64 KiB, and 3.1 ends when one is
larger: that is at about 450 of these."""

_LONGEST = 0xFFFF
"""Seconds that a flow can have as its idle timeout."""

_LEARNED = 1 << 16
"""Clients whose endpoint is kept at a time; more could be made up by who sends from outside."""


def groups(frontends: Iterable[Frontend]) -> dict[Frontend, tuple[Group, ...]]:
    """The groups of each port that has endpoints; the last one chooses, by way of the others where there are any."""
    served = [frontend for frontend in frontends if frontend.backends]
    parts = {frontend: _parts(frontend) for frontend in served}
    numbers = number((name for frontend in served for name in _names(frontend, len(parts[frontend]))), _GROUPS)
    return {
        frontend: tuple(_groups(frontend, parts[frontend], [numbers[name] for name in names]))
        for frontend in served
        for names in [_names(frontend, len(parts[frontend]))]
    }


def _names(frontend: Frontend, parts: int) -> list[str]:
    port = f"{frontend.service} {format_address(frontend.address)} {frontend.protocol} {frontend.port}"
    return [*(f"{port} part {part} of {parts}" for part in range(parts)), port] if parts > 1 else [port]


def _parts(frontend: Frontend) -> list[dict[int, Backend]]:
    """The endpoints by their numbers, in the fewest parts (1, 2, 4, ...) of which each fits a group.

    An endpoint's part depends on its own number, so others stay in theirs when it comes or goes.
    """
    numbers = _numbers(frontend)
    count = 1
    while True:
        parts: list[dict[int, Backend]] = [{} for _ in range(count)]
        for backend, its in numbers.items():
            parts[its % count][its] = backend
        if max(map(len, parts)) <= _MOST:
            return parts
        count *= 2


def _numbers(frontend: Frontend) -> dict[Backend, int]:
    names = {backend: f"{format_address(backend.address)} {backend.port}" for backend in frontend.backends}
    numbers = number(names.values(), _GROUPS)
    return {backend: numbers[name] for backend, name in names.items()}


def _groups(frontend: Frontend, parts: list[dict[int, Backend]], ids: list[int]) -> Iterator[Group]:
    for group, part in zip(ids, parts, strict=False):
        yield _group(frontend, group, {its: _choose(frontend, its, backend) for its, backend in part.items()})
    if len(parts) > 1:
        yield _group(frontend, ids[-1], {its: (ToGroup(group),) for its, group in enumerate(ids[:-1], start=1)})


def _group(frontend: Frontend, group: int, choices: dict[int, tuple[Action, ...]]) -> Group:
    source = "ip_src" if family(frontend.address) == 4 else "ipv6_src"
    port = f"{frontend.protocol.lower()}_src"
    return Group(
        group,
        (source,) if frontend.affinity else (source, port),
        tuple(Bucket(its, actions) for its, actions in choices.items()),
        frontend.service,
        f"{frontend.port}/{frontend.protocol}",
    )


def _choose(frontend: Frontend, its: int, backend: Backend) -> tuple[Action, ...]:
    if frontend.affinity:
        return SetField(r.ENDPOINT, its), Lookup("Endpoint")
    return _translate(backend)


def _translate(backend: Backend) -> tuple[Action, ...]:
    ports = (backend.port, backend.port)
    zone, remember = ZONE[family(backend.address)], (SetField(r.SERVICE_LABEL, 1),)
    translate = Translate(zone, "DestinationNode", "dst", backend.address, ports, remember)
    return SetField(r.SERVICE_BOUND, 1), translate


def kept(frontend: Frontend, match: Match, group: Group) -> Iterator[Flow]:
    """The flows of a port with sessionAffinity: one an endpoint, which is learned, and one for who has none yet."""
    assert frontend.affinity
    for backend, its in _numbers(frontend).items():
        learn = Learn(
            "SessionAffinity",
            p.KEPT_ENDPOINT,
            min(frontend.affinity, _LONGEST),
            _LEARNED,
            frontend.protocol,
            frontend.address,
            frontend.port,
            SetField(r.ENDPOINT, its),
        )
        of_endpoint = Match(match.kind, (*match.terms, exactly(r.ENDPOINT, its)))
        yield Flow("Endpoint", p.KEPT_ENDPOINT, of_endpoint, (learn, *_translate(backend)), frontend.service)
    yield Flow("Endpoint", p.SERVICE, match, (ToGroup(group.id),), frontend.service)
