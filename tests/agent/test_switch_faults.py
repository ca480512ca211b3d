"""Faults of Open vSwitch, and changes by others: the agent makes the bridge right again by itself."""

from pathlib import Path

import pytest

from ovsnp.pipeline.ports import GATEWAY_PORT, TUNNEL_PORT
from tests.agent.agent_scene import AgentScene
from tests.support.applying import policy

FOREIGN = "another program has"
AGAIN = "switch: works again"
OURS = "cookie=0x0a5e000000000000/0xffff000000000000"


def ports(scene: AgentScene) -> list[str]:
    """The arguments of ovs-vsctl that add the ports of both local pods."""
    added: list[str] = []
    for name, pod in (("db0", "default/db"), ("fe0", "default/frontend")):
        added += ["--", "add-port", scene.bridge.bridge, name, "--", "set", "Interface", name, "type=dummy"]
        added += [f"external_ids:iface-id={pod}"]
    return added


def remake(scene: AgentScene) -> None:
    bridge = scene.bridge.bridge
    made = ["add-br", bridge, "--", "set", "Bridge", bridge, "datapath_type=dummy", *ports(scene)]
    scene.bridge.vsctl("del-br", bridge, "--", *made)


def test_what_others_remove_add_and_change_is_made_right(followed: AgentScene) -> None:
    for command, *arguments in (
        ("del-flows", f"table=Forward,{OURS}"),
        ("del-flows",),
        ("add-flow", "table=Forward,priority=65000,cookie=0x0a5e000000000001,actions=NORMAL"),
        ("mod-flows", f"table=Output,{OURS},actions=drop"),
        ("add-flow", "--", "table=IngressRule,priority=1,actions=drop"),
        ("add-group", "group_id=7,type=select,bucket=drop"),
        ("del-groups", "group_id=7"),
        ("set-frags", "normal"),
    ):
        told, again = followed.logged(FOREIGN), followed.logged(AGAIN)
        followed.bridge.ofctl(command, *[each for each in arguments if each != "--"])
        followed.wait(lambda told=told: followed.logged(FOREIGN) > told)
        followed.wait(lambda again=again: followed.logged(AGAIN) > again)
        followed.settled()


def test_agent_takes_no_change_of_its_own_for_that_of_another(followed: AgentScene) -> None:
    told = followed.logged(FOREIGN)
    for port in range(80, 85):
        followed.kubectl("apply", "-f", "-", stdin=policy("to-db", port))
        followed.settled()
    followed.kubectl("delete", "pod", "remote", "--grace-period=0", "--force")
    followed.settled()
    followed.kubectl("delete", "networkpolicy", "to-db")
    followed.settled()
    assert followed.logged(FOREIGN) == told


def test_restart_of_ovs_vswitchd(followed: AgentScene) -> None:
    followed.switch.kill("ovs-vswitchd")
    followed.kubectl("apply", "-f", "-", stdin=policy("to-db", 90))
    followed.wait(lambda: followed.logged("cannot be reached") > 0)
    followed.switch.start_switch()
    followed.settled()
    assert "tp_dst=90" in followed.bridge.ofctl("dump-flows")


def test_restart_of_ovsdb_server_without_which_ovs_vswitchd_answers_nobody(followed: AgentScene) -> None:
    followed.switch.kill("ovsdb-server")
    followed.kubectl("apply", "-f", "-", stdin=policy("to-db", 91))
    followed.switch.start_database()
    followed.settled()
    followed.bridge.vsctl("del-port", "fe0")
    followed.bridge.add_pod("default/frontend", "fe0")
    followed.settled()


@pytest.mark.parametrize("port", [TUNNEL_PORT, GATEWAY_PORT])
def test_port_of_the_bridge_that_somebody_removed(followed: AgentScene, port: str) -> None:
    followed.bridge.vsctl("del-port", port)
    followed.settled()


def test_bridge_that_is_deleted_and_made_again_later(followed: AgentScene) -> None:
    followed.bridge.vsctl("del-br", followed.bridge.bridge)
    followed.wait(lambda: followed.logged("does not exist") > 0)
    bridge = followed.bridge.bridge
    followed.bridge.vsctl("add-br", bridge, "--", "set", "Bridge", bridge, "datapath_type=dummy", *ports(followed))
    followed.settled()


def test_bridge_that_is_deleted_and_made_again_at_once(followed: AgentScene) -> None:
    remake(followed)
    followed.settled()


def test_pods_that_exchange_their_port_numbers(followed: AgentScene) -> None:
    of_db, of_frontend = (followed.bridge.vsctl("get", "Interface", name, "ofport").strip() for name in ("db0", "fe0"))
    for name, pod in (("db0", "default/frontend"), ("fe0", "default/db")):
        followed.bridge.vsctl("set", "Interface", name, f"external_ids:iface-id={pod}")
    followed.settled()
    followed.bridge.vsctl("del-port", "db0", "--", "del-port", "fe0")
    first, second = ports(followed)[1:9], ports(followed)[9:]
    followed.bridge.vsctl(*first, f"ofport_request={of_frontend}", *second, f"ofport_request={of_db}")
    followed.settled()


def test_record_of_the_holders_that_somebody_removed(followed: AgentScene) -> None:
    Path(followed.switch.location.file(followed.bridge.bridge, "holders")).unlink()
    followed.kubectl("delete", "pod", "remote", "--grace-period=0", "--force", "--ignore-not-found")
    followed.control_plane.load(followed.directory / "objects.yaml")
    followed.settled()
    assert not followed.logged("cannot be written")
