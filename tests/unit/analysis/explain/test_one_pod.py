"""The answer about one pod."""

from msgspec.structs import replace

from ovsnp.analysis.explain.one_pod.one_pod import SHOWN, OnePod, one_pod
from ovsnp.analysis.explain.one_pod.one_pod_text import one_pod_lines
from ovsnp.analysis.wording.places import Places
from ovsnp.model.cluster import Cluster, Workload
from ovsnp.model.policy import Direction, Rule
from ovsnp.model.ports import PortEntry, Protocol
from tests.support import model_objects as b

NODE = b.node("node-0", "172.16.0.1", "10.20.0.0/24")
SERVER = b.pod("default/server", "10.20.0.10", ports=[("http", Protocol.TCP, 8080)], app="server")
WEB = [b.pod(f"default/web-{number}", f"10.20.0.2{number}", app="web", tier="front") for number in range(3)]
OTHER = b.pod("default/other", "10.20.0.30", app="other")
FROM_WEB = (b.pods(b.labelled(app="web")),)
HTTP = PortEntry(port="http")


def asked(cluster: Cluster, name: str) -> OnePod:
    (pod,) = (pod for pod in cluster.pods if pod.name == name)
    return one_pod(cluster, pod)


def told(cluster: Cluster, name: str) -> list[str]:
    return [line.plain for line in one_pod_lines(asked(cluster, name), Places())]


def guarded(*rules: Rule) -> Cluster:
    return b.cluster(NODE, SERVER, *WEB, OTHER, b.policy("default/p", b.labelled(app="server"), ingress=rules))


def test_a_usual_pod() -> None:
    assert told(guarded(Rule(FROM_WEB, (HTTP,))), "server") == [
        "default/server",
        "  on node-0, 10.20.0.10",
        "  labels: app=server",
        "  named ports: 8080/tcp (http)",
        "",
        "ingress:",
        "  isolated by default/p  test.yaml",
        "    default/p ingress[0]  test.yaml",
        "      from pods app=web in namespace default, at http/tcp",
        "      these are default/web",
        "  reached by:",
        "    all ports        node/node-0",
        "    8080/tcp (http)  default/web",
        "    no port          default/other, outside/0.0.0.0/0",
        "  nearly reached by:",
        "    default/other, by default/p ingress[0]  test.yaml",
        "      to match: change label app of pod default/other from other to web",
        "",
        "egress: no policy isolates the pod",
        "  reaches:",
        "    all ports  default/*, node/node-0, outside/0.0.0.0/0",
    ]


def test_workload_that_the_pod_is_of() -> None:
    owned = replace(SERVER, workload=Workload("Deployment", "default", "shop"))
    assert "  workload: deployment/default/shop" in told(b.cluster(NODE, owned), "server")


def test_a_pod_is_a_party_of_its_own_beside_the_others_of_its_workload() -> None:
    answer = asked(guarded(), "web-1")
    names = {party.name: [pod.name for pod in party.pods] for party in answer.parties}
    assert names["default/web"] == ["web-0", "web-2"]
    assert {each.party.name for each in answer.egress.met} >= {"default/web", "default/other"}


def test_rule_that_names_the_pod_but_no_port_of_the_destination_is_near() -> None:
    (near,) = asked(guarded(Rule(FROM_WEB, (PortEntry(port="dns"),))), "server").ingress.near
    assert (near.party.name, near.side, near.miss.peer, near.miss.port) == ("default/web", Direction.INGRESS, None, 0)


def test_sides_that_allow_different_ports_are_near() -> None:
    out = b.policy(
        "default/out", b.labelled(app="web"), types=[Direction.EGRESS], egress=[Rule((), (PortEntry(port=80),))]
    )
    cluster = guarded(Rule(FROM_WEB, (HTTP,)))
    state = replace(cluster, policies=(out, *cluster.policies))
    text = told(state, "web-0")
    at = text.index("    default/server, by default/p ingress[0]  test.yaml")
    assert text[at + 1 : at + 3] == [
        "      to match: use port 8080/tcp",
        "      this side then allows it; egress of the source does not",
    ]
    assert "default/web" in {near.party.name for near in asked(state, "server").ingress.near}


def test_two_labels_are_not_near() -> None:
    two = Rule((b.pods(b.labelled(app="web", tier="front")),), (HTTP,))
    answer = asked(guarded(two), "server")
    assert not answer.ingress.near
    assert answer.ingress.left_out == 0


def test_only_some_near_misses_are_shown() -> None:
    others = [b.pod(f"default/{name}", f"10.20.0.4{number}", app=name) for number, name in enumerate("abcdefgh")]
    cluster = b.cluster(NODE, SERVER, *others, *guarded(Rule(FROM_WEB, (HTTP,))).policies)
    side = asked(cluster, "server").ingress
    assert (len(side.near), side.left_out) == (SHOWN, len(others) - SHOWN)
    assert "    3 more not shown" in told(cluster, "server")


def test_families_in_which_other_ports_are_allowed_are_told_apart() -> None:
    dual = b.pod("default/dual", "10.20.0.50", "fd00::50", app="server")
    client = b.pod("default/client", "10.20.0.51", "fd00::51")
    only = b.policy(
        "default/p", b.labelled(app="server"), ingress=[Rule((b.block("fd00::/8"),), (PortEntry(port=80),))]
    )
    cluster = b.cluster(NODE, dual, client, only)
    assert "    IPv4: no port; IPv6: 80/tcp  default/client" in told(cluster, "dual")
    ((_, ports),) = one_pod(cluster, dual, version=6).ingress.met[0].ports.items()
    assert [*ports] == [Protocol.TCP]
