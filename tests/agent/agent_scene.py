"""An agent on a real bridge that follows a real API server."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from ovsnp.apply import preview
from ovsnp.apply.holders import changed, holders
from ovsnp.errors import SwitchError
from ovsnp.kubernetes.connection import READ
from ovsnp.kubernetes.resources import FOLLOWED
from ovsnp.manifests import load_objects
from ovsnp.model.options import Options
from ovsnp.switch.record import read_record
from tests.agent import impatient
from tests.cluster.control_plane import ControlPlane
from tests.support.applying import CLUSTER, ApplyScene
from tests.support.deploying import install_kind
from tests.support.instance import DummySwitch
from tests.support.unix_http import request

_PATIENCE = 120.0
_PAUSE = 0.05


class AgentScene:
    """A bridge of node-1 with the ports of its pods, the API server with the cluster's objects, and an agent."""

    def __init__(self, switch: DummySwitch, control_plane: ControlPlane, directory: Path) -> None:
        self.switch, self.control_plane, self.directory = switch, control_plane, directory
        self.bridge = ApplyScene(switch, "br-agent", directory)
        self.log: Path = directory / "agent.log"
        self.socket = directory / "control" / "agent.sock"
        self.agent: subprocess.Popen[bytes] | None = None
        file = directory / "objects.yaml"
        file.write_text(CLUSTER)
        control_plane.load(file)
        self.bridge.add_pod("default/db", "db0")
        self.bridge.add_pod("default/frontend", "fe0")

    def start(
        self,
        *options: str,
        silence: float = READ,
        program: ModuleType = impatient,
        environment: Mapping[str, str] = {},
    ) -> None:
        """Start an agent, which takes an API server for dead after some seconds of silence; returns at once."""
        command = [sys.executable, str(program.__file__), str(silence)]
        command += ["agent", "--node", "node-1", "--bridge", self.bridge.bridge]
        command += ["--kubeconfig", str(self.control_plane.kubeconfig), "--db", self.switch.location.database]
        command += ["--socket", str(self.socket), *options]
        with self.log.open("ab") as log:
            self.agent = subprocess.Popen(
                command,
                stderr=log,
                env={
                    **os.environ,
                    "OVS_RUNDIR": self.switch.location.rundir,
                    "PYTHONPATH": os.pathsep.join(sys.path),
                    **environment,
                },
            )

    def install_kind(self) -> None:
        """Have the API server know NodePolicyStatus, and no object of this kind."""
        install_kind(self.control_plane)

    def ask(self, target: str) -> tuple[int, str]:
        """Status and text of the answer of the control socket."""
        answer = request(self.socket, target)
        return answer.status, answer.read().decode()

    def stop(self, kind: signal.Signals = signal.SIGTERM) -> int:
        """End the agent; returns its exit code."""
        assert self.agent
        self.agent.send_signal(kind)
        return self.agent.wait(timeout=_PATIENCE)

    def ended(self) -> int:
        """Wait until the agent ends by itself; returns its exit code, negative for a signal."""
        assert self.agent
        return self.agent.wait(timeout=_PATIENCE)

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        """Run kubectl as an administrator."""
        return self.control_plane.kubectl(*arguments, stdin=stdin)

    def is_as_compiled(self) -> bool:
        """True if the bridge has exactly the flows of a compilation from nothing, and the record has all holders."""
        location, bridge = self.switch.location, self.bridge.bridge
        cluster = load_objects([{"apiVersion": "v1", "kind": "List", "items": [*self.objects()]}])
        try:
            found = preview(location, cluster, Options(bridge=bridge, node="node-1"), remove_missing=True)
            turned = changed(read_record(location, bridge), holders(cluster.pods))
        except SwitchError:
            return False
        return not (found.plan or found.bridge or turned)

    def objects(self) -> Iterator[dict[str, Any]]:
        """All objects of the API server that decide about connections."""
        for resource in FOLLOWED:
            version = f"{resource.group}/{resource.version}".lstrip("/")
            for item in self.control_plane.client.get(resource.path)["items"]:
                yield {"apiVersion": version, "kind": resource.kind, **item}

    def settled(self) -> None:
        """Wait until the bridge is as a compilation from nothing makes it."""
        self.wait(self.is_as_compiled)

    def wait(self, reached: Callable[[], bool]) -> None:
        """Wait for a condition; the agent must run meanwhile."""
        until = time.monotonic() + _PATIENCE
        while not reached():
            assert self.agent
            assert self.agent.poll() is None, self.log.read_text()
            assert time.monotonic() < until, self.log.read_text()
            time.sleep(_PAUSE)

    def logged(self, text: str) -> int:
        """The number of lines of the log with a text."""
        return sum(text in line for line in self.log.read_text().splitlines())

    def close(self) -> None:
        """End the agent, and delete the bridge."""
        if self.agent and self.agent.poll() is None:
            self.stop(signal.SIGKILL)
        self.bridge.close()
