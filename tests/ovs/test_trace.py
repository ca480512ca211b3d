"""``ovsnp trace`` on bridges of two nodes: its words for each step, and for bridges that do something else."""

import json
import re
from typing import Any

import jsonschema
import pytest

from tests.ovs.service_scene import ServiceScene, address_of, policy
from tests.support.applying import Answer, ovsnp
from tests.support.checkout import ROOT
from tests.support.terminal import on_terminal

SCHEMA = json.loads((ROOT / "docs" / "trace.schema.json").read_text())
ADMITTING = policy("ingress", "web", "{podSelector: {matchLabels: {app: client}}}", "{port: 8080}")
REMOTE, LOCAL = "web-2", "web-0"


def traced(scene: ServiceScene, *words: object, nodes: tuple[int, ...] = (0, 1)) -> Answer:
    """Run the command on some of the nodes."""
    databases = [word for node in nodes for word in ("--db", scene.nodes[node].switch.location.database)]
    answer = ovsnp("trace", "-f", scene.manifests, *databases, *words)
    assert "Traceback" not in answer.err
    assert "internal error" not in answer.err
    return answer


def document(scene: ServiceScene, *words: object, nodes: tuple[int, ...] = (0, 1), code: int = 0) -> dict[str, Any]:
    """The answer for the one connection, as JSON."""
    answer = traced(scene, *words, "-o", "json", nodes=nodes)
    assert answer.code == code, answer
    found = json.loads(answer.out)
    jsonschema.validate(found, SCHEMA)
    (connection,) = found["connections"]
    assert connection["agrees"] is found["agrees"] is (code == 0)
    return dict(connection)


def step(connection: dict[str, Any], bridge: int, table: str) -> dict[str, Any]:
    """The step in a table."""
    (found,) = (each for each in connection["bridges"][bridge]["steps"] if each["table"] == table)
    return dict(found)


@pytest.mark.parametrize("encap", ["geneve", "vxlan"])
@pytest.mark.parametrize("version", [4, 6])
def test_masqueraded_through_a_service_to_the_other_node(scene: ServiceScene, encap: str, version: int) -> None:
    scene.serve([REMOTE])
    scene.write("policy", ADMITTING)
    scene.apply("--masquerade", "--encap", encap)
    found = document(scene, "client", "svc/web", "http", f"--ipv{version}", "--masquerade", "--encap", encap)
    client, server = address_of("client", version), address_of(REMOTE, version)
    gateway, bracketed = ("10.20.1.1", server) if version == 4 else ("[fd00:20:1::1]", f"[{server}]")
    assert (found["fate"], found["explained"], found["rest"]) == ("delivered", "allowed", None)
    assert found["backend"] == {"kind": "pod", "name": "default/web-2", "address": server, "port": 8080}
    assert step(found, 0, "Service")["translated"] == {"source": None, "destination": f"{bracketed}:8080"}
    assert step(found, 0, "Output")["translated"] == {"source": f"{gateway}:1024", "destination": None}
    assert f"the tunnel header carries {client}" in step(found, 0, "Output")["says"]
    assert step(found, 0, "Send")["says"] == "out of ovsnp-tun0 to 192.168.50.2"
    tunnel = found["bridges"][1]["tunnel"]
    assert (tunnel["from"], tunnel["to"], tunnel["carried"]) == ("192.168.50.1", "192.168.50.2", client)
    assert (tunnel["vni"], tunnel["option"] is None) == ((1, False) if encap == "geneve" else (9, True))
    judged = step(found, 1, "Ingress")["says"]
    assert judged == f"default/web-2 is isolated by default/only, judged on {client}, which the tunnel header carries"
    assert step(found, 1, "IngressRule")["policies"] == [{"namespace": "default", "name": "only", "rule": "ingress[0]"}]
    assert step(found, 1, "Send")["says"] == "out of default/web-2"


def test_fits_a_terminal_but_flows_stay_whole(scene: ServiceScene) -> None:
    scene.serve([REMOTE])
    scene.apply("--masquerade")
    words = ("client", "svc/web", "http", "--ipv4", "--masquerade")
    written = traced(scene, *words).out
    databases = [word for node in scene.nodes for word in ("--db", node.switch.location.database)]
    shown = on_terminal(80, "trace", "-f", str(scene.manifests), *databases, *words)
    assert shown.split() == written.split()
    assert max(map(len, written.splitlines())) > 80
    assert all("priority=" in line for line in shown.splitlines() if len(line) > 80)
    assert {line for line in shown.splitlines() if "priority=" in line} <= {*written.splitlines()}


def test_tunnel_of_ipv6(scene: ServiceScene) -> None:
    text = (scene.manifests / "cluster.yaml").read_text()
    scene.write("cluster", text.replace("192.168.50.", "fd00:50::"))
    for node, own, other in zip(scene.nodes, (1, 2), (2, 1), strict=True):
        node.switch.appctl("netdev-dummy/ip6addr", "br-phy", f"fd00:50::{own}/64")
        node.switch.appctl("ovs/route/add", f"fd00:50::{own}/64", "br-phy")
        node.switch.appctl("tnl/neigh/set", "br-phy", f"fd00:50::{other}", f"0a:fe:00:00:00:0{other}")
    scene.serve([REMOTE])
    scene.apply("--masquerade")
    found = document(scene, "client", "svc/web", "http", "--ipv4", "--masquerade")
    tunnel = found["bridges"][1]["tunnel"]
    assert (found["fate"], tunnel["from"], tunnel["to"]) == ("delivered", "fd00:50::1", "fd00:50::2")
    for node, own in zip(scene.nodes, (1, 2), strict=True):
        node.switch.appctl("ovs/route/del", f"fd00:50::{own}/64")


def test_cluster_ip_that_a_block_admits(scene: ServiceScene) -> None:
    scene.serve([LOCAL])
    scene.write("policy", policy("egress", "client", '{ipBlock: {cidr: "10.96.0.0/16"}}', "{port: 80}"))
    scene.apply("--service-blocks")
    admitted = document(scene, "client", "svc/web", "80", "--ipv4", "--service-blocks")
    assert admitted["fate"] == "delivered"
    assert step(admitted, 0, "EgressRule")["says"] == "admitted by default/only egress[0]"
    assert document(scene, "client", "svc/web", "53/udp", "--ipv4", "--service-blocks")["fate"] == "dropped"


def test_hairpin(scene: ServiceScene) -> None:
    scene.serve(["client"])
    scene.apply()
    found = document(scene, "client", "svc/web", "80", "--ipv4")
    assert (found["fate"], found["says"]) == ("delivered", "out of the port of default/client on node node-1")
    assert step(found, 0, "Output")["says"] == "default/client to itself; its source becomes 10.20.1.1:1024"


@pytest.mark.parametrize("version", [4, 6])
def test_what_has_no_ports(scene: ServiceScene, version: int) -> None:
    scene.write("policy", ADMITTING)
    scene.apply()
    denied = document(scene, "client", REMOTE, f"--ipv{version}")
    assert (denied["fate"], denied["says"]) == ("dropped", "in IngressRule on node node-2")
    assert document(scene, "node/node-2", REMOTE, "--ipv4")["fate"] == "delivered"


def test_outsiders_come_in_by_the_gateway_of_the_node_that_is_said(scene: ServiceScene) -> None:
    scene.serve([REMOTE])
    scene.apply()
    to_pod = document(scene, "8.8.8.8", REMOTE, "8080")
    assert [each["node"] for each in to_pod["bridges"]] == ["node-2"]
    assert to_pod["bridges"][0]["in_port"]["name"] == "ovsnp-gw0"
    unsaid = traced(scene, "8.8.8.8", "svc/web", "80", "--ipv4")
    assert unsaid.code == 2
    assert "by which node's gateway does it come in? Name one with --node: node-1, node-2" in unsaid.err
    said = document(scene, "8.8.8.8", "svc/web", "80", "--ipv4", "--node", "node-1")
    assert [each["node"] for each in said["bridges"]] == ["node-1", "node-2"]
    out = document(scene, "client", "8.8.8.8", "443")
    assert (out["fate"], out["says"]) == ("delivered", "out of the port of ovsnp-gw0 on node node-1")


def test_each_half_alone(scene: ServiceScene) -> None:
    scene.write("policy", ADMITTING)
    scene.apply()
    first = document(scene, "stranger", REMOTE, "8080", "--ipv4", nodes=(0,))
    assert (first["fate"], first["before"], first["rest"], first["explained"]) == (
        *("unfinished", None, "node-2", "denied"),
    )
    second = document(scene, "stranger", REMOTE, "8080", "--ipv4", nodes=(1,))
    assert (second["fate"], second["before"], second["rest"]) == ("dropped", "node-1", None)
    assert document(scene, "client", REMOTE, "8080", "--ipv6", nodes=(1,))["fate"] == "delivered"
    hidden = traced(scene, "client", "svc/web", "80", nodes=(1,))
    assert hidden.code == 2
    scene.write("policy", policy("egress", "client", "{podSelector: {}}", "{port: 1}"))
    scene.apply()
    assert document(scene, "client", REMOTE, "8080", "--ipv4", nodes=(0,))["fate"] == "dropped"
    assert document(scene, "client", REMOTE, "8080", "--ipv4", nodes=(1,))["fate"] == "delivered"


@pytest.mark.parametrize("address", ["10.20.1.77", "10.20.2.77"])
def test_address_that_no_pod_has(scene: ServiceScene, address: str) -> None:
    scene.apply()
    found = document(scene, "client", address, "80")
    assert (found["fate"], found["explained"]) == ("dropped", "allowed")


@pytest.mark.parametrize("ends", [("client", "fe80::1"), ("10.20.1.77", "client"), ("10.20.2.77", "client")])
def test_what_no_policy_is_about_is_dropped_all_the_same(scene: ServiceScene, ends: tuple[str, str]) -> None:
    scene.apply()
    found = document(scene, *ends, "80")
    assert (found["fate"], found["explained"]) == ("dropped", "allowed")


def test_nothing_is_left_behind(scene: ServiceScene) -> None:
    scene.serve([LOCAL, REMOTE], affinity=600)
    scene.apply("--masquerade")
    before = [
        node.switch.run(["ovs-ofctl", "-O", "OpenFlow15", "--no-stats", "dump-flows", "br-int"]) for node in scene.nodes
    ]
    assert document(scene, "client", "svc/web", "80", "--ipv4", "--masquerade")["fate"] == "delivered"
    after = [
        node.switch.run(["ovs-ofctl", "-O", "OpenFlow15", "--no-stats", "dump-flows", "br-int"]) for node in scene.nodes
    ]
    assert after == before
    assert [node.switch.appctl("dpctl/dump-conntrack") for node in scene.nodes] == ["", ""]


def test_an_endpoint_that_is_kept(scene: ServiceScene) -> None:
    scene.serve([LOCAL, REMOTE], affinity=600)
    scene.apply()
    kept = scene.converse("client", 50000).at
    found = document(scene, "client", "svc/web", "80", "--ipv4")
    assert found["backend"]["name"] == f"default/{kept}"
    assert step(found, 0, "SessionAffinity")["says"] == "an endpoint is kept for this client"


def test_raw(scene: ServiceScene) -> None:
    scene.apply()
    answer = traced(scene, "client", LOCAL, "80", "--ipv4", "--raw")
    assert "\n    ovs-appctl ofproto/trace br-int 'in_port=1,tcp," in answer.out
    assert "\n    | Datapath actions: " in answer.out
    (bridge,) = document(scene, "client", LOCAL, "80", "--ipv4", "--raw")["bridges"]
    assert bridge["raw"].startswith("Flow: tcp,in_port=1,")
    assert document(scene, "client", LOCAL, "80", "--ipv4")["bridges"][0]["raw"] is None


def plant(scene: ServiceScene, node: int, flow: str) -> None:
    """Put a flow of another program onto a bridge."""
    scene.nodes[node].switch.run(["ovs-ofctl", "-O", "OpenFlow15", "add-flow", "br-int", f"cookie=0x77,{flow}"])


@pytest.mark.parametrize("node", [0, 1])
def test_a_strange_flow_that_drops(scene: ServiceScene, node: int) -> None:
    scene.apply()
    plant(scene, node, "table=110,priority=900,tcp,actions=drop")
    found = document(scene, "client", REMOTE, "8080", "--ipv4", code=1)
    assert (found["fate"], found["explained"]) == ("dropped", "allowed")
    assert found["disagreements"] == [
        f"the policies allow it, and the bridges drop it: in Forward on node node-{node + 1}",
        "it met flows that the manifests do not compile to: see above",
    ]
    strange = step(found, node, "Forward")
    assert (strange["compiled"], strange["says"]) == (False, "NOT OVSNP'S FLOW (cookie 0x77): drop")
    text = traced(scene, "client", REMOTE, "8080", "--ipv4")
    assert "DISAGREES with ovsnp explain, which says allowed:" in text.out
    assert text.err == "ovsnp: the bridges do not do what the policies say\n"
    assert document(scene, "client", REMOTE, "53/udp", "--ipv4")["fate"] == "delivered"


def test_a_strange_flow_that_lets_through(scene: ServiceScene) -> None:
    scene.write("policy", ADMITTING)
    scene.apply()
    plant(scene, 0, "table=150,priority=900,tcp,actions=goto_table:160")
    found = document(scene, "stranger", LOCAL, "8080", "--ipv4", code=1)
    assert found["disagreements"][0] == "the policies deny it, and the bridges let it through"


def test_a_strange_flow_that_sends_elsewhere(scene: ServiceScene) -> None:
    scene.apply()
    plant(scene, 0, "table=0,priority=900,tcp,actions=output:2")
    found = document(scene, "client", LOCAL, "8080", "--ipv4", code=1)
    assert (found["fate"], found["says"]) == ("astray", "out of the port of default/stranger on node node-1")
    assert found["disagreements"][0].startswith("the policies allow it, and the bridges send it elsewhere")
    plant(scene, 0, "table=0,priority=901,tcp,actions=NORMAL")
    assert (
        document(scene, "client", LOCAL, "8080", "--ipv4", code=1)["says"] == "sent by NORMAL in Origin on node node-1"
    )


def test_sent_round_or_to_nobody(scene: ServiceScene) -> None:
    scene.apply()
    plant(scene, 1, "table=0,priority=900,tcp,actions=set_field:192.168.50.1->tun_dst,in_port")
    round_ = document(scene, "client", REMOTE, "8080", "--ipv4", code=1)
    assert (round_["fate"], round_["says"]) == ("astray", "sent through a tunnel once more, to node node-1")
    plant(scene, 0, "table=180,priority=900,tcp,actions=set_field:192.168.50.77->tun_dst,output:2654")
    nobody = document(scene, "client", REMOTE, "8080", "--ipv4", code=1)
    assert (nobody["fate"], len(nobody["bridges"])) == ("astray", 1)
    assert nobody["says"] == "sent through the tunnel to 192.168.50.77, which is no node's"


def test_dropped_by_one_side_for_the_other(scene: ServiceScene) -> None:
    scene.write("policy", ADMITTING)
    scene.apply()
    scene.write("policy", policy("egress", "stranger", "{podSelector: {matchLabels: {app: client}}}", "{port: 8080}"))
    found = document(scene, "stranger", LOCAL, "8080", "--ipv4", code=1)
    assert found["fate"] == "dropped"
    assert "the policies allow it on the destination's side, and IngressRule drops it" in found["disagreements"]
    assert "the policies deny it on the source's side, and it came past there" in found["disagreements"]


def test_flows_of_other_manifests(scene: ServiceScene) -> None:
    scene.write("policy", ADMITTING)
    scene.apply()
    scene.write("policy", ADMITTING.replace("8080", "8081"))
    found = document(scene, "client", LOCAL, "8080", "--ipv4", code=1)
    assert found["disagreements"] == [
        "the policies deny it, and the bridges let it through",
        "it passed IngressRule by default/only ingress[0], which does not admit it",
        "node node-1 has not the flows that these manifests compile to with these options (ovsnp apply):"
        " 2 to add, 0 to change, 2 to delete",
    ]
    scene.write("policy", ADMITTING.replace("name: only", "name: other").replace("client", "stranger"))
    found = document(scene, "client", LOCAL, "8080", "--ipv4", code=1)
    assert step(found, 0, "IngressRule")["says"].startswith("OVSNP'S, BUT NOT OF THESE MANIFESTS AND OPTIONS: ")
    scene.write("policy", ADMITTING)
    assert document(scene, "client", LOCAL, "8080", "--ipv4", "--strict-nodes")["fate"] == "delivered"


def test_a_strange_flow_in_the_place_of_ours(scene: ServiceScene) -> None:
    scene.apply()
    plant(scene, 0, f"table=110,priority=400,ip,nw_dst={address_of(LOCAL, 4)},actions=drop")
    found = document(scene, "client", LOCAL, "8080", "--ipv4", code=1)
    assert step(found, 0, "Forward")["says"] == "NOT OVSNP'S FLOW (cookie 0x77): drop"
    assert "a flow that is not ovsnp's stands in the place of one of its own" in found["disagreements"][-1]


def test_a_table_without_flows(scene: ServiceScene) -> None:
    scene.apply()
    scene.nodes[0].switch.run(["ovs-ofctl", "-O", "OpenFlow15", "del-flows", "br-int", "table=110"])
    found = document(scene, "client", LOCAL, "8080", "--ipv4", code=1)
    assert step(found, 0, "Forward")["says"] == "dropped: no flow matches"
    assert step(found, 0, "Forward")["flow"] is None


def test_a_cluster_without_nodes(scene: ServiceScene) -> None:
    text = re.sub(
        r"kind: Node\n(?:.*\n)*?---\n|nodeName: node-[12], ", "", (scene.manifests / "cluster.yaml").read_text()
    )
    scene.write("cluster", text)
    scene.write("policy", ADMITTING)
    database = scene.nodes[0].switch.location.database
    answer = ovsnp("apply", "-f", scene.manifests, "--db", database)
    assert answer.code == 0, answer
    for client, fate in (("client", "delivered"), ("stranger", "dropped")):
        found = document(scene, client, LOCAL, "8080", "--ipv4", nodes=(0,))
        assert (found["fate"], found["bridges"][0]["node"]) == (fate, None)
    both = traced(scene, "client", LOCAL, "8080")
    assert (both.code, "are both the one node's, there being no Node objects" in both.err) == (2, True)


def test_pods_without_a_port(scene: ServiceScene) -> None:
    scene.apply()
    scene.nodes[0].unplug(LOCAL)
    found = document(scene, "client", LOCAL, "80", "--ipv4", code=1)
    why = "no interface on br-int has external_ids:iface-id=default/web-0"
    assert found["disagreements"][-1] == f"default/web-0 (10.20.1.10) has no port on br-int: {why}"
    absent = traced(scene, LOCAL, "client", "80")
    assert absent.code == 4
    assert "default/web-0 has no port on node node-1" in absent.err


def test_whose_bridge_a_database_is_of(scene: ServiceScene) -> None:
    first, second = (node.switch.location.database for node in scene.nodes)
    asked = ("trace", "-f", scene.manifests, "client", REMOTE, "80", "--ipv4")
    twice = ovsnp(*asked, "--db", first, "--db", first)
    assert (twice.code, "are both node node-1's" in twice.err) == (2, True)
    wrong = ovsnp(*asked, "--db", f"node-9={first}", "--db", second)
    assert (wrong.code, "there is no node node-9; there are node-1, node-2" in wrong.err) == (2, True)
    for node in ("client", "stranger", "web-0", "web-1"):
        scene.nodes[0].unplug(node)
    nobodys = ovsnp(*asked, "--db", first, "--db", second)
    assert (nobodys.code, "None of its ports is a pod's; name it (--db NODE=" in nobodys.err) == (2, True)
    scene.nodes[0].add_pods({"web-9": "default/web-2"})
    scene.nodes[0].plug("client")
    mixed = ovsnp(*asked, "--db", first, "--db", second)
    assert (mixed.code, "Its ports are of pods of node-1, node-2; name it" in mixed.err) == (2, True)
    scene.nodes[0].unplug("web-9")
    scene.apply()
    for databases in ((f"node-1={first}", f"node-2={second}"), (second, first)):
        answer = ovsnp(*asked, *(word for each in databases for word in ("--db", each)))
        assert answer.code == 0, answer
    answer = ovsnp(*asked, "--db", first, "--node", "node-1")
    assert (answer.code, answer.out.startswith("UNFINISHED")) == (0, True)


def test_switch_that_has_ended_is_4(own_scene: ServiceScene) -> None:
    own_scene.apply()
    own_scene.nodes[0].switch.kill("ovs-vswitchd")
    answer = traced(own_scene, "client", LOCAL, "80")
    assert answer.code == 4
    assert "ovs-vswitchd" in answer.err


def test_bridge_that_is_not_there_is_4(scene: ServiceScene) -> None:
    answer = traced(scene, "client", LOCAL, "80", "--bridge", "br-none")
    assert (answer.code, "bridge br-none does not exist" in answer.err) == (4, True)
