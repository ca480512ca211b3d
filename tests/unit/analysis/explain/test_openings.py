"""The ports that one end may open to another."""

from ovsnp.analysis.explain.openings.openings import Opening, openings
from ovsnp.analysis.explain.openings.openings_text import opening_lines
from ovsnp.analysis.naming.questions import Written, read_pairs
from ovsnp.analysis.naming.roster import Roster
from ovsnp.analysis.wording.places import Places
from ovsnp.model.address import parse_prefix
from ovsnp.model.cluster import Cluster
from ovsnp.model.policy import Direction, Rule
from ovsnp.model.ports import PortEntry, Protocol
from ovsnp.oracle import Exemption
from tests.support import model_objects as b

NODE = b.node("node-0", "172.16.0.1", "10.20.0.0/24")
SERVER = b.pod("default/server", "10.20.0.10", "fd00::a", ports=[("http", Protocol.TCP, 8080)], app="server")
CLIENT = b.pod("default/client", "10.20.0.11", "fd00::b", app="client")
HTTP, TLS, RANGE = PortEntry(port="http"), PortEntry(port=443), PortEntry(Protocol.UDP, 1000, 2000)
FROM_CLIENT = (b.pods(b.labelled(app="client")),)
SIDES = "egress of the source: ", "ingress of the destination: "


def asked(cluster: Cluster, source: str, destination: str, *, strict_nodes: bool = False) -> list[Opening]:
    pairs = read_pairs(Roster(cluster), Written(source, destination))
    return [*openings(cluster, pairs.pairs, strict_nodes=strict_nodes)]


def told(cluster: Cluster, source: str, destination: str) -> list[str]:
    pairs = read_pairs(Roster(cluster, [parse_prefix("10.96.0.0/16")]), Written(source, destination))
    return [line.plain for line in opening_lines(pairs, [*openings(cluster, pairs.pairs)], Places())]


def guarded(*rules: Rule) -> Cluster:
    return b.cluster(NODE, SERVER, CLIENT, b.policy("default/p", b.labelled(app="server"), ingress=rules))


def test_ports_of_rules_and_names_of_ports_and_the_others() -> None:
    text = told(guarded(Rule(FROM_CLIENT, (HTTP, TLS)), Rule((), (RANGE,))), "client", "server")
    assert text[:5] == [
        "ALLOWED  default/client to default/server, 443/tcp, 8080/tcp (http), 1000-2000/udp",
        "DENIED   default/client to default/server, all other ports",
        "  10.20.0.11 to 10.20.0.10",
        "  fd00::b to fd00::a",
        "  egress of the source: all ports allowed",
    ]
    assert [line for line in text if "admitted by" in line] == [
        "    admitted by default/p ingress[0]  test.yaml",
        "    admitted by default/p ingress[1]  test.yaml",
    ]
    assert not any("icmp" in line.lower() for line in text)


def test_few_ports_that_are_denied_are_told_by_their_numbers() -> None:
    all_but_ssh = (PortEntry(port=1, end_port=21), PortEntry(port=23, end_port=65535))
    rest = PortEntry(Protocol.UDP), PortEntry(Protocol.SCTP)
    text = told(guarded(Rule((), (*all_but_ssh, *rest))), "client", "server")
    assert text[:2] == [
        "ALLOWED  default/client to default/server, 1-21/tcp, 23-65535/tcp, all udp, all sctp",
        "DENIED   default/client to default/server, 22/tcp",
    ]
    text = told(guarded(Rule((), (PortEntry(),))), "client", "server")
    assert [line.partition(", ")[2] for line in text[:2]] == ["all tcp", "all udp, all sctp"]


def test_what_is_allowed_is_what_both_sides_allow() -> None:
    state = b.cluster(
        NODE,
        SERVER,
        CLIENT,
        b.policy("default/in", b.labelled(app="server"), ingress=[Rule((), (TLS, HTTP))]),
        b.policy("default/out", b.labelled(app="client"), types=[Direction.EGRESS], egress=[Rule((), (TLS, RANGE))]),
    )
    text = told(state, "client", "server")
    assert text[0] == "ALLOWED  default/client to default/server, 443/tcp"
    assert [line.strip() for line in text if line.strip().startswith(SIDES)] == [
        "egress of the source: 443/tcp, 1000-2000/udp allowed; all other ports denied",
        "ingress of the destination: 443/tcp, 8080/tcp (http) allowed; all other ports denied",
    ]


def test_side_that_denies_all_ports_names_the_rules_that_lack_least() -> None:
    text = told(
        guarded(Rule((b.pods(b.labelled(app="web")),), (TLS,)), Rule((), (PortEntry(port="dns"),))), "client", "server"
    )
    assert text[0] == "DENIED   default/client to default/server, all ports"
    assert text[-4:] == [
        "        to match: change label app of pod default/client from client to web",
        "      default/p ingress[1] matches all but the port  test.yaml",
        "        port dns/tcp  test.yaml",
        "        but default/server calls no TCP port dns",
    ]


def test_where_policies_have_no_say_all_ports_are_allowed() -> None:
    state = guarded()
    (itself, _) = asked(state, "server", "server")
    (node,) = asked(state, "node/node-0", "server")
    assert (itself.exempt, node.exempt) == (Exemption.SELF, Exemption.NODE)
    for each in (itself, node):
        assert each.ranges.allowed
        assert not each.ranges.denied
    text = told(state, "server", "server")
    assert "    a pod always reaches itself, whatever policies say" in text
    other = b.cluster(*state.pods, *state.policies, b.node("node-9", "172.16.0.9", "10.20.9.0/24"))
    assert not asked(other, "node/node-9", "server", strict_nodes=True)[0].ranges.allowed


def test_what_is_delivered_to_nobody_is_denied() -> None:
    assert told(guarded(), "client", "224.0.0.1")[:3] == [
        "DENIED   default/client to 224.0.0.1, all ports",
        "  10.20.0.11 to 224.0.0.1",
        "  multicast and broadcast are delivered to nobody",
    ]
    assert told(guarded(), "client", "10.96.0.7") == [
        "DENIED   default/client to 10.96.0.7, all ports",
        "  10.20.0.11 to 10.96.0.7",
        "  no Service has this cluster IP: what goes there is dropped",
    ]


def test_families_of_which_something_else_is_to_say_are_told_apart() -> None:
    text = told(guarded(Rule((b.block("fd00::/8"),), (TLS,))), "client", "server")
    assert [line for line in text if line[:1].isupper()] == [
        "DENIED   default/client to default/server, all ports",
        "ALLOWED  default/client to default/server, 443/tcp",
        "DENIED   default/client to default/server, all other ports",
    ]
