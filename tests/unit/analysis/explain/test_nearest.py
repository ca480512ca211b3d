"""The nearest rules, and what the connection lacks for them."""

from collections.abc import Sequence

import pytest

from ovsnp.analysis.explain.explanation_text import lines
from ovsnp.analysis.explain.needs import need_words
from ovsnp.analysis.explain.reasons import Nobody, Outcome, explain_connection
from ovsnp.analysis.naming.ends import ClusterIPEnd
from ovsnp.analysis.naming.questions import Connection, Written, read_question
from ovsnp.analysis.naming.roster import Roster
from ovsnp.analysis.wording.places import Places
from ovsnp.model.address import parse_address
from ovsnp.model.cluster import Cluster
from ovsnp.model.policy import Direction, Peer, PodPeer, Rule
from ovsnp.model.ports import PortEntry, Protocol
from ovsnp.model.selector import Operator, Requirement, Selector
from ovsnp.model.service import ServicePort
from ovsnp.oracle import who
from ovsnp.oracle.terms import Terms
from tests.support import model_objects as b

SERVER = b.pod("default/server", "10.20.0.10", "fd00::a", ports=[("http", Protocol.TCP, 8080)], app="server")
CLIENT = b.pod("red/client", "10.20.0.11", "fd00::b", role="client", tier="")
NAMESPACES = (b.namespace("default"), b.namespace("red", env="dev"), b.namespace("blue", env="prod"))
NODE = b.node("node-0", "172.16.0.1", "10.20.0.0/24")
PORT_80 = PortEntry(port=80)


def guarded(*rules: Rule) -> Cluster:
    """A cluster in which a policy with these ingress rules isolates the server."""
    return b.cluster(*NAMESPACES, NODE, SERVER, CLIENT, b.policy("default/p", ingress=rules))


def peer(*requirements: tuple[object, ...], namespaces: Selector | None = b.EVERYTHING) -> PodPeer:
    return PodPeer(Selector(tuple(Requirement(*each) for each in requirements)), namespaces)  # type: ignore[arg-type]


def nearest(state: Cluster, source: str = "10.20.0.11", port: int = 80) -> list[tuple[int, list[str], bool | None]]:
    """For each near rule: its index, the needs in words, and whether the connection is then allowed."""
    ends = who(state, parse_address(source)), who(state, parse_address("10.20.0.10"))
    (way,) = explain_connection(state, Connection(*ends, b.tcp(port))).ways
    return [(miss.rule, [*map(need_words, miss.needs)], miss.then) for miss in way.ingress.nearest]


def lacking(item: Peer, source: str = "10.20.0.11") -> list[str]:
    """What the source lacks to match this peer, the only one."""
    ((_, words, _),) = nearest(guarded(Rule((item,))), source)
    return words


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (peer(("app", Operator.IN, ("web",))), ["add label app=web to pod red/client"]),
        (
            peer(("role", Operator.IN, ("db", "web"))),
            ["change label role of pod red/client from client to db"],
        ),
        (peer(("app", Operator.EXISTS)), ["add label app, of any value, to pod red/client"]),
        (peer(("role", Operator.DOES_NOT_EXIST)), ["remove label role from pod red/client (it is client)"]),
        (peer(("role", Operator.NOT_IN, ("client",))), ["remove label role from pod red/client (it is client)"]),
        (
            peer(("role", Operator.EXISTS), ("role", Operator.NOT_IN, ("any", "client"))),
            ["change label role of pod red/client from client to any-other"],
        ),
        (
            peer(("role", Operator.IN, ("a", "b")), ("role", Operator.NOT_IN, ("a",))),
            ["change label role of pod red/client from client to b"],
        ),
        (
            peer(("role", Operator.IN, ("a",)), ("role", Operator.NOT_IN, ("a",))),
            ["red/client: no label role can meet role=a,role notin (a)"],
        ),
        (peer(namespaces=b.labelled(env="prod")), ["change label env of namespace red from dev to prod"]),
        (peer(namespaces=None), ["run pod red/client in namespace default, or name its namespace in the rule"]),
        (
            peer(namespaces=b.expressed("kubernetes.io/metadata.name", Operator.IN, "blue")),
            ["run pod red/client in namespace blue, or in another that is meant"],
        ),
        (
            peer(namespaces=b.expressed("kubernetes.io/metadata.name", Operator.IN, "green")),
            ["red/client is in namespace red, and no namespace is there with kubernetes.io/metadata.name=green"],
        ),
        (b.block("192.0.2.0/24"), ["10.20.0.11 is outside 192.0.2.0/24"]),
        (
            b.block("10.0.0.0/8", "10.1.0.0/16", "10.20.0.0/24"),
            ["10.20.0.11 is in 10.20.0.0/24, which 10.0.0.0/8 excepts"],
        ),
    ],
)
def test_what_a_pod_lacks(item: Peer, words: list[str]) -> None:
    assert lacking(item) == words


def test_who_is_no_pod_has_no_labels() -> None:
    assert lacking(peer(), "192.0.2.1") == ["192.0.2.1 is no pod, and selectors name pods only"]


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (PortEntry(port=81), "use port 81/tcp"),
        (PortEntry(port=81, end_port=90), "use port 81-90/tcp"),
        (PortEntry(Protocol.UDP), "use UDP, any port"),
        (PortEntry(Protocol.UDP, 80), "use port 80/udp"),
        (PortEntry(port="http"), "use port 8080/tcp"),
        (PortEntry(port="web"), "call the container's port 80/tcp of pod default/server web"),
        (PortEntry(Protocol.UDP, "http"), "default/server calls no UDP port http"),
    ],
)
def test_what_a_port_lacks(entry: PortEntry, words: str) -> None:
    ((_, found, then),) = nearest(guarded(Rule((), (entry,))))
    assert found == [words]
    assert then is (None if "calls no" in words else True)


def rules(found: Sequence[tuple[int, list[str], bool | None]]) -> list[int]:
    return [rule for rule, _, _ in found]


def test_what_can_be_done_is_nearer_than_what_cannot_and_a_label_than_a_namespace() -> None:
    state = guarded(
        Rule((b.block("192.0.2.0/24"),)),
        Rule((peer(namespaces=None),)),
        Rule((peer(("app", Operator.EXISTS)),)),
        Rule((peer(namespaces=b.labelled(env="prod")),)),
    )
    assert rules(nearest(state)) == [2, 3, 1]


def test_rules_that_match_neither_are_left_out_where_others_match_one() -> None:
    neither = Rule((peer(("app", Operator.EXISTS)),), (PortEntry(port=81),))
    far = Rule((b.block("192.0.2.0/24"),), (PORT_80,))
    assert rules(nearest(guarded(neither, far))) == [1]
    assert rules(nearest(guarded(neither))) == [0]


def test_the_nearest_item_of_each_clause_is_told() -> None:
    rule = Rule((b.block("fd00::/8"), b.block("192.0.2.0/24"), b.block("10.0.0.0/8", "10.20.0.0/16")))
    ((_, words, _),) = nearest(guarded(rule))
    assert words == ["10.20.0.11 is in 10.20.0.0/16, which 10.0.0.0/8 excepts"]
    ((_, words, _),) = nearest(guarded(Rule((b.block("fd00::/8"), b.block("192.0.2.0/24")))))
    assert words == ["10.20.0.11 is outside 192.0.2.0/24"]


def test_a_side_that_would_not_be_all() -> None:
    state = b.cluster(
        *NAMESPACES,
        SERVER,
        CLIENT,
        b.policy("default/p", ingress=[Rule((), (PortEntry(port=81),))]),
        b.policy("red/q", types=[Direction.EGRESS]),
    )
    assert nearest(state) == [(0, ["use port 81/tcp"], False)]


def test_advice_that_brings_another_policy_upon_the_pod_is_not_given() -> None:
    """A pod connects to itself through a Service: the label that the rule needs makes another policy select the pod."""
    pod = b.pod("default/self", "10.20.0.10", app="x")
    state = b.cluster(
        NODE,
        pod,
        b.policy("default/p", b.labelled(app="x"), ingress=[Rule((peer(("role", Operator.IN, ("a",))),))]),
        b.policy("default/q", b.expressed("role", Operator.EXISTS), types=[Direction.INGRESS]),
        b.policy("default/r", b.labelled(app="x"), ingress=[Rule((), (PortEntry(port=81),))]),
        b.service("default/s", "10.96.0.1", ports=[b.port(80, 80)], app="x"),
    )
    # With the label, p's rule still admits the connection, so p and r are near. Where p does not select a pod with the
    # label, only r is near.
    (connection,) = read_question(Roster(state), Written("self", "svc/s", "80")).connections
    assert [miss.policy.name for miss in explain_connection(state, connection).ways[0].ingress.nearest] == ["p", "r"]
    moved = b.policy(
        "default/p", b.expressed("role", Operator.DOES_NOT_EXIST), ingress=[Rule((peer(("role", Operator.EXISTS)),))]
    )
    state = b.cluster(NODE, pod, moved, *state.policies[1:], *state.services)
    assert [miss.policy.name for miss in explain_connection(state, connection).ways[0].ingress.nearest] == ["r"]


def test_strict_nodes_counts_for_a_backend_on_a_node() -> None:
    state = b.cluster(
        b.node("node-0", "172.16.0.1", "10.20.0.0/24"),
        b.node("node-1", "172.16.0.2", "10.20.1.0/24"),
        b.pod("default/client", "10.20.0.10"),
        b.policy("default/deny", types=[Direction.EGRESS]),
        b.service("default/s", "10.96.0.1", ports=[b.port(80, 80)]),
        b.endpoints("default/s", 80, b.endpoint("172.16.0.2", "node-1")),
    )
    (connection,) = read_question(Roster(state), Written("client", "svc/s", "80")).connections
    assert explain_connection(state, connection).outcome is Outcome.ALLOWED
    assert explain_connection(state, connection, Terms(strict_nodes=True)).outcome is Outcome.DENIED


IN_THE_RULE = "name port 8080/tcp in the rule: behind svc/default/s policies see the port of the pods"
WEB = b.pod("default/web", "10.20.0.20", ports=[("http", Protocol.TCP, 8080)], app="web")


@pytest.mark.parametrize(
    ("ports", "entry", "words"),
    [
        ([b.port(80, 8080)], PORT_80, IN_THE_RULE),
        ([b.port(80, "http")], PORT_80, IN_THE_RULE),
        (
            [b.port(80, 8080, "a"), b.port(6380, 6379, "b")],
            PortEntry(port=6000, end_port=7000),
            "use port 6380/tcp of svc/default/s, which leads to 6379/tcp",
        ),
        (
            [b.port(80, 8080, "a"), b.port(53, 53, "b", Protocol.UDP)],
            PortEntry(port=53),
            IN_THE_RULE,
        ),
    ],
)
def test_behind_a_service_the_port_of_the_pods_is_named(ports: list[ServicePort], entry: PortEntry, words: str) -> None:
    state = b.cluster(
        NODE,
        WEB,
        b.pod("default/client", "10.20.0.21"),
        b.policy("default/p", b.labelled(app="web"), ingress=[Rule((), (entry,))]),
        b.service("default/s", "10.96.0.1", ports=ports, app="web"),
    )
    question = read_question(Roster(state), Written("client", "svc/s", "80"))
    (miss,) = explain_connection(state, question.connections[0]).ways[0].ingress.nearest
    assert ([*map(need_words, miss.needs)], miss.then) == ([words], True)


def test_who_answers_at_a_cluster_ip() -> None:
    state = b.cluster(NODE, CLIENT, b.service("default/s", "10.96.0.1", ports=[b.port(80, 80)], app="nobody"))
    source = who(state, parse_address("10.20.0.11"))
    for address, port, why in [
        ("10.96.0.1", 80, Nobody.NO_ENDPOINT),
        ("10.96.0.1", 81, Nobody.NO_PORT),
        ("10.96.0.2", 80, Nobody.NO_SERVICE),
    ]:
        answer = explain_connection(state, Connection(source, ClusterIPEnd(parse_address(address), None), b.tcp(port)))
        assert (answer.outcome, answer.nobody, answer.ways) == (Outcome.DENIED, why, ())


def told(state: Cluster, *written: str) -> list[str]:
    question = read_question(Roster(state), Written(*written))
    return [
        str(line)
        for line in lines(question, [explain_connection(state, each) for each in question.connections], Places())
    ]


def test_families_and_backends_of_which_the_same_is_to_say_are_told_together() -> None:
    replica = b.pod("default/replica", "10.20.0.12", app="server")
    state = b.cluster(
        *NAMESPACES, SERVER, CLIENT, replica, b.service("default/s", "10.96.0.1", ports=[b.port(80, 80)], app="server")
    )
    text = told(state, "red/client", "server", "80")
    assert text[:3] == [
        "ALLOWED  red/client to default/server, 80/tcp",
        "  10.20.0.11 to 10.20.0.10",
        "  fd00::b to fd00::a",
    ]
    assert sum(line.startswith("ALLOWED") for line in text) == 1
    text = told(state, "red/client", "svc/s", "80")
    assert "  backends default/server at 80/tcp, default/replica at 80/tcp: allowed" in text
