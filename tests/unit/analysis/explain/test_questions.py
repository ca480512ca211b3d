"""PORT of the command line, and the connections that SRC, DST and PORT mean."""

import pytest

from ovsnp.analysis.naming.ports import WrittenPort, read_port
from ovsnp.analysis.naming.questions import Question, Written, read_question
from ovsnp.analysis.naming.roster import Roster
from ovsnp.analysis.wording.ports import traffic_name
from ovsnp.errors import UsageError
from ovsnp.model.address import family
from ovsnp.model.ports import Protocol
from tests.support import model_objects as b

WEB_PORTS = [
    ("http", Protocol.TCP, 8080),
    ("dns", Protocol.TCP, 53),
    ("dns", Protocol.UDP, 53),
    ("dns", Protocol.UDP, 5353),
]
CLUSTER = b.cluster(
    b.node("node-1", "192.168.50.1", "10.20.1.0/24", "fd00:20:1::/64"),
    b.pod("default/client", "10.20.1.9", "fd00:20:1::9", on="node-1"),
    b.pod("default/web", "10.20.1.10", "fd00:20:1::a", on="node-1", ports=WEB_PORTS),
    b.pod("default/four", "10.20.1.11", on="node-1", ports=[("only", Protocol.TCP, 1)]),
    b.pod("default/six", "fd00:20:1::b", on="node-1"),
    b.service("default/bare", "10.96.0.6", ports=[]),
    b.service("default/web", "10.96.0.5", ports=[b.port(80, "http", "http"), b.port(53, 53, "dns", Protocol.UDP)]),
)


def asked(source: str, destination: str, port: str | None = None, version: int | None = None) -> Question:
    return read_question(Roster(CLUSTER), Written(source, destination, port, version))


def traffic(question: Question) -> list[str]:
    return [f"IPv{family(each.source.address)} {traffic_name(each.traffic)}" for each in question.connections]


@pytest.mark.parametrize(
    ("text", "port"),
    [
        ("6379", WrittenPort(6379, None)),
        ("1/tcp", WrittenPort(1, Protocol.TCP)),
        ("53/udp", WrittenPort(53, Protocol.UDP)),
        ("65535/SCTP", WrittenPort(65535, Protocol.SCTP)),
        ("http", WrittenPort("http", None)),
        ("dns/udp", WrittenPort("dns", Protocol.UDP)),
    ],
)
def test_ports(text: str, port: WrittenPort) -> None:
    assert read_port(text) == port


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("0", "0: 0 is no port; write a number from 1 to 65535"),
        ("65536/udp", "65536/udp: 65536 is no port"),
        ("80/icmp", "80/icmp: icmp is no protocol of ports; write /tcp, /udp or /sctp"),
        ("tcp/80", "did you mean 80/tcp?"),
        ("80/", "80/: nothing is no protocol of ports"),
        ("/tcp", "'/tcp' is no port"),
        ("", "'' is no port"),
        ("-1", "'-1' is no port; write a number from 1 to 65535"),
        (
            "http/tcp/x",
            "http/tcp/x: tcp/x is no protocol of ports; write /tcp, /udp or /sctp behind a number from 1 to 65535",
        ),
    ],
)
def test_bad_ports_get_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_port(text)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("client", "web", "80"), ["IPv4 80/tcp", "IPv6 80/tcp"]),
        (("client", "web", "53/udp", 6), ["IPv6 53/udp"]),
        (("client", "web", "http", 4), ["IPv4 8080/tcp"]),
        (("client", "web", "dns", 4), ["IPv4 53/tcp", "IPv4 53/udp", "IPv4 5353/udp"]),
        (("client", "web", "dns/tcp", 4), ["IPv4 53/tcp"]),
        (("client", "web"), ["IPv4 icmp", "IPv6 icmp"]),
        (("client", "four", "80"), ["IPv4 80/tcp"]),
        (("client", "svc/web"), ["IPv4 80/tcp", "IPv4 53/udp"]),
        (("client", "svc/web", "http"), ["IPv4 80/tcp"]),
        (("client", "svc/web", "8080"), ["IPv4 8080/tcp"]),
        (("client", "10.96.0.5", "dns"), ["IPv4 53/udp"]),
    ],
)
def test_connections_that_are_meant(arguments: tuple[str, str], expected: list[str]) -> None:
    assert traffic(asked(*arguments)) == expected


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("client", "web", "htpp"), "default/web has no port of the name htpp; did you mean http?"),
        (("client", "web", "dns/sctp"), "default/web has no port dns of SCTP; did you mean dns/tcp or dns/udp?"),
        (("client", "four", "zzz"), "default/four has no port of the name zzz; there is only"),
        (("client", "six", "http"), "default/six has no port of the name http; there are no names of ports"),
        (("client", "svc/web", "htp"), "svc/default/web has no port of the name htp; did you mean http?"),
        (("client", "svc/web", "icmp"), "svc/default/web is a cluster IP, which has ports only; write one of them"),
        (("client", "node/node-1", "http"), "node/node-1 has no names of ports, so http is none there"),
        (("client", "192.0.2.1", "http"), "192.0.2.1 has no names of ports"),
        (("four", "six", "80"), "default/four has only IPv4 and default/six only IPv6: nothing connects the two"),
        (("client", "four", "80", 6), "default/four has no IPv6 address"),
        (("six", "web", "80", 4), "default/six has no IPv4 address"),
    ],
)
def test_bad_questions_get_a_sentence(arguments: tuple[str, str, str], sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        asked(*arguments)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "note"),
    [
        (("client", "web"), "no PORT: asked of what has no ports, such as ICMP, which only rules without ports admit"),
        (("client", "svc/web"), "no PORT: asked of every port of svc/default/web"),
        (("client", "web", "dns"), "dns is the name of several ports of default/web"),
        (("192.0.2.1", "node/node-1", "22"), "no pod takes part, so no policy applies"),
    ],
)
def test_what_is_taken_for_granted_is_said(arguments: tuple[str, str], note: str) -> None:
    assert asked(*arguments).notes == (note,)


@pytest.mark.parametrize("port", ["80", "icmp"])
def test_plain_question_has_no_notes(port: str) -> None:
    assert asked("client", "web", port).notes == ()


def test_icmp_is_what_has_no_ports() -> None:
    assert asked("client", "web", "icmp").connections == asked("client", "web").connections


def test_service_without_ports_needs_a_port() -> None:
    with pytest.raises(UsageError, match="svc/default/bare has no ports, so nothing passes to it; name a PORT"):
        asked("client", "svc/bare")
    assert traffic(asked("client", "svc/bare", "80")) == ["IPv4 80/tcp"]


def test_pairs_of_pods_that_share_no_family_are_left_out_with_a_note() -> None:
    question = asked("default/*", "default/*", "80")
    assert question.several
    assert question.notes == ("pairs of pods that share no address family are left out: 2",)
    assert asked("web", "four", "80").notes == ()
    assert asked("default/*", "six", "80").notes == ("pairs of pods that share no address family are left out: 1",)
    assert asked("default/*", "web", "80", 6).notes == ("pairs of pods that share no address family are left out: 1",)
