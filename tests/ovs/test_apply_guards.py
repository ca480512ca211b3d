"""The refusals of `ovsnp apply` and `diff` because of missing input, and interfaces that close only their pod."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.applying import CLUSTER, ApplyScene, policy
from tests.support.instance import DummySwitch

BRIDGE = "br-missing"
DOCUMENTS = dict(zip(("node-1", "node-2", "db", "frontend", "remote"), CLUSTER.split("---"), strict=True))
DEAD = "could not open network device"


@pytest.fixture
def bare(dummy_switch: DummySwitch, tmp_path: Path) -> Iterator[ApplyScene]:
    """A new bridge with the ports of both local pods; the manifests have no policy."""
    scene = ApplyScene(dummy_switch, BRIDGE, tmp_path)
    scene.add_pod("default/db", "db0")
    scene.add_pod("default/frontend", "fe0")
    yield scene
    scene.close()


@pytest.fixture
def scene(bare: ApplyScene) -> ApplyScene:
    """The same, with a policy that is applied."""
    bare.write("policy", policy("to-db", 80))
    bare.apply()
    return bare


def keep(scene: ApplyScene, *names: str) -> None:
    """Keep only these objects of the cluster in the manifests."""
    scene.write("cluster", "---".join(DOCUMENTS[name] for name in names))


def everything(scene: ApplyScene) -> object:
    """Everything that commands might have changed on the bridge, or made beside it."""
    return (
        scene.state(),
        scene.groups(),
        scene.ofctl("dump-tlv-map"),
        scene.ofctl("get-frags"),
        scene.vsctl("list", "Interface", "db0"),
        scene.vsctl("list-ports", scene.bridge),
    )


def refused(scene: ApplyScene, *more: object) -> list[str]:
    """Run apply and diff, which must refuse with exit code 3 and the same message, and change nothing."""
    before = everything(scene)
    answers = [scene.run(*command, *more) for command in (("apply",), ("diff",), ("diff", "--effect"))]
    assert [(answer.code, answer.out) for answer in answers] == [(3, "")] * 3, answers
    assert len({answer.err for answer in answers}) == 1
    assert everything(scene) == before
    lines = answers[0].err.splitlines()
    assert all(line.startswith(f"{BRIDGE}: ") and "--remove-missing" in line for line in lines)
    return lines


def served(scene: ApplyScene) -> set[str]:
    """The addresses that flows admit from ports of pods."""
    sources = (re.search(r"in_port=\d+.*dl_src=.*nw_src=([\d.]+)", flow.text) for flow in scene.flows())
    return {found[1] for found in sources if found}


def tunnels(scene: ApplyScene) -> set[str]:
    return {found for flow in scene.flows() for found in re.findall(r"tun_src=([\d.]+)", flow.text)}


def fate(scene: ApplyScene, port: str, source: str, destination: str) -> str:
    """The outcome of a packet from a pod's interface, by ofproto/trace."""
    mac = "0a:58:" + ":".join(f"{int(byte):02x}" for byte in source.split("."))
    flow = f"in_port={port},tcp,dl_src={mac},dl_dst=0a:58:00:00:00:01,nw_src={source},nw_dst={destination},nw_ttl=64"
    told = scene.switch.appctl(
        "ofproto/trace", scene.bridge, f"{flow},tcp_dst=80,tcp_flags=syn", "--ct-next", "trk,new"
    )
    return told.splitlines()[-1]


# Pods that the input lacks


def test_port_of_a_pod_that_the_input_lacks(scene: ApplyScene) -> None:
    keep(scene, "node-1", "node-2", "db", "remote")
    (said,) = refused(scene)
    assert "1 pod has a port here and is not in the input: default/frontend (fe0); " in said
    assert "kubectl get pods -A -o json" in said
    assert served(scene) == {"10.20.1.10", "10.20.1.11"}
    answer = scene.apply("--remove-missing")
    assert answer.err == ""
    assert served(scene) == {"10.20.1.10"}
    assert scene.apply("--remove-missing").out == f"{BRIDGE}: flows: nothing to change\n"


def test_first_apply_makes_nothing_where_a_pod_is_missing(bare: ApplyScene) -> None:
    keep(bare, "node-1", "node-2", "db", "remote")
    refused(bare)
    assert bare.vsctl("list-ports", BRIDGE).split() == ["db0", "fe0"]
    assert bare.vsctl("get", "Bridge", BRIDGE, "fail_mode").strip() == "[]"
    bare.apply("--remove-missing")
    assert served(bare) == {"10.20.1.10"}


def test_diff_shows_what_apply_would_remove(scene: ApplyScene) -> None:
    keep(scene, "node-1", "node-2", "db", "remote")
    shown = scene.run("diff", "--remove-missing")
    assert shown.code == 1
    assert any(line.startswith("-flow") and "nw_src=10.20.1.11" in line for line in shown.out.splitlines())
    assert scene.run("diff", "--effect", "--remove-missing").code in (0, 1)
    sides = scene.run("diff", "--effect", "--remove-missing", scene.directory, scene.directory)
    assert (sides.code, "--remove-missing is about a bridge" in sides.err) == (2, True)


def test_many_missing_pods_are_counted_and_few_named(scene: ApplyScene) -> None:
    for number in range(7):
        scene.add_pod(f"shop/web-{number}", f"web{number}")
    scene.vsctl("set", "Interface", "web6", "external_ids:iface-id=shop_web-6")
    (said,) = refused(scene)
    assert "7 pods have ports here and are not in the input: shop/web-0 (web0), shop/web-1 (web1)," in said
    assert "shop/web-4 (web4) and 2 more; " in said
    assert "web-5" not in said


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_finished_pod_is_in_the_input(scene: ApplyScene, phase: str) -> None:
    scene.write("cluster", CLUSTER.replace('Running, podIPs: [{ip: "10.20.1.11"}]', phase))
    assert scene.apply().err == ""
    assert served(scene) == {"10.20.1.10"}


def test_pod_without_an_address_yet_is_in_the_input(scene: ApplyScene) -> None:
    scene.write("cluster", CLUSTER.replace('Running, podIPs: [{ip: "10.20.1.11"}]', "Pending"))
    assert scene.apply().err == ""
    assert served(scene) == {"10.20.1.10"}


@pytest.mark.parametrize(
    ("written", "odd", "note"),
    [
        ("10.20.1.11", "10.20.1.10", "10.20.1.10 is the address of pod default/db too; ovsnp gives it to no pod"),
        ("10.20.1.11", "10.99.0.1", "10.99.0.1 is not in a pod CIDR (10.20.1.0/24) of node node-1; ovsnp leaves"),
        ("frontend}}\nspec: {nodeName: node-1", "frontend}}\nspec: {nodeName: gone", "there is no node 'gone'; ovsnp"),
        ("frontend}}\nspec: {nodeName: node-1", "frontend}}\nspec: {nodeName: joining", "leaves out node joining"),
    ],
)
def test_pod_that_cannot_be_used_is_in_the_input(scene: ApplyScene, written: str, odd: str, note: str) -> None:
    """Its port is closed, and apply goes on: the manifests do not lack the pod."""
    joining = "---\napiVersion: v1\nkind: Node\nmetadata: {name: joining}\n"
    scene.write("cluster", CLUSTER.replace(written, odd) + joining)
    answer = scene.apply()
    assert note in answer.err
    assert all(line.startswith("note: ") for line in answer.err.splitlines())
    assert served(scene) == (set() if odd == "10.20.1.10" else {"10.20.1.10"})
    assert "nothing to change" in scene.apply().out
    scene.write("cluster", CLUSTER)
    assert scene.apply().err == ""
    assert served(scene) == {"10.20.1.10", "10.20.1.11"}


def test_node_that_cannot_be_used_is_refused_and_keeps_its_flows(scene: ApplyScene) -> None:
    before = everything(scene)
    scene.write("cluster", CLUSTER.replace('podCIDRs: ["10.20.1.0/24"]', "podCIDRs: []"))
    for command in ("apply", "diff"):
        answer = scene.run(command)
        assert (answer.code, answer.out) == (2, "")
        assert "ovsnp: node node-1 cannot be used as it is, and a note on its Node object says why" in answer.err
    assert everything(scene) == before


def test_without_node_objects_pods_of_other_nodes_are_not_local(scene: ApplyScene) -> None:
    scene.add_pod("default/remote", "re0")
    keep(scene, "db", "frontend", "remote")
    answer = scene.apply("--remove-missing")
    assert served(scene) == {"10.20.1.10", "10.20.1.11"}
    assert "default/remote: closed: the Pod is on node-2, and port re0 is left on br-missing" in answer.err


@pytest.mark.parametrize("iface", ["", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "k8s-node-1", "blue.net_default_db"])
def test_interface_that_is_no_pods_is_nobodys_business(scene: ApplyScene, iface: str) -> None:
    scene.add_pod("default/vm", "vm0")
    scene.vsctl("set", "Interface", "vm0", f'external_ids:iface-id="{iface}"')
    answer = scene.apply()
    assert (answer.out, answer.err) == (f"{BRIDGE}: flows: nothing to change\n", "")


def test_dead_interface_of_a_pod_that_is_gone_keeps_nobody_from_applying(scene: ApplyScene) -> None:
    """It cuts nothing off, and after a restart of the node there are many such interfaces."""
    scene.add_pod("default/gone", "nowhere0", kind='""')
    answer = scene.apply()
    assert (answer.out, answer.err) == (f"{BRIDGE}: flows: nothing to change\n", "")


# Nodes that the input lacks


def test_policies_alone_say_all_that_they_lack(scene: ApplyScene) -> None:
    scene.remove("cluster")
    pods, nodes = refused(scene)
    assert "the bridge has tunnels to 1 other node (192.168.50.2), and the input has no Node; " in nodes
    assert "2 pods have ports here and are not in the input: default/db (db0), default/frontend (fe0); " in pods


def test_pods_without_nodes(scene: ApplyScene) -> None:
    keep(scene, "db", "frontend", "remote")
    (said,) = refused(scene)
    assert "the input has no Node" in said
    assert "kubectl get nodes -o json" in said
    assert tunnels(scene) == {"192.168.50.2"}
    scene.apply("--remove-missing")
    assert tunnels(scene) == set()
    assert served(scene) == {"10.20.1.10", "10.20.1.11"}
    assert scene.apply().out == f"{BRIDGE}: flows: nothing to change\n"


@pytest.mark.parametrize("encap", ["geneve", "vxlan"])
def test_tunnels_of_either_kind(bare: ApplyScene, encap: str) -> None:
    bare.apply("--encap", encap)
    keep(bare, "db", "frontend", "remote")
    refused(bare, "--encap", encap)


def test_cluster_that_never_had_nodes_is_not_asked_for_them(bare: ApplyScene) -> None:
    keep(bare, "db", "frontend")
    bare.apply()
    bare.ofctl("add-flow", "cookie=7,table=0,priority=5,in_port=2654,tun_src=192.168.50.2,actions=drop")
    assert bare.apply().out == f"{BRIDGE}: flows: nothing to change\n"


def test_node_that_leaves_the_cluster_is_let_go(scene: ApplyScene) -> None:
    keep(scene, "node-1", "db", "frontend")
    assert scene.apply().err == ""
    assert tunnels(scene) == set()


# Pods of other nodes


def test_pod_that_moved_closes_its_old_port_with_a_note(scene: ApplyScene) -> None:
    moved = DOCUMENTS["frontend"].replace("node-1", "node-2").replace("10.20.1.11", "10.20.2.12")
    keep(scene, "node-1", "node-2", "db", "remote")
    scene.write("moved", moved)
    note = f"default/frontend: closed: the Pod is on node-2, and port fe0 is left on {BRIDGE}; "
    assert scene.apply().err == f"{note}remove it (ovs-vsctl del-port fe0)\n"
    assert served(scene) == {"10.20.1.10"}
    assert fate(scene, "fe0", "10.20.2.12", "10.20.1.10") == "Datapath actions: drop"


def test_name_of_another_node_is_a_slip_of_the_hand(scene: ApplyScene) -> None:
    for command in ("apply", "diff"):
        before = everything(scene)
        answer = scene.run(command, "--node", "node-2")
        assert (answer.code, answer.out) == (3, "")
        assert "the pods that have ports here are on node-1, and none is on node-2; " in answer.err
        assert "--node" in answer.err
        assert everything(scene) == before
    scene.apply("--node", "node-2", "--remove-missing")
    assert served(scene) == set()


# Interfaces that close their pod


def test_two_interfaces_of_one_pod_close_it_and_nobody_else(scene: ApplyScene) -> None:
    scene.add_pod("default_db", "db1")
    answer = scene.apply()
    assert answer.err.startswith("default/db: closed: interfaces db0 and db1 are of this one pod; ")
    assert "ovs-vsctl del-port NAME" in answer.err
    assert served(scene) == {"10.20.1.11"}
    for port in ("db0", "db1"):
        assert fate(scene, port, "10.20.1.10", "10.20.1.11") == "Datapath actions: drop"
    assert fate(scene, "fe0", "10.20.1.11", "10.20.1.10") == "Datapath actions: drop"
    scene.vsctl("del-port", "db0")
    assert scene.apply().err == ""
    assert fate(scene, "db1", "10.20.1.10", "10.20.1.11") != "Datapath actions: drop"


def test_dead_interface_beside_a_good_one_is_told_and_does_not_count(scene: ApplyScene) -> None:
    scene.add_pod("default/db", "dead0", kind='""')
    answer = scene.apply()
    assert answer.out == f"{BRIDGE}: flows: nothing to change\n"
    assert answer.err.startswith(f"default/db: note: interface dead0 has no OpenFlow port: {DEAD}")
    assert "beside db0, which is the pod's port" in answer.err
    assert scene.apply("--quiet").err == ""


def test_dead_interface_alone_closes_the_pod(scene: ApplyScene) -> None:
    scene.vsctl("del-port", "db0")
    scene.add_pod("default/db", "dead0", kind='""')
    answer = scene.apply()
    assert answer.err.startswith(f"default/db: closed: interface dead0 has no OpenFlow port: {DEAD}")
    assert answer.err.count("\n") == 1
    assert served(scene) == {"10.20.1.11"}


def test_json_tells_odd_interfaces_and_the_pods_they_close(scene: ApplyScene) -> None:
    scene.add_pod("default/db", "db1")
    for command in ("apply", "diff"):
        found = json.loads(scene.run(command, "-o", "json").out)
        assert found["without_port"] == ["default/db"]
        (odd,) = found["odd_interfaces"]
        assert (odd["pod"], odd["interfaces"], odd["closed"]) == ("default/db", ["db0", "db1"], True)
        assert "del-port" in odd["message"]


@pytest.mark.parametrize("command", [("compile",), ("verify", "--live"), ("diff", "--effect")])
def test_others_say_why_a_pod_is_closed(scene: ApplyScene, command: tuple[str, ...]) -> None:
    scene.add_pod("default/db", "db1")
    scene.apply()
    answer = scene.run(*command)
    assert answer.code == 0
    assert answer.err.startswith("default/db: closed: interfaces db0 and db1 are of this one pod; ")


def test_trace_says_why_a_pod_is_closed(scene: ApplyScene) -> None:
    scene.add_pod("default/db", "db1")
    scene.apply()
    there = scene.run("trace", "frontend", "db", "80")
    assert there.code == 1
    assert "interfaces db0 and db1 are of this one pod" in there.out
    back = scene.run("trace", "db", "frontend", "80")
    assert (back.code, back.out) == (4, "")
    assert "interfaces db0 and db1 are of this one pod" in back.err


def test_verify_names_the_pods_that_the_input_lacks(scene: ApplyScene) -> None:
    keep(scene, "node-1", "node-2", "db", "remote")
    answer = scene.run("verify", "--live")
    assert answer.code == 1
    assert f"{BRIDGE}: note: 1 pod has a port here and is not in the input: default/frontend (fe0); " in answer.err


def test_compile_takes_any_input(scene: ApplyScene) -> None:
    keep(scene, "db")
    assert scene.run("compile").code == 0
