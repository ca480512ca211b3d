"""The endpoints of Services: select groups, and for Services with sessionAffinity the table that learns.

Conntrack translates the destination at once and remembers that the connection is Service-bound, but not yet that it
is admitted: policy judges it on the endpoint, packet by packet, until a packet reaches Commit.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, count

import msgspec

from ovsnp.flows.action import Action, Learn, Lookup, SetField, ToGroup, Translate
from ovsnp.flows.flow import Flow
from ovsnp.flows.group import WEIGHT, Bucket, Group
from ovsnp.flows.match import Match, exactly
from ovsnp.flows.note import FlowNote, Purpose
from ovsnp.ir.frontend import Backend, Frontend
from ovsnp.model.address import family, format_address
from ovsnp.model.ports import Protocol
from ovsnp.pipeline import priorities as p
from ovsnp.pipeline import registers as r
from ovsnp.pipeline.conntrack import ZONE
from ovsnp.pipeline.numbers import Numbers, number

GROUPS = 0xFFFFFF00
"""Numbers of groups and buckets lie below (OFPG_MAX, OFPG_BUCKET_ALL)."""

_MOST = 256
"""Endpoints of a group. Open vSwitch hashes into at most 256 values for a group, and describes it in one message of
at most 64 KiB, in every version: 3.1 ends when the message would be larger, at about 450 buckets."""

_LEAST_WEIGHT = 5
"""Open vSwitch makes as many hash values as the least weight fits into the sum of the weights, rounded up to a power
of two, and at least 16: three buckets of one weight get 6, 5 and 5. With this as the least weight they get 22, 21
and 21 of 64."""

_VALUES = {"endpoint": 256, "part": 8}
"""How many values of a client's port a group tells apart by ``hash``: each value has a megaflow of its own."""

_LONGEST = 0xFFFF
"""Seconds that a flow can have as its idle timeout."""

_LEARNED = 1 << 16
"""Clients whose endpoint is kept at a time; more could be made up by who sends from outside."""


class EndpointChoice(msgspec.Struct, frozen=True):
    """How a port's endpoints are chosen: the endpoints by number in parts, each of which fits a group.

    ``names`` are what the groups get their numbers by, the one that chooses last.
    """

    frontend: Frontend
    parts: tuple[dict[int, Backend], ...]
    names: tuple[str, ...]


def choice(frontend: Frontend) -> EndpointChoice | None:
    """The choice at a port; None where there is no endpoint."""
    if not frontend.backends:
        return None
    parts = _parts(frontend)
    return EndpointChoice(frontend, tuple(parts), tuple(_names(frontend, len(parts))))


def groups(chosen: EndpointChoice, numbers: Numbers) -> tuple[Group, ...]:
    """The groups of a port; the last one chooses, by way of the others where there are any."""
    return tuple(_groups(chosen.frontend, chosen.parts, [numbers[name] for name in chosen.names]))


def _names(frontend: Frontend, parts: int) -> list[str]:
    port = f"{frontend.service} {format_address(frontend.address)} {frontend.protocol} {frontend.port}"
    return [*(f"{port} part {part} of {parts}" for part in range(parts)), port] if parts > 1 else [port]


def _parts(frontend: Frontend) -> list[dict[int, Backend]]:
    """The endpoints by their numbers, in the fewest parts (1, 2, 4, ...) of which each fits a group.

    An endpoint's part depends on its own number, so others stay in theirs when it comes or goes.
    """
    numbers = _numbers(frontend)
    total = 1
    while True:
        parts: list[dict[int, Backend]] = [{} for _ in range(total)]
        for backend, its in numbers.items():
            parts[its % total][its] = backend
        if max(map(len, parts)) <= _MOST:
            return parts
        total *= 2


def _numbers(frontend: Frontend) -> dict[Backend, int]:
    names = {backend: f"{format_address(backend.address)} {backend.port}" for backend in frontend.backends}
    numbers = number(names.values(), GROUPS)
    return {backend: numbers[name] for backend, name in names.items()}


def _groups(frontend: Frontend, parts: Sequence[dict[int, Backend]], ids: list[int]) -> Iterator[Group]:
    serving = f"{frontend.port}/{frontend.protocol}"
    for group, part in zip(ids, parts, strict=False):
        yield Group(group, *_chosen(frontend, part, len(parts)), frontend.service, serving)
    if len(parts) > 1:
        buckets = tuple(Bucket(its, (ToGroup(group),)) for its, group in enumerate(ids[:-1], start=1))
        fields = _client(frontend, 0 if frontend.affinity else _VALUES["part"] * len(parts))
        yield Group(ids[-1], fields, buckets, frontend.service, serving)


def _chosen(frontend: Frontend, part: Mapping[int, Backend], parts: int) -> tuple[tuple[str, ...], tuple[Bucket, ...]]:
    """The fields that the choice of an endpoint depends on, and the buckets.

    The datapath's hash gives even shares, but an endpoint that comes or goes changes most choices. That is nothing to
    a protocol whose connections open and end; a UDP client sends again after conntrack has forgotten it.
    """
    if frontend.affinity:
        return _client(frontend, 0), tuple(Bucket(its, (SetField(r.ENDPOINT, its), Lookup("Endpoint"))) for its in part)
    whole = tuple(Bucket(its, _translate(backend)) for its, backend in part.items())
    if len(whole) * parts == 1:
        return _client(frontend, 0), whole
    if frontend.protocol is Protocol.UDP:
        return _client(frontend, _VALUES["endpoint"] * parts), whole
    return (), _spread(whole)


def _client(frontend: Frontend, values: int) -> tuple[str, ...]:
    """The client's address and so many values of its port, 0 or a power of two.

    Linux gives out every other port first, so the port's last bit is left out.
    """
    source = "ip_src" if family(frontend.address) == 4 else "ipv6_src"
    return (source, f"{frontend.protocol.lower()}_src={(values - 1) << 1 & 0xFFFF}") if values else (source,)


def _spread(whole: tuple[Bucket, ...]) -> tuple[Bucket, ...]:
    """The buckets; one of them divided into two that share its weight. The least weight decides how many hash values
    there are, and many are shared evenly."""
    if len(whole).bit_count() == 1 or len(whole) > _MOST // 2:
        return whole
    least = max(_LEAST_WEIGHT, -(-WEIGHT * len(whole) // _MOST))
    divided, *others = sorted(whole, key=lambda bucket: bucket.id)
    taken = {bucket.id for bucket in others}
    free = next(its for its in count(divided.id + 1) if its not in taken)
    return (
        msgspec.structs.replace(divided, weight=WEIGHT - least),
        msgspec.structs.replace(divided, id=free, weight=least),
        *others,
    )


def _translate(backend: Backend) -> tuple[Action, ...]:
    ports = (backend.port, backend.port)
    zone, remember = ZONE[family(backend.address)], (SetField(r.SERVICE_LABEL, 1),)
    translate = Translate(zone, "DestinationNode", "dst", backend.address, ports, remember)
    return SetField(r.SERVICE_BOUND, 1), translate


def affinity_flows(chosen: EndpointChoice, affinity: int, match: Match, group: int) -> Iterator[Flow]:
    """The flows of a port with sessionAffinity: one an endpoint, which is learned, and one for who has none yet."""
    frontend, note = chosen.frontend, FlowNote(Purpose.SERVICE, (chosen.frontend.service,))
    for its, backend in chain.from_iterable(part.items() for part in chosen.parts):
        learn = Learn(
            "SessionAffinity",
            p.KEPT_ENDPOINT,
            min(affinity, _LONGEST),
            _LEARNED,
            frontend.protocol,
            frontend.address,
            frontend.port,
            SetField(r.ENDPOINT, its),
        )
        of_endpoint = Match(match.kind, (*match.terms, exactly(r.ENDPOINT, its)))
        yield Flow("Endpoint", p.KEPT_ENDPOINT, of_endpoint, (learn, *_translate(backend)), note)
    yield Flow("Endpoint", p.SERVICE, match, (ToGroup(group),), note)
