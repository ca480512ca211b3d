"""``--cluster``: a live cluster in place of manifests."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from click.shell_completion import ShellComplete

from ovsnp.cli import ovsnp as command_line
from ovsnp.kubernetes.resources import NETWORK_POLICIES, WORKLOADS
from tests.support.applying import CLUSTER, POLICY, ovsnp
from tests.support.scripted_api import ScriptedApi, kubeconfig, scripted_api
from tests.support.scripted_faults import failing

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart}
spec:
  selector: {matchLabels: {app: cart}}
  template: {metadata: {labels: {app: cart}}, spec: {containers: [{name: main}]}}
"""
SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: db}
spec: {clusterIP: 10.96.0.9, clusterIPs: [10.96.0.9], selector: {role: db}, ports: [{port: 80}]}
"""


def policy(port: int, name: str = "to-db") -> str:
    return POLICY.replace("NAME", name).replace("PORT", str(port))


def documents(text: str) -> list[dict[str, object]]:
    return [each for each in yaml.safe_load_all(text) if each]


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedApi]:
    """A cluster that the kubeconfig of the home names."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OVS_RUNDIR", str(tmp_path / "no-ovs"))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    with scripted_api() as server:
        server.put_all(documents("---".join((CLUSTER, policy(80), DEPLOYMENT, SERVICE))))
        (tmp_path / ".kube").mkdir()
        (tmp_path / ".kube" / "config").write_text(server.kubeconfig())
        yield server


@pytest.fixture
def manifests(live: ScriptedApi, tmp_path: Path) -> Path:
    """The same objects in a file."""
    file = tmp_path / "all.yaml"
    file.write_text("---".join((CLUSTER, policy(80), DEPLOYMENT, SERVICE)))
    return file


@pytest.mark.parametrize(
    "command",
    [
        ("matrix",),
        ("matrix", "-o", "csv"),
        ("compile", "--node", "node-1"),
        ("verify", "--node", "node-1"),
    ],
)
def test_answers_are_those_about_the_same_manifests(manifests: Path, command: tuple[str, ...]) -> None:
    live, filed = ovsnp(*command, "--cluster"), ovsnp(*command, "-f", manifests)
    assert live == filed
    assert live.code == 0
    assert live.out


def test_places_are_the_cluster_without_a_line(live: ScriptedApi) -> None:
    answer = ovsnp("explain", "frontend", "db", "80", "--cluster")
    assert (answer.code, answer.err) == (0, "")
    assert "    isolated by default/to-db  cluster kind\n" in answer.out


def test_expectations_are_held_against_the_cluster(live: ScriptedApi) -> None:
    Path("expected.yaml").write_text("[{from: frontend, to: db, port: 80, expect: denied}]")
    answer = ovsnp("check", "expected.yaml", "--cluster")
    assert answer.code == 1
    assert "default/to-db" in answer.out


def test_workloads_are_read_for_answers_about_policies_alone(live: ScriptedApi) -> None:
    assert "\ndefault/cart " in ovsnp("matrix", "--cluster").out
    assert any(asked.path == WORKLOADS[0].path for asked in live.asked)
    live.asked.clear()
    assert ovsnp("compile", "--cluster", "--node", "node-1").code == 0
    assert not any(asked.path == each.path for asked in live.asked for each in WORKLOADS)


def test_messages_name_the_cluster_and_no_line(live: ScriptedApi) -> None:
    live.put(NETWORK_POLICIES.path, "default", "odd", spec={"podSelector": {}, "policyTypes": ["Sideways"]})
    answer = ovsnp("matrix", "--cluster")
    assert (answer.code, answer.out) == (3, "")
    assert answer.err.startswith("cluster kind: NetworkPolicy default/odd: spec.policyTypes[0]: ")


def test_workloads_that_are_forbidden_are_a_note_and_other_kinds_an_error(live: ScriptedApi) -> None:
    live.next[WORKLOADS[0].path].append(failing(403, "Forbidden"))
    answer = ovsnp("matrix", "--cluster")
    assert answer.code == 0
    assert answer.err.startswith("note: cluster kind: list Deployment: forbidden; give to the user a ClusterRole with")
    live.next[NETWORK_POLICIES.path].append(failing(403, "Forbidden"))
    answer = ovsnp("matrix", "--cluster")
    assert (answer.code, answer.out) == (4, "")
    assert "cluster kind: list NetworkPolicy: forbidden" in answer.err


ADMIN = "/apis/policy.networking.k8s.io/v1alpha1/adminnetworkpolicies"


def with_admin_policies(live: ScriptedApi) -> None:
    """The cluster has a policy of a kind that ovsnp does not understand."""
    resource = {"resource": "adminnetworkpolicies", "responseKind": {"kind": "AdminNetworkPolicy"}, "verbs": ["list"]}
    own = {"resource": "networkpolicies", "responseKind": {"kind": "NetworkPolicy"}, "verbs": ["list"]}
    live.groups["items"] = [
        {"metadata": {"name": group}, "versions": [{"version": version, "resources": [each]}]}
        for group, version, each in (
            ("policy.networking.k8s.io", "v1alpha1", resource),
            ("networking.k8s.io", "v1", own),
        )
    ]
    item = {"kind": "AdminNetworkPolicy", "apiVersion": "policy.networking.k8s.io/v1alpha1", "metadata": {"name": "a"}}
    body = {"kind": "AdminNetworkPolicyList", "apiVersion": item["apiVersion"], "metadata": {}, "items": [item]}
    live.next[ADMIN].append(lambda answer: answer.whole(200, body))


def test_policies_that_are_not_understood_are_an_error(live: ScriptedApi) -> None:
    with_admin_policies(live)
    answer = ovsnp("matrix", "--cluster")
    assert (answer.code, answer.out) == (3, "")
    assert answer.err == (
        "cluster kind: AdminNetworkPolicy default/a: kind: 'AdminNetworkPolicy' of"
        " 'policy.networking.k8s.io/v1alpha1' is a policy that is not understood; leave it out, or pass over it with"
        " --ignore-kind\n"
    )
    live.asked.clear()
    assert ovsnp("matrix", "--cluster", "--ignore-kind", "AdminNetworkPolicy").code == 0
    assert ADMIN not in [asked.path for asked in live.asked]


def test_server_that_is_too_old_to_name_its_kinds_is_a_note(live: ScriptedApi) -> None:
    live.groups = {"kind": "APIGroupList", "groups": []}
    answer = ovsnp("matrix", "--cluster")
    assert answer.code == 0
    assert answer.err.startswith("note: cluster kind: the API server is too old to say which kinds of policies it has")


def test_server_that_is_not_there_is_4(live: ScriptedApi, tmp_path: Path) -> None:
    (tmp_path / "gone").write_text(kubeconfig("http://127.0.0.1:9", "gone"))
    answer = ovsnp("matrix", "--cluster", "--kubeconfig", tmp_path / "gone")
    assert (answer.code, answer.out) == (4, "")
    assert answer.err.startswith("ovsnp: cluster gone: http://127.0.0.1:9: the connection is refused")


def test_mistake_in_the_kubeconfig_is_3(live: ScriptedApi, tmp_path: Path) -> None:
    (tmp_path / "wrong").write_text("current-context: x\n")
    answer = ovsnp("matrix", "--cluster", "--kubeconfig", "wrong")
    assert (answer.code, answer.out) == (3, "")
    assert answer.err == "wrong:1: current-context: there is no context x; there is none\n"


def test_empty_cluster_is_3(live: ScriptedApi) -> None:
    for objects in live.objects.values():
        objects.clear()
    answer = ovsnp("matrix", "--cluster")
    assert (answer.code, answer.out) == (3, "")
    assert (
        answer.err
        == "cluster kind: holds no Node, Pod, workload, Service or NetworkPolicy; name another context with --context\n"
    )


def test_manifests_and_a_cluster_exclude_each_other(manifests: Path) -> None:
    answer = ovsnp("matrix", "--cluster", "-f", manifests)
    assert (answer.code, answer.out) == (2, "")
    assert "-f and --cluster exclude each other" in answer.err


def test_command_line_overrides_the_configuration(live: ScriptedApi, manifests: Path) -> None:
    Path("ovsnp.yaml").write_text("cluster: true\nkubeconfig: .kube/config\ncontext: kind\n")
    assert ovsnp("matrix").code == 0
    assert live.asked
    live.asked.clear()
    assert ovsnp("matrix", "-f", manifests).code == 0
    assert not live.asked
    Path("ovsnp.yaml").write_text("manifests: all.yaml\n")
    assert ovsnp("matrix", "--cluster").code == 0
    assert live.asked
    Path("ovsnp.yaml").write_text("manifests: all.yaml\ncluster: true\n")
    assert ovsnp("matrix").code == 2


def test_effect_of_manifests_on_the_cluster(live: ScriptedApi, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "policy.yaml").write_text(policy(81))
    answer = ovsnp("diff", "--effect", "--cluster", "new")
    assert (answer.code, answer.err) == (1, "")
    assert answer.out.splitlines() == [
        "+ default/role=frontend -> default/role=db  81/tcp   (default/to-db ingress[0])",
        "- default/role=frontend -> default/role=db  80/tcp   (no longer default/to-db ingress[0])",
    ]


def test_effect_of_what_the_cluster_has_is_nothing(live: ScriptedApi, tmp_path: Path) -> None:
    """The API server keeps a Service's cluster IP and a pod's address, which manifests lack."""
    written = documents("---".join((CLUSTER, policy(80), DEPLOYMENT, SERVICE)))
    for each in written:
        each.pop("status", None)
        if each["kind"] == "Service":
            each["spec"] = {"selector": {"role": "db"}, "ports": [{"port": 80}]}
    (tmp_path / "new.yaml").write_text(yaml.safe_dump_all(written))
    (tmp_path / "new.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": written}))
    for name in ("new.yaml", "new.json"):
        answer = ovsnp("diff", "--effect", "--cluster", name)
        assert (answer.code, answer.out, answer.err) == (0, "", "")


def test_effect_takes_one_side_with_a_cluster(live: ScriptedApi, manifests: Path) -> None:
    answer = ovsnp("diff", "--effect", "--cluster", manifests, manifests)
    assert (answer.code, answer.out) == (2, "")
    assert "--effect --cluster takes NEW" in answer.err
    Path("ovsnp.yaml").write_text("cluster: true\n")
    assert ovsnp("diff", "--effect", manifests, manifests).code == 0
    assert not live.asked


def test_names_of_the_cluster_and_of_contexts_are_offered(live: ScriptedApi) -> None:
    def offered(*words: str, incomplete: str = "") -> list[str]:
        completion = ShellComplete(command_line, {}, "ovsnp", "_OVSNP_COMPLETE")
        return [each.value for each in completion.get_completions([*words], incomplete)]

    assert offered("compile", "--cluster", "--node") == ["node-1", "node-2"]
    assert offered("matrix", "--cluster", "--context") == ["kind"]
    assert "deployment/default/cart" in offered("explain", "--cluster")
    Path(".kube/config").write_text("a: [")
    assert offered("matrix", "--cluster", "--context") == []
    assert offered("compile", "--cluster", "--node") == []


def test_without_a_cluster_no_command_loads_http_or_tls(manifests: Path) -> None:
    program = (
        "import sys; from ovsnp.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit as end: assert not end.code\n"
        "print(*({'ssl', 'urllib3'} & sys.modules.keys()), file=sys.stderr)"
    )
    command = [sys.executable, "-c", program, "compile", "-f", str(manifests), "--node", "node-1"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert (done.stdout[:8], done.stderr) == ("# Flows ", "\n")
