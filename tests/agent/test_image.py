"""The image of deploy/, started with the rights of the DaemonSet: it keeps the bridge of its node."""

import os
import subprocess

import pytest

from ovsnp.errors import SwitchError
from ovsnp.lab.runtime.docker import check_daemon
from tests.agent.agent_scene import AgentScene
from tests.support.checkout import ROOT
from tests.support.deploying import manifest

BASE_VARIABLE = "OVSNP_IMAGE_BASE"
"""The variable of the environment that names another base image, where none can be pulled."""


@pytest.fixture(scope="module")
def image() -> str:
    try:
        check_daemon()
    except (SwitchError, FileNotFoundError) as error:
        pytest.skip(f"no image without Docker: {error}")
    name = f"ovsnp-agent-test-{os.getpid()}"
    base = ["--build-arg", f"BASE={os.environ[BASE_VARIABLE]}"] if BASE_VARIABLE in os.environ else []
    file = ["--file", str(ROOT / "deploy" / "Dockerfile")]
    build = ["docker", "build", "--network", "host", "--tag", name, *base, *file, str(ROOT)]
    built = subprocess.run(build, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout[-3000:] + built.stderr[-3000:]
    return name


def rights() -> list[str]:
    """The rights of the DaemonSet's container, as options of docker."""
    (container,) = manifest("daemon-set.yaml")["spec"]["template"]["spec"]["containers"]
    context = container["securityContext"]
    assert context["readOnlyRootFilesystem"]
    assert not context["allowPrivilegeEscalation"]
    dropped = [word for each in context["capabilities"]["drop"] for word in ("--cap-drop", each)]
    assert "/tmp" in {mount["mountPath"] for mount in container["volumeMounts"]}
    return ["--read-only", "--tmpfs", "/tmp", "--security-opt", "no-new-privileges", "--user", "0:0", *dropped]


def test_the_image_keeps_a_bridge_with_the_rights_of_the_daemon_set(scene: AgentScene, image: str) -> None:
    rundir, name = scene.switch.location.rundir, f"{image}-run"
    mounts = ["--volume", f"{rundir}:/run/openvswitch", "--volume", f"{scene.directory}:{scene.directory}"]
    kubeconfig = scene.directory / "kubeconfig"
    kubeconfig.write_bytes(scene.control_plane.kubeconfig.read_bytes())
    command = ["docker", "run", "--rm", "--name", name, "--network", "host", *rights(), *mounts, image]
    options = ["--node", "node-1", "--bridge", scene.bridge.bridge, "--kubeconfig", str(kubeconfig)]
    with scene.log.open("ab") as log:
        scene.agent = subprocess.Popen([*command, *options, "--socket", str(scene.socket)], stderr=log)
    try:
        scene.settled()
        subprocess.run(["docker", "stop", name], capture_output=True, check=True)
        assert scene.agent.wait(timeout=60) == 0
        assert scene.is_as_compiled()
    finally:
        subprocess.run(["docker", "rm", "--force", name], capture_output=True, check=False)
        subprocess.run(["docker", "image", "rm", "--force", image], capture_output=True, check=False)
