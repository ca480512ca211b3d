"""The endpoints of Services: select groups, and for Services with sessionAffinity the table that learns.

Conntrack translates the destination at once and remembers that the connection is Service-bound, but not yet that it
is admitted: policy judges each packet, with the endpoint as its destination, until the endpoint has answered.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, count

import msgspec

from ovsnp.flows.action import Action, Learn, Lookup, SetField, ToGroup, Translate
from ovsnp.flows.flow import Flow
from ovsnp.flows.group import WEIGHT, Bucket, Group, HashedField
from ovsnp.flows.match import Match, exactly
from ovsnp.flows.note import FlowNote, Purpose
from ovsnp.ir.frontend import Backend, Frontend
from ovsnp.model.address import family, format_address
from ovsnp.model.ports import Protocol
from ovsnp.pipeline import fields as f
from ovsnp.pipeline import priorities as p
from ovsnp.pipeline import registers as r
from ovsnp.pipeline.conntrack import ZONE
from ovsnp.pipeline.numbers import Numbers, number

GROUPS = 0xFFFFFF00
"""The numbers of groups and buckets are below this one (OFPG_MAX, OFPG_BUCKET_ALL)."""

_MOST = 256
"""The most endpoints of a group. In every version, Open vSwitch hashes into at most 256 values for a group, and
describes the group in one message of at most 64 KiB: 3.1 ends when the message would be larger, at about 450
buckets."""

_LEAST_WEIGHT = 5
"""The least weight of a bucket. Open vSwitch makes as many hash values as the least weight fits into the sum of the
weights, rounded up to a power of two, and at least 16: three buckets of equal weight get 6, 5 and 5 of 16. With this
least weight they get 22, 21 and 21 of 64."""

_VALUES = {"endpoint": 256, "part": 8}
"""The number of values of a client's port that a group distinguishes by ``hash``, for each part of the endpoints, when
it chooses an endpoint or a part. Each value has a megaflow of its own."""

_LONGEST = 0xFFFF
"""The longest idle timeout of a flow, in seconds."""

_LEARNED = 1 << 16
"""The most flows that keep an endpoint for a client: a sender outside of the cluster could make up any number."""


class EndpointChoice(msgspec.Struct, frozen=True):
    """The choice among the endpoints of a port: the endpoints by number, in parts that each fit a group.

    ``names`` are the names that give the groups their numbers; the name of the group that chooses is last.
    """

    frontend: Frontend
    parts: tuple[dict[int, Backend], ...]
    names: tuple[str, ...]


def choice(frontend: Frontend) -> EndpointChoice | None:
    """The choice at a port; None if the port has no endpoint."""
    if not frontend.backends:
        return None
    parts = _parts(frontend)
    return EndpointChoice(frontend, tuple(parts), tuple(_names(frontend, len(parts))))


def groups(chosen: EndpointChoice, numbers: Numbers) -> tuple[Group, ...]:
    """The groups of a port: the last group chooses, among the others if there are several."""
    return tuple(_groups(chosen.frontend, chosen.parts, [numbers[name] for name in chosen.names]))


def _names(frontend: Frontend, parts: int) -> list[str]:
    port = f"{frontend.service} {format_address(frontend.address)} {frontend.protocol} {frontend.port}"
    return [*(f"{port} part {part} of {parts}" for part in range(parts)), port] if parts > 1 else [port]


def _parts(frontend: Frontend) -> list[dict[int, Backend]]:
    """The endpoints by their numbers, in the fewest parts (1, 2, 4, ...) of which each fits a group.

    The part of an endpoint depends on the endpoint's own number, so the others keep their parts when it comes or goes.
    """
    numbers = _numbers(frontend)
    total = 1
    while True:
        parts: list[dict[int, Backend]] = [{} for _ in range(total)]
        for backend, endpoint in numbers.items():
            parts[endpoint % total][endpoint] = backend
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
        buckets = tuple(Bucket(index, (ToGroup(group),)) for index, group in enumerate(ids[:-1], start=1))
        fields = _client(frontend, 0 if frontend.affinity else _VALUES["part"] * len(parts))
        yield Group(ids[-1], fields, buckets, frontend.service, serving)


def _chosen(
    frontend: Frontend, part: Mapping[int, Backend], parts: int
) -> tuple[tuple[HashedField, ...], tuple[Bucket, ...]]:
    """The fields that the choice of an endpoint depends on, and the buckets.

    The datapath's hash gives even shares, but an endpoint that comes or goes changes most choices. That does not matter
    to a protocol whose connections open and end. A UDP client may send again after conntrack has forgotten the
    connection, so the choice of its endpoint depends on its address and port.
    """
    if frontend.affinity:
        remembered = (Bucket(endpoint, (SetField(r.ENDPOINT, endpoint), Lookup("Endpoint"))) for endpoint in part)
        return _client(frontend, 0), tuple(remembered)
    whole = tuple(Bucket(endpoint, _translate(backend)) for endpoint, backend in part.items())
    if len(whole) * parts == 1:
        return _client(frontend, 0), whole
    if frontend.protocol is Protocol.UDP:
        return _client(frontend, _VALUES["endpoint"] * parts), whole
    return (), _spread(whole)


def _client(frontend: Frontend, values: int) -> tuple[HashedField, ...]:
    """The fields of the client's address, and of its port: ``values`` is 0 (no port) or a power of two.

    Linux gives out every other port first, so the last bit of the port does not count.
    """
    address, port = f.IP_SRC[family(frontend.address)], f.TRANSPORT_SRC[frontend.protocol]
    source = HashedField(address, address.full_mask)
    return (source, HashedField(port, (values - 1) << 1 & port.full_mask)) if values else (source,)


def _spread(whole: tuple[Bucket, ...]) -> tuple[Bucket, ...]:
    """The buckets, one of them divided into two that share its weight, where that makes the shares more even.

    The least weight determines the number of hash values: the more values, the more even are the shares.
    """
    if len(whole).bit_count() == 1 or len(whole) > _MOST // 2:
        return whole
    least = max(_LEAST_WEIGHT, -(-WEIGHT * len(whole) // _MOST))
    divided, *others = sorted(whole, key=lambda bucket: bucket.id)
    taken = {bucket.id for bucket in others}
    free = next(bucket for bucket in count(divided.id + 1) if bucket not in taken)
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
    """The flows of a port with sessionAffinity: one that learns each endpoint, and one for clients without endpoint.

    ``affinity`` is the time in seconds for which a client keeps its endpoint; ``group`` chooses one.
    """
    frontend, note = chosen.frontend, FlowNote(Purpose.SERVICE, (chosen.frontend.service,))
    for endpoint, backend in chain.from_iterable(part.items() for part in chosen.parts):
        learn = Learn(
            "SessionAffinity",
            p.KEPT_ENDPOINT,
            min(affinity, _LONGEST),
            _LEARNED,
            frontend.protocol,
            frontend.address,
            frontend.port,
            SetField(r.ENDPOINT, endpoint),
        )
        of_endpoint = Match(match.kind, (*match.terms, exactly(r.ENDPOINT, endpoint)))
        yield Flow("Endpoint", p.KEPT_ENDPOINT, of_endpoint, (learn, *_translate(backend)), note)
    yield Flow("Endpoint", p.SERVICE, match, (ToGroup(group),), note)
