"""`ovsnp status` and `ovsnp wait`, with a real API server and an agent."""

import json
import signal

import jsonschema

from ovsnp.cli.schemas import schemas
from tests.agent.agent_scene import AgentScene
from tests.support.applying import Answer, ovsnp, policy

KIND_OF_NPS = "/apis/ovsnp.io/v1alpha1/nodepolicystatuses"


def test_status_and_wait(scene: AgentScene) -> None:
    unknown = status(scene)
    assert unknown.code == 4
    assert "list NodePolicyStatus" in unknown.err
    scene.install_kind()
    scene.kubectl("apply", "-f", "-", stdin=policy("to-db", 80))
    assert status(scene, "to-db") == Answer(
        1,
        "default/to-db: generation 1 is enforced on 0 of 1 nodes\n"
        "  not on node-1: no agent has published the status of this node; is ovsnp agent running there?\n"
        "\n"
        "node node-1: no agent has published the status of this node; is ovsnp agent running there?\n",
        "0 of 1 policies are enforced on all nodes with a pod that they select\n",
    )
    late = wait(scene, "to-db", "0")
    assert (late.code, late.out) == (1, "")
    assert late.err.startswith("default/to-db: generation 1 is enforced on 0 of 1 nodes\n")
    assert late.err.endswith("ovsnp: the time is up\n")

    scene.start()
    assert wait(scene, "to-db", "100s") == Answer(0, "", "")
    scene.kubectl("apply", "-f", "-", stdin=policy("to-db", 81))
    assert wait(scene, "to-db", "100s") == Answer(0, "", "")
    assert "tp_dst=81" in scene.bridge.ofctl("dump-flows")
    there = status(scene, "-o", "json")
    assert there.code == 0
    document = json.loads(there.out)
    jsonschema.validate(document, json.loads(schemas()["status.schema.json"]))
    assert document["policies"] == [
        {"namespace": "default", "name": "to-db", "generation": 2, "enforcing": ["node-1"], "lacking": []}
    ]
    assert status(scene, "--node", "node-2").out.startswith("node node-2: no agent")

    absent = status(scene, "to-nobody")
    assert (absent.code, absent.out) == (2, "")
    assert absent.err.startswith("ovsnp: the cluster has no NetworkPolicy default/to-nobody;")
    assert wait(scene, "to-nobody", "1s").err == absent.err

    assert scene.stop(signal.SIGKILL) == -signal.SIGKILL
    scene.kubectl("apply", "-f", "-", stdin=policy("to-db", 82))
    behind = status(scene)
    assert behind.code == 1
    assert "not on node-1: the switch has the policies up to version" in behind.out
    write_long_ago(scene)
    silent = status(scene)
    assert silent.code == 1
    assert "not on node-1: the agent has not been heard of for" in silent.out
    assert wait(scene, "to-db", "1s").code == 1


def test_agent_that_has_ended(scene: AgentScene) -> None:
    scene.install_kind()
    scene.kubectl("apply", "-f", "-", stdin=policy("to-db", 80))
    scene.start()
    assert wait(scene, "to-db", "100s").code == 0
    assert scene.stop() == 0
    ended = status(scene)
    assert ended.code == 1
    assert "not on node-1: the agent has ended; the flows stay as they are" in ended.out


def status(scene: AgentScene, *arguments: str) -> Answer:
    return ovsnp("status", "--kubeconfig", scene.control_plane.kubeconfig, *arguments)


def wait(scene: AgentScene, name: str, timeout: str) -> Answer:
    command = ("wait", f"networkpolicy/{name}", "-n", "default", "--timeout", timeout)
    return ovsnp(*command, "--kubeconfig", scene.control_plane.kubeconfig)


def write_long_ago(scene: AgentScene) -> None:
    """Have the API server believe that the agent of node-1 last wrote in 2020.

    It takes the times only with another change of the object.
    """
    client = scene.control_plane.client
    there = client.get(f"{KIND_OF_NPS}/node-1")
    for each in there["metadata"]["managedFields"]:
        each["time"] = "2020-01-01T00:00:00Z"
    there["metadata"]["labels"] = {"changed": "true"}
    client.put(f"{KIND_OF_NPS}/node-1", there)
