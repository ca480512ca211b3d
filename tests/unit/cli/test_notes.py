"""A cluster with unusable state: every command goes on without that state, and says so on stderr."""

from pathlib import Path

import pytest

from tests.support.applying import CLUSTER, Answer, ovsnp, policy

pytestmark = pytest.mark.usefixtures("workdir")

JOINING = """
apiVersion: v1
kind: Node
metadata: {name: joining}
status: {conditions: [{type: Ready, status: "False"}]}
"""
ORPHAN = """
apiVersion: v1
kind: Pod
metadata: {name: orphan, labels: {role: frontend}}
spec: {nodeName: gone}
status: {phase: Running, podIP: 10.20.7.9}
"""
STRAY = """
apiVersion: v1
kind: Pod
metadata: {name: stray, labels: {role: frontend}}
spec: {nodeName: node-1}
status: {phase: Running, podIP: 10.99.0.9}
"""
ENDING = """
apiVersion: v1
kind: Pod
metadata: {name: ending, labels: {role: frontend}, deletionTimestamp: "2026-03-01T00:00:00Z"}
spec: {nodeName: node-1}
status: {phase: Running, podIP: 10.20.1.11}
"""
SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: clash}
spec: {clusterIP: 10.20.1.11, ports: [{port: 80}]}
"""
SLICE = """
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: future, labels: {kubernetes.io/service-name: clash}}
addressType: Name
"""
NOTES = [
    "note: manifests/odd.yaml:2: Node joining: spec.podCIDRs: no block for pods; "
    "ovsnp leaves the node and its pods out until it has one",
    "note: manifests/odd.yaml:10: Pod default/orphan: spec.nodeName: there is no node 'gone'; ovsnp leaves the pod out",
    "note: manifests/odd.yaml:17: Pod default/stray: status.podIP: 10.99.0.9 is not in a pod CIDR (10.20.1.0/24) of "
    "node node-1; ovsnp leaves the address out",
    "note: manifests/odd.yaml:23: Pod default/ending: status.podIPs: 10.20.1.11 is the address of pod "
    "default/frontend too; ovsnp gives it to default/frontend, as this pod is terminating",
    "note: manifests/odd.yaml:28: Service default/clash: spec.clusterIP: 10.20.1.11 is the address of pod "
    "default/frontend too; ovsnp leaves the cluster IP out",
    "note: manifests/odd.yaml:33: EndpointSlice default/future: addressType: 'Name' is no address type that ovsnp "
    "knows; ovsnp leaves the slice out",
]

COMMANDS = [
    ("compile", "--node", "node-1"),
    ("compile", "--node", "node-1", "-o", "json"),
    ("explain", "frontend", "db", "80"),
    ("explain", "frontend", "db", "81", "--node", "node-1", "--expect", "allowed"),
    ("explain", "frontend", "db", "-o", "json"),
    ("matrix",),
    ("matrix", "--by", "pod", "-o", "csv"),
    ("lint",),
    ("lint", "-o", "sarif"),
    ("verify", "--node", "node-1"),
    ("verify", "--node", "node-1", "-o", "json"),
    ("check", "expected.yaml"),
    ("check", "unmet.yaml", "-o", "json"),
    ("diff", "--effect", "old.yaml", "new.yaml"),
    ("apply", "--node", "node-1"),
    ("diff", "--node", "node-1"),
    ("trace", "frontend", "db", "80"),
]


def run(*arguments: str) -> tuple[Answer, list[str]]:
    """The answer and the lines of stderr."""
    answer = ovsnp(*arguments, "-f", "manifests")
    return answer, answer.err.splitlines()


def write_odd() -> None:
    Path("manifests/odd.yaml").write_text("---".join((JOINING, ORPHAN, STRAY, ENDING, SERVICE, SLICE)))


@pytest.fixture
def odd(workdir: Path) -> None:
    assert workdir == Path.cwd()
    write_odd()


@pytest.fixture(autouse=True)
def files(workdir: Path) -> None:
    assert workdir == Path.cwd()
    Path("expected.yaml").write_text("[{from: frontend, to: db, port: 80, expect: allowed}]")
    Path("unmet.yaml").write_text("[{from: frontend, to: db, port: 80, expect: denied}]")
    Path("old.yaml").write_text(policy("more", 443))
    Path("new.yaml").write_text(policy("more", 8443))


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_goes_on_and_notes_each_once(command: tuple[str, ...]) -> None:
    without, said = run(*command)
    write_odd()
    answer, lines = run(*command)
    assert (answer.code, answer.out) == (without.code, without.out)
    assert [line for line in lines if line in NOTES] == NOTES
    assert [line for line in lines if line not in NOTES] == said


@pytest.mark.usefixtures("odd")
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_quiet_is_quiet(command: tuple[str, ...]) -> None:
    _, lines = run(*command, "--quiet")
    assert not any(line.startswith("note: ") for line in lines)


@pytest.mark.usefixtures("odd")
@pytest.mark.parametrize("command", [("compile",), ("explain", "frontend", "db", "80")], ids=" ".join)
def test_node_that_is_left_out_is_no_node_to_name(command: tuple[str, ...]) -> None:
    answer, lines = run(*command, "--node", "joining")
    assert (answer.code, answer.out) == (2, "")
    assert lines == [*NOTES, "ovsnp: node joining cannot be used as it is, and a note on its Node object says why"]


@pytest.mark.usefixtures("odd")
def test_pod_that_is_left_out_is_no_pod_to_name() -> None:
    answer, lines = run("explain", "orphan", "db", "80")
    assert answer.code == 2
    assert lines[:-1] == NOTES
    assert "there is no pod default/orphan with an address of its own" in lines[-1]


def test_no_node_that_can_be_used() -> None:
    Path("manifests/cluster.yaml").write_text(JOINING)
    answer, lines = run("compile")
    assert (answer.code, answer.out) == (2, "")
    assert lines[-1] == "ovsnp: no node can be used as it is, and a note on each Node object says why"
    assert run("lint")[0].code < 2


def test_only_node_that_can_be_used_is_the_node(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless this host is the unusable node: it must not get the flows of another node."""
    Path("manifests/cluster.yaml").write_text(CLUSTER.partition("---\n")[0])
    Path("manifests/joining.yaml").write_text(JOINING)
    assert "node node-1" in run("compile")[0].out
    monkeypatch.setattr("socket.gethostname", lambda: "joining")
    assert run("compile")[0].code == 2


def test_nodes_that_list_their_families_in_different_order() -> None:
    """Each node has both families, so each is used, and all tunnels have one family."""
    families = {4: "{type: InternalIP, address: 192.168.50.NODE}", 6: '{type: InternalIP, address: "fd00:50::NODE"}'}
    text = CLUSTER
    for node, order in (("1", (4, 6)), ("2", (6, 4))):
        listed = ", ".join(families[version] for version in order).replace("NODE", node)
        text = text.replace(f'{{type: InternalIP, address: "192.168.50.{node}"}}', listed)
    Path("manifests/cluster.yaml").write_text(text)
    answer, lines = run("compile", "--node", "node-1")
    assert (answer.code, lines) == (0, [])
    assert "set_field:192.168.50.2->tun_dst" in answer.out
    assert run("explain", "remote", "db", "80", "--expect", "allowed")[0].code == 0


WITHOUT_NODES = "---".join(part for part in CLUSTER.split("---") if "kind: Pod" in part)


def test_without_node_objects_the_named_node_is_obeyed() -> None:
    Path("manifests/cluster.yaml").write_text(WITHOUT_NODES)
    texts = {name: run("compile", "--node", name)[0].out for name in ("node-1", "node-2", "node-3")}
    held = {name: {ip for ip in ("10.20.1.10", "10.20.1.11", "10.20.2.11") if f"arp_spa={ip}," in text}
            for name, text in texts.items()}  # fmt: skip
    assert held == {"node-1": {"10.20.1.10", "10.20.1.11"}, "node-2": {"10.20.2.11"}, "node-3": set()}
    for name in ("node-1", "node-2"):
        assert run("verify", "--node", name)[0].code == 0


def test_without_node_objects_several_nodes_need_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("manifests/cluster.yaml").write_text(WITHOUT_NODES)
    monkeypatch.setattr("socket.gethostname", lambda: "elsewhere")
    answer, lines = run("compile")
    assert (answer.code, lines) == (2, ["ovsnp: which node is this? Name one with --node: node-1, node-2"])
    monkeypatch.setattr("socket.gethostname", lambda: "node-2")
    assert "node node-2" in run("compile")[0].out
