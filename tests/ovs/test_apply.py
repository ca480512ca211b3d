"""`ovsnp apply` on a real ovs-vswitchd: the things it makes, the things it leaves alone, and its errors."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ovsnp.lab.daemons import database_socket, environment
from ovsnp.lower import rules
from ovsnp.pipeline.cookies import is_ours
from ovsnp.switch.dump import InstalledFlow
from tests.support.applying import CLUSTER, Answer, ApplyScene, ovsnp, policy
from tests.support.instance import DummySwitch

POD_V6 = """
apiVersion: v1
kind: Pod
metadata: {name: six, labels: {role: web}}
spec: {nodeName: node-1, containers: [{name: main}]}
status: {phase: Running, podIPs: [{ip: "fd00:20::7"}]}
"""


@pytest.fixture
def bare(dummy_switch: DummySwitch, tmp_path: Path) -> Iterator[ApplyScene]:
    """A new bridge, standalone, without ports of pods; the manifests have no policy."""
    scene = ApplyScene(dummy_switch, "br-apply", tmp_path)
    yield scene
    scene.close()


@pytest.fixture
def scene(bare: ApplyScene) -> ApplyScene:
    """A bridge with the ports of both local pods, and one policy: frontends to port 80."""
    bare.add_pod("default/db", "db0")
    bare.add_pod("default/frontend", "fe0")
    bare.write("policy", policy("to-db", 80))
    return bare


def ours(scene: ApplyScene) -> set[str]:
    return {flow.text for flow in scene.flows() if is_ours(flow.cookie)}


def refused(scene: ApplyScene, code: int, *more: object) -> str:
    """Apply, which must fail with this code and change nothing; returns the text on stderr."""
    before = scene.state()
    answer = scene.run("apply", *more)
    assert (answer.code, answer.out) == (code, ""), answer
    assert "Traceback" not in answer.err
    assert scene.state() == before
    return answer.err


# Things that apply makes


def test_first_apply_makes_ports_fail_mode_openflow15_and_flows(scene: ApplyScene) -> None:
    answer = scene.apply()
    for word in ("OpenFlow15 enabled", "fail_mode set to secure", "ovsnp-tun0 made (geneve)", "ovsnp-gw0 made"):
        assert word in answer.out
    assert f"flows: {len(ours(scene))} added, 0 changed, 0 deleted" in answer.out
    assert scene.vsctl("get", "Bridge", "br-apply", "fail_mode").strip() == "secure"
    assert "OpenFlow15" in scene.vsctl("get", "Bridge", "br-apply", "protocols")
    assert scene.vsctl("get", "Interface", "ovsnp-tun0", "type", "options", "ofport").split("\n")[:3] == [
        "geneve",
        "{key=flow, remote_ip=flow}",
        "2654",
    ]
    assert scene.vsctl("get", "Interface", "ovsnp-gw0", "type", "ofport").split() == ["internal", "2655"]


def test_flows_installed_are_those_that_compile_prints(scene: ApplyScene) -> None:
    scene.apply()
    assert scene.seen() == scene.compiled()


def test_standalone_flow_of_a_new_bridge_is_gone(scene: ApplyScene) -> None:
    assert [flow.text for flow in scene.flows()] == ["priority=0 actions=NORMAL"]
    scene.apply()
    assert all(is_ours(flow.cookie) for flow in scene.flows())


def test_json_says_what_was_done(scene: ApplyScene) -> None:
    first = json.loads(scene.apply("-o", "json").out)
    assert first["flows"] == {"added": len(ours(scene)), "changed": 0, "deleted": 0}
    second = json.loads(scene.apply("-o", "json").out)
    assert (second["done"], second["flows"]) == ([], {"added": 0, "changed": 0, "deleted": 0})


# Things that apply leaves alone


def test_second_apply_changes_nothing_not_even_age_or_counters(scene: ApplyScene) -> None:
    scene.apply()
    packet = "in_port(2),eth(src=0a:58:0a:14:01:0b,dst=0a:58:00:00:00:01),eth_type(0x0800),"
    packet += "ipv4(src=10.20.1.11,dst=10.20.1.10,proto=6,tos=0,ttl=64,frag=no),tcp(src=4000,dst=80),tcp_flags(syn)"
    scene.switch.appctl("netdev-dummy/receive", "fe0", packet)
    time.sleep(0.5)
    before = scene.ages()
    answer = scene.apply()
    after = scene.ages()
    assert answer.out == "br-apply: flows: nothing to change\n"
    assert any(age.packets for age in before.values())
    assert before.keys() == after.keys()
    for flow, age in before.items():
        assert after[flow].packets == age.packets
        assert after[flow].duration > age.duration


def test_clauses_that_are_too_many_for_one_flow_come_and_go(scene: ApplyScene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MOST_CLAUSES", 1)
    for more, further in ((range(81, 84), {"0x1", "0x2", "0x3"}), (range(81, 82), {"0x1"}), ((), set())):
        scene.write("more", "---".join(policy(f"to-db-{port}", port) for port in more))
        scene.apply()
        assert {flow.text.partition(",reg6=0/")[2].partition(" ")[0] for flow in subjects(scene)} - {""} == further
        assert scene.seen() == scene.compiled()
        assert scene.apply().out == "br-apply: flows: nothing to change\n"
        assert scene.run("verify", "--live").code == 0
        assert scene.run("diff").code == 0


def subjects(scene: ApplyScene) -> list[InstalledFlow]:
    """The flows of the clauses of subjects."""
    return [flow for flow in scene.flows() if "reg2=" in flow.text and "conjunction(" in flow.actions]


def test_another_port_changes_only_what_is_different_and_keeps_the_rest_young_or_old(scene: ApplyScene) -> None:
    scene.apply()
    time.sleep(0.5)
    flows, ages = ours(scene), scene.ages()
    scene.write("policy", policy("to-db", 81))
    answer = scene.apply()
    gone, new = flows - ours(scene), ours(scene) - flows
    assert {flow.partition("tp_dst=")[2].partition(" ")[0] for flow in gone} == {"80"}
    assert {flow.partition("tp_dst=")[2].partition(" ")[0] for flow in new} == {"81"}
    assert f"flows: {len(new)} added, 0 changed, {len(gone)} deleted" in answer.out
    kept = {flow: age for flow, age in scene.ages().items() if flow in ages}
    assert len(kept) == len(flows) - len(gone)
    assert all(age.duration > ages[flow].duration for flow, age in kept.items())


def test_removed_policy_takes_its_flows_with_it(scene: ApplyScene) -> None:
    scene.remove("policy")
    scene.apply()
    without = ours(scene)
    scene.write("policy", policy("to-db", 80))
    scene.apply()
    assert without != ours(scene)
    scene.remove("policy")
    scene.apply()
    assert ours(scene) == without


def test_flow_that_keeps_its_rule_keeps_its_counters_where_its_actions_change(scene: ApplyScene) -> None:
    scene.apply()
    time.sleep(0.3)
    port = int(scene.vsctl("get", "Interface", "db0", "ofport"))
    delivery = f"set_field:{port:#x}->reg7"
    before = [age for flow, age in scene.ages().items() if delivery in flow]
    scene.vsctl("set", "Interface", "db0", 'external_ids:attached-mac="0a:00:00:00:00:01"')
    assert ", 1 changed," in scene.apply().out
    after = [age for flow, age in scene.ages().items() if delivery in flow]
    assert len(before) == len(after) == 1
    assert after[0].duration > before[0].duration


OTHERS = (
    "cookie=0x1,table=0,priority=5,in_port=7 actions=drop",
    "cookie=0xa5d000000000000,table=0,priority=77,tcp,tp_dst=5 actions=drop",
    "cookie=0x2,table=0,priority=300,idle_timeout=900,hard_timeout=1000,importance=3,send_flow_rem,udp actions=NORMAL",
    "cookie=0x0,table=33,priority=1,ip,nw_src=10.0.0.0/8 actions=set_field:10.9.9.9->ip_dst,goto_table:40",
    "cookie=0x0,table=150,priority=1 actions=group:5",
)
GROUPS = "group_id=5,type=select,bucket=weight:3,actions=output:7\n"


def add_others(scene: ApplyScene) -> list[str]:
    """Put flows and a group of another program on the bridge; returns the flows as the bridge prints them."""
    scene.ofctl("add-groups", "-", text=GROUPS)
    scene.ofctl("add-flows", "-", text="\n".join((*OTHERS, "")))
    found = [flow.text for flow in scene.flows() if not is_ours(flow.cookie) and flow.actions != "NORMAL"]
    found += [flow.text for flow in scene.flows() if "send_flow_rem" in flow.text]
    assert len(found) == len(OTHERS)
    return sorted(found)


def others(scene: ApplyScene) -> list[str]:
    return sorted(flow.text for flow in scene.flows() if not is_ours(flow.cookie))


def test_flows_and_groups_of_others_stay_with_their_age(scene: ApplyScene) -> None:
    scene.apply()
    theirs, groups = add_others(scene), scene.groups()
    ages = {flow: age for flow, age in scene.ages().items() if "cookie=0xa5e" not in flow}
    time.sleep(0.3)
    scene.write("policy", policy("to-db", 81))
    scene.apply()
    scene.remove("policy")
    scene.apply()
    assert others(scene) == theirs
    assert scene.groups() == groups
    assert all(scene.ages()[flow].duration > age.duration + 0.2 for flow, age in ages.items())


def test_flows_and_groups_of_others_survive_that_the_bridge_becomes_secure(scene: ApplyScene) -> None:
    theirs, groups = add_others(scene), scene.groups()
    assert "fail_mode set to secure" in scene.apply().out
    assert others(scene) == theirs
    assert scene.groups() == groups


def test_flows_of_others_survive_a_first_apply_that_is_refused(scene: ApplyScene) -> None:
    theirs = add_others(scene)
    limit_table(scene, 150, 3)
    assert scene.run("apply").code == 4
    assert others(scene) == theirs


def test_flows_of_others_survive_where_the_bridge_speaks_only_openflow10(scene: ApplyScene) -> None:
    scene.vsctl("set", "Bridge", "br-apply", "protocols=OpenFlow10")
    flow = "cookie=0x1,priority=77,tcp,tp_dst=5 actions=mod_nw_dst:10.9.9.9"
    scene.switch.run(["ovs-ofctl", "-O", "OpenFlow10", "add-flow", "br-apply", flow])
    scene.apply()
    (found,) = others(scene)
    assert found == "cookie=0x1,priority=77,tcp,tp_dst=5 actions=set_field:10.9.9.9->ip_dst"  # in OpenFlow 1.5
    assert "OpenFlow10" in scene.vsctl("get", "Bridge", "br-apply", "protocols")


# Refusals and failures


@pytest.mark.parametrize("life", ["", "idle_timeout=900,", "send_flow_rem,hard_timeout=900,"])
def test_foreign_flow_in_the_place_of_one_of_ours_is_an_error(scene: ApplyScene, life: str) -> None:
    scene.apply()
    scene.ofctl("del-flows", "cookie=0xa5e000000000000/0xffff000000000000")
    scene.ofctl("add-flow", f"cookie=0x9,table=40,{life}priority=100,ip actions=drop")
    said = refused(scene, 4)
    assert "not ovsnp's" in said
    assert "cookie=0x9,table=40" in said


def limit_table(scene: ApplyScene, table: int, limit: int) -> None:
    """Make Open vSwitch refuse more flows than this in a table."""
    row = ["--id=@limit", "create", "Flow_Table", f"flow_limit={limit}", "overflow_policy=refuse"]
    scene.vsctl(*row, "--", "set", "Bridge", "br-apply", f"flow_tables:{table}=@limit")


def test_refusal_changes_nothing_and_names_the_flow_and_why(scene: ApplyScene) -> None:
    scene.apply()
    limit_table(scene, 150, len([flow for flow in scene.flows() if flow.table == 150]) + 2)
    scene.write("more", policy("second", 81) + "---" + policy("third", 82))
    said = refused(scene, 4)
    assert "TABLE_FULL" in said
    assert "nothing was changed" in said
    assert "table:150 priority=200" in said
    assert len(said.splitlines()) == 1


def test_missing_bridge_is_an_error_that_names_those_there_are(scene: ApplyScene) -> None:
    said = refused(scene, 4, "--bridge", "br-none")
    assert "br-none does not exist" in said
    assert "br-apply" in said


def test_missing_database_is_an_error_that_names_it(scene: ApplyScene, tmp_path: Path) -> None:
    for database, named in (("none/db.sock", f"{tmp_path}/none"), ("db.sock", f"unix:{tmp_path}/db.sock")):
        answer = ovsnp("apply", "--db", tmp_path / database, "--node", "node-1", "-f", scene.directory)
        assert (answer.code, answer.out) == (4, "")
        assert named in answer.err


def test_two_databases_are_one_too_many(scene: ApplyScene, tmp_path: Path) -> None:
    assert "--db" in refused(scene, 2, "--db", tmp_path / "db.sock")


def test_bad_manifests_are_an_error_before_anything_is_applied(scene: ApplyScene) -> None:
    scene.write("policy", policy("to-db", 65536).replace("podSelector: {matchLabels", "podSelector: {matchLabel"))
    said = refused(scene, 3)
    assert "policy.yaml" in said
    assert len(said.splitlines()) >= 2


def test_ports_file_is_not_for_apply(scene: ApplyScene, tmp_path: Path) -> None:
    assert "--ports is for compile" in refused(scene, 2, "--ports", tmp_path / "ports.yaml")


# The pods' interfaces


def test_pod_without_interface_is_left_out_and_said_so(bare: ApplyScene) -> None:
    bare.add_pod("default/db", "db0")
    answer = bare.apply()
    assert answer.err == (
        "default/frontend: left out: no interface on br-apply has external_ids:iface-id=default/frontend yet\n"
    )
    assert not any("10.20.1.11" in flow for flow in ours(bare))
    assert bare.apply("--quiet").err == ""
    bare.add_pod("default/frontend", "fe0")
    assert bare.apply().err == ""
    assert any("nw_src=10.20.1.11" in flow for flow in ours(bare))


def test_ovn_kubernetes_iface_ids_are_understood(bare: ApplyScene) -> None:
    bare.add_pod("default_db", "db0")
    bare.add_pod("default_frontend", "fe0")
    assert bare.apply().err == ""


def test_attached_mac_is_the_pods_mac(bare: ApplyScene) -> None:
    bare.add_pod("default/db", "db0", attached_mac="02:00:00:00:00:77")
    bare.add_pod("default/frontend", "fe0")
    bare.apply()
    assert any("dl_src=02:00:00:00:00:77,nw_src=10.20.1.10" in flow for flow in ours(bare))
    assert any("dl_src=0a:58:0a:14:01:0b,nw_src=10.20.1.11" in flow for flow in ours(bare))


def test_attached_mac_in_the_spelling_of_ovn_kubernetes_is_the_pods_mac(bare: ApplyScene) -> None:
    bare.add_pod("default_db", "db0")
    bare.vsctl("set", "Interface", "db0", 'external_ids:attached_mac="02:00:00:00:00:77"')
    bare.add_pod("default_frontend", "fe0")
    bare.apply()
    assert any("dl_src=02:00:00:00:00:77,nw_src=10.20.1.10" in flow for flow in ours(bare))


def test_attached_mac_that_is_none_closes_its_pod_only(bare: ApplyScene) -> None:
    bare.add_pod("default/db", "db0", attached_mac="02:00:00:00:00")
    bare.add_pod("default/frontend", "fe0")
    said = bare.apply().err
    assert said.startswith(
        "default/db: closed: interface db0: external_ids:attached-mac: '02:00:00:00:00' is not a MAC"
    )
    assert not any("10.20.1.10" in flow for flow in ours(bare))
    assert any("nw_src=10.20.1.11" in flow for flow in ours(bare))


def test_ipv6_only_pod_needs_an_attached_mac(scene: ApplyScene) -> None:
    scene.write("cluster", CLUSTER.replace('["10.20.1.0/24"]', '["10.20.1.0/24", "fd00:20::/64"]'))
    scene.write("six", POD_V6)
    scene.add_pod("default/six", "six0")
    said = scene.apply().err
    assert said.startswith("default/six: closed: interface six0 has no MAC address, and the pod has no IPv4 address")
    assert "external_ids:attached-mac=MAC" in said
    assert not any("fd00:20::7" in flow for flow in ours(scene))
    scene.vsctl("set", "Interface", "six0", 'external_ids:attached-mac="02:00:00:00:00:06"')
    scene.apply()
    assert any("dl_src=02:00:00:00:00:06,ipv6_src=fd00:20::7" in flow for flow in ours(scene))


# The bridge's own ports


def test_another_encapsulation_changes_the_tunnel_port(scene: ApplyScene) -> None:
    scene.apply()
    answer = scene.apply("--encap", "vxlan")
    done, flows = answer.out.splitlines()
    assert done == "br-apply: port ovsnp-tun0 made vxlan"
    assert flows.startswith("br-apply: flows: ")
    assert scene.vsctl("get", "Interface", "ovsnp-tun0", "type", "ofport").split() == ["vxlan", "2654"]
    assert scene.apply("--encap", "vxlan").out == "br-apply: flows: nothing to change\n"


def test_tunnel_port_on_another_bridge_is_an_error(scene: ApplyScene) -> None:
    scene.vsctl("add-br", "br-other", "--", "set", "Bridge", "br-other", "datapath_type=dummy")
    try:
        scene.vsctl("add-port", "br-other", "ovsnp-tun0", "--", "set", "Interface", "ovsnp-tun0", "type=dummy")
        assert "ovsnp-tun0 is on another bridge" in refused(scene, 4)
    finally:
        scene.switch.delete_bridge("br-other")


@pytest.mark.parametrize("port", ["ovsnp-tun0", "ovsnp-gw0"])
def test_port_of_our_name_and_another_kind_is_an_error(scene: ApplyScene, port: str) -> None:
    scene.vsctl("add-port", "br-apply", port, "--", "set", "Interface", port, "type=dummy")
    assert f"{port} is of type dummy" in refused(scene, 4)


def test_ports_that_are_there_keep_their_numbers(scene: ApplyScene) -> None:
    tunnel = ["type=geneve", "options:remote_ip=flow", "options:key=flow", "options:csum=true", "ofport_request=40"]
    scene.vsctl("add-port", "br-apply", "ovsnp-tun0", "--", "set", "Interface", "ovsnp-tun0", *tunnel)
    scene.vsctl("add-port", "br-apply", "ovsnp-gw0", "--", "set", "Interface", "ovsnp-gw0", "type=internal")
    answer = scene.apply()
    assert "ovsnp-tun0" not in answer.out
    assert any("in_port=40 " in flow for flow in ours(scene))
    assert 'csum="true"' in scene.vsctl("get", "Interface", "ovsnp-tun0", "options")


# An Open vSwitch that does not answer


def test_a_connection_that_is_dropped_before_anything_is_asked_is_made_again(
    scene: ApplyScene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if ``ovs-ofctl`` got no processor time for a second after it connects; here the first time of each call."""
    script = tmp_path / "bin" / "ovs-ofctl"
    script.parent.mkdir()
    drop = 'cat >/dev/null; echo "ovs-ofctl: connecting to unix:br.mgmt (Broken pipe)" >&2; exit 1'
    known = f'{script.parent}/$(echo "$*" | cksum | tr " " -)'
    script.write_text(
        f'#!/bin/sh\nif mkdir "{known}" 2>/dev/null; then {drop}; fi\nexec {shutil.which("ovs-ofctl")} "$@"\n'
    )
    script.chmod(0o755)
    with monkeypatch.context() as patch:
        patch.setenv("PATH", f"{script.parent}:{os.environ['PATH']}")
        answer = scene.apply()
    assert f"flows: {len(ours(scene))} added" in answer.out
    assert ours(scene)


def run_bounded(socket: str, manifests: Path) -> Answer:
    """Apply in a separate process, which must end within 30 seconds."""
    arguments = ["apply", "--db", socket, "--bridge", "br-alone", "--node", "node-1", "-f", str(manifests)]
    done = subprocess.run(
        [sys.executable, "-m", "ovsnp", *arguments], capture_output=True, text=True, check=False, timeout=30
    )
    return Answer(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def database_alone(bare: ApplyScene) -> Iterator[tuple[str, Path]]:
    """An ovsdb-server that has a bridge, without ovs-vswitchd; yields its socket, and manifests."""
    directory = Path(tempfile.mkdtemp(prefix="ovsnp-test-"))
    path, remote = directory / "conf.db", database_socket(directory)
    there = {**os.environ, **environment(directory)}
    subprocess.run(["ovsdb-tool", "create", path], env=there, check=True)
    server = subprocess.Popen(["ovsdb-server", path, f"--remote=p{remote}"], env=there, stderr=subprocess.DEVNULL)
    try:
        while not (directory / "db.sock").exists():
            time.sleep(0.01)
        command = ["ovs-vsctl", f"--db={remote}", "--no-wait", "--timeout=10", "--retry"]
        subprocess.run([*command, "--", "init", "--", "add-br", "br-alone"], env=there, check=True)
        yield remote, bare.directory
    finally:
        server.kill()
        server.wait()
        shutil.rmtree(directory)


def test_ovs_vswitchd_that_does_not_run_is_an_error(database_alone: tuple[str, Path]) -> None:
    answer = run_bounded(*database_alone)
    assert (answer.code, answer.out) == (4, "")
    assert "is it running" in answer.err
    assert "Traceback" not in answer.err


def test_usage_errors_come_first(tmp_path: Path) -> None:
    assert ovsnp("apply", "--db", tmp_path / "db.sock").code == 2
