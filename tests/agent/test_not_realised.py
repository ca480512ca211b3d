"""A policy with a field that this version does not know: it closes its pods, and everyone is told."""

import json

from tests.agent.agent_scene import AgentScene
from tests.agent.newer_api import newer_api
from tests.support.applying import Answer, ovsnp, policy
from tests.support.scripted_api import kubeconfig

PACKET = (
    "in_port({port}),eth(src=0a:58:0a:14:01:{source:02x},dst=0a:58:00:00:00:01),eth_type(0x0800),"
    "ipv4(src=10.20.1.{source},dst=10.20.1.{to},proto=6,tos=0,ttl=64,frag=no),tcp(src=4000,dst=80),tcp_flags(syn)"
)
"""From one pod of node-1 to the other."""


def test_policy_with_an_unknown_field(scene: AgentScene) -> None:
    scene.install_kind()
    scene.kubectl("apply", "-f", "-", stdin=policy("newer", 80))
    with newer_api(scene.control_plane) as proxy:
        proxy.names.add("newer")
        config = scene.directory / "newer.kubeconfig"
        config.write_text(kubeconfig(proxy.url))

        def ask(*command: str) -> Answer:
            return ovsnp(*command, "--kubeconfig", config)

        scene.start("--kubeconfig", str(config))
        scene.wait(lambda: "spec.tier" in ask("status", "newer").out)
        told = ask("status", "newer")
        assert told.code == 1
        assert told.out.startswith(
            "default/newer: generation 1 is enforced on 0 of 1 nodes\n"
            "  not on node-1: the agent does not understand the policy, and allows nothing for its pods: spec.tier: "
        )
        assert "node node-1: ready; " in told.out
        assert "; 1 policies are not understood; " in told.out
        assert scene.logged("NetworkPolicy default/newer: spec.tier: ") == 1
        waited = ask("wait", "networkpolicy/newer", "--timeout", "1s")
        assert (waited.code, waited.out) == (1, "")
        assert "spec.tier" in waited.err
        scene.wait(lambda: "NotRealised" in scene.kubectl("events", "--for", "networkpolicy/newer"))
        node = json.loads(scene.kubectl("get", "node", "node-1", "-o", "json"))
        (condition,) = (each for each in node["status"]["conditions"] if each["type"] == "OvsnpNetworkReady")
        assert condition["status"] == "True"
        (listed,) = json.loads(scene.kubectl("get", "nps", "node-1", "-o", "json"))["status"]["notRealised"]
        assert (listed["policy"], listed["generation"]) == ("default/newer", 1)

        assert dropped(scene) == [{"direction": "ingress", "pods": ["default/db"], "packets": 1}]

        proxy.names.clear()
        scene.kubectl("apply", "-f", "-", stdin=policy("newer", 81))
        assert ask("wait", "networkpolicy/newer", "--timeout", "100s") == Answer(0, "", "")
        assert ask("status", "newer").code == 0


def dropped(scene: AgentScene) -> list[object]:
    """What policies have dropped after a packet from the frontend to the database, and one the other way."""
    scene.switch.appctl("netdev-dummy/receive", "fe0", PACKET.format(port=2, source=11, to=10))
    scene.switch.appctl("netdev-dummy/receive", "db0", PACKET.format(port=1, source=10, to=11))
    scene.switch.appctl("revalidator/purge")
    return list(json.loads(scene.ask("/counts")[1])["dropped"])
