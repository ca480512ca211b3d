"""SRC and DST of the command line."""

import pytest

from ovsnp.analysis.naming.ends import ClusterIPEnd, name_of
from ovsnp.analysis.naming.roster import Roster
from ovsnp.errors import UsageError
from ovsnp.model.address import format_address, parse_address, parse_prefix
from ovsnp.oracle import NodeEnd, OutsideEnd, PodEnd
from tests.support import model_objects as b

CLUSTER = b.cluster(
    b.node("node-1", "192.168.50.1", "10.20.1.0/24", "fd00:20:1::/64"),
    b.node("node-2", "fd00:50::2", "10.20.2.0/24", "fd00:20:2::/64"),
    b.pod("default/db-0", "10.20.1.10", "fd00:20:1::a", on="node-1"),
    b.pod("default/cache", "10.20.1.11", on="node-1"),
    b.pod("red/frontend", "10.20.2.11", on="node-2"),
    b.pod("blue/frontend", "10.20.2.12", on="node-2"),
    b.pod("red/only", "fd00:20:2::b", on="node-2"),
    b.pod("node-ish/x", "10.20.2.13", on="node-2"),
    b.service("default/redis", "10.96.0.5", "fd00:96::5", ports=[b.port(6379, 6379)]),
    b.service("red/web", "10.96.0.6", ports=[b.port(80, 8080)]),
)
SERVICE_CIDRS = [parse_prefix("10.96.0.0/16")]


@pytest.mark.parametrize(
    ("text", "name", "addresses"),
    [
        ("default/db-0", "default/db-0", ["10.20.1.10", "fd00:20:1::a"]),
        ("db-0", "default/db-0", ["10.20.1.10", "fd00:20:1::a"]),
        ("red/frontend", "red/frontend", ["10.20.2.11"]),
        ("node-ish/x", "node-ish/x", ["10.20.2.13"]),
        ("10.20.1.10", "default/db-0", ["10.20.1.10"]),
        ("fd00:20:1:0::A", "default/db-0", ["fd00:20:1::a"]),
        ("node/node-1", "node/node-1", ["192.168.50.1", "fd00:20:1::1"]),
        ("node/node-2", "node/node-2", ["10.20.2.1", "fd00:50::2"]),
        ("10.20.2.1", "node/node-2", ["10.20.2.1"]),
        ("svc/default/redis", "svc/default/redis", ["10.96.0.5", "fd00:96::5"]),
        ("svc/redis", "svc/default/redis", ["10.96.0.5", "fd00:96::5"]),
        ("10.96.0.5", "svc/default/redis", ["10.96.0.5"]),
        ("10.96.9.9", "10.96.9.9", ["10.96.9.9"]),
        ("192.0.2.1", "192.0.2.1", ["192.0.2.1"]),
    ],
)
def test_names_and_addresses(text: str, name: str, addresses: list[str]) -> None:
    target = Roster(CLUSTER, SERVICE_CIDRS).destination(text)
    assert (target.name, [format_address(end.address) for end in target.ends]) == (name, addresses)
    assert {name_of(end) for end in target.ends} == {name}


def test_each_end_is_what_the_oracle_judges() -> None:
    kinds = {"db-0": PodEnd, "node/node-1": NodeEnd, "192.0.2.1": OutsideEnd, "svc/redis": ClusterIPEnd}
    for text, kind in kinds.items():
        assert {type(end) for end in Roster(CLUSTER).destination(text).ends} == {kind}
    assert Roster(CLUSTER, SERVICE_CIDRS).destination("10.96.9.9").ends == (
        ClusterIPEnd(parse_address("10.96.9.9"), None),
    )
    assert isinstance(Roster(CLUSTER).destination("10.96.9.9").ends[0], OutsideEnd)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("db-1", "there is no pod default/db-1 with an address of its own; did you mean default/db-0?"),
        ("red/cashe", "did you mean default/cache?"),
        ("default/frontent", "did you mean red/frontend or blue/frontend?"),
        ("reed/frontend", "frontend is in several other namespaces: blue/frontend, red/frontend; write which"),
        ("frontend", "frontend is in several other namespaces: blue/frontend, red/frontend; write which"),
        ("only", "did you mean red/only?"),
        ("node-1", "did you mean node/node-1?"),
        ("redis", "did you mean svc/default/redis?"),
        ("zzz", "there are 6 pods, such as blue/frontend, default/cache, default/db-0, node-ish/x, red/frontend"),
        ("", "there is no pod default/"),
        ("node/node-3", "there is no node node-3; did you mean node-"),
        ("node/q", "there is no node q; there are node-1, node-2"),
        ("svc/web", "there is no Service default/web with a cluster IP; did you mean svc/red/web?"),
        ("svc/default/reddis", "did you mean svc/default/redis?"),
        ("svc/q", "there are svc/default/redis, svc/red/web"),
        ("10.20.1.300", "'10.20.1.300' is not an IP address; write one like 10.0.0.1 or fd00::1"),
        ("10.20.1", "'10.20.1' is not an IP address"),
        ("fd00::1::2", "'fd00::1::2' is not an IP address"),
        ("::ffff:10.0.0.1", "write 10.0.0.1"),
        ("10.0.0.0/8", "10.0.0.0/8 is a block of addresses; name one address of it"),
        ("fd00::/64", "fd00::/64 is a block of addresses; name one address of it"),
    ],
)
def test_bad_ends_get_a_sentence_with_the_nearest_names(text: str, sentence: str) -> None:
    for read in (Roster(CLUSTER).source, Roster(CLUSTER).destination):
        with pytest.raises(UsageError) as caught:
            read(text)
        assert sentence in str(caught.value)


@pytest.mark.parametrize("text", ["svc/redis", "10.96.0.5", "10.96.9.9"])
def test_cluster_ip_opens_no_connection(text: str) -> None:
    with pytest.raises(UsageError, match="opens no connections"):
        Roster(CLUSTER, SERVICE_CIDRS).source(text)


def test_nothing_to_be_near_to() -> None:
    empty = b.cluster()
    for text, sentence in [
        ("db", "there are no pods"),
        ("node/a", "the manifests have no Node objects"),
        ("svc/a", "there are no Services"),
    ]:
        with pytest.raises(UsageError, match=sentence):
            Roster(empty).destination(text)


def test_node_without_address() -> None:
    bare = b.cluster(b.Node("bare", (), (), None))
    with pytest.raises(UsageError, match="node bare has no address"):
        Roster(bare).source("node/bare")


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("10.20.1.12", "10.20.1.12 lies in 10.20.1.0/24, the pod CIDR of node-1, but no pod has it (nearest: 10.20."),
        ("10.96.0.7", "10.96.0.7 lies in a service CIDR, but no Service has it (nearest: 10.96.0.6 of red/web, 10.96"),
    ],
)
def test_address_that_somebody_should_have_is_taken_with_a_note(text: str, note: str) -> None:
    (said,) = Roster(CLUSTER, SERVICE_CIDRS).destination(text).notes
    assert said.startswith(note)


def test_outsider_needs_no_note() -> None:
    assert Roster(CLUSTER, SERVICE_CIDRS).destination("192.0.2.1").notes == ()
