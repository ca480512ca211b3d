"""An Open vSwitch for tests that needs no root: the dummy datapath, with ports that take traced packets."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path

from ovsnp.errors import SwitchError
from ovsnp.lab.daemons import database_socket, environment, launch, start_database, start_switch
from ovsnp.lab.datapath import DatapathType
from ovsnp.pipeline.conntrack import ZONE
from ovsnp.switch.control import control
from ovsnp.switch.location import Location

_TIMEOUTS = ("tcp_syn_sent", "tcp_syn_recv", "udp_first", "udp_single", "udp_multiple")


class DummySwitch:
    """An ovsdb-server and an ovs-vswitchd in ``directory``, until `stop`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.environment = {**os.environ, **environment(directory)}
        self.location = Location(database_socket(directory), str(directory))
        self.daemons: dict[str, subprocess.Popen[bytes]] = {}
        launch(directory, DatapathType.NETDEV, self._start, self.run)
        # Tests often wait for the next check of the megaflows; the default is 500 ms, and this is the least.
        self.run(["ovs-vsctl", "--no-wait", "set", "Open_vSwitch", ".", "other_config:max-revalidator=100"])
        self._connection = ExitStack()
        self._connect()

    def _connect(self) -> None:
        """Open a connection for commands of ovs-appctl, to the ovs-vswitchd that runs now."""
        self._connection.close()
        self._control = self._connection.enter_context(control(self.location))

    def _start(self, command: Sequence[str], output: Path) -> subprocess.Popen[bytes]:
        whole = list(command)
        if command[0] == "ovs-vswitchd":
            whole = [*_own_network(), *command, "--enable-dummy", "--disable-system-route"]
        with output.open("wb") as file:
            daemon = subprocess.Popen(whole, env=self.environment, stdout=file, stderr=file)
        self.daemons[command[0]] = daemon
        return daemon

    def kill(self, name: str) -> None:
        """Kill a daemon, ``ovsdb-server`` or ``ovs-vswitchd``, so that it cannot clean up."""
        self.daemons[name].kill()
        self.daemons[name].wait()

    def start_switch(self) -> None:
        """Start ovs-vswitchd again after `kill`."""
        start_switch(self.directory, DatapathType.NETDEV, self._start, self.run)
        self._connect()

    def start_database(self) -> None:
        """Start ovsdb-server again after `kill`, with the same database."""
        start_database(self.directory, self._start, self.run)
        # Only a command that changes something waits for ovs-vswitchd, which takes some time to connect again.
        self.run(["ovs-vsctl", "--timeout=20", "set", "open_vswitch", ".", "external_ids:connected=again"])

    def run(self, command: Sequence[str], text: str | None = None) -> str:
        """Run one of Open vSwitch's tools against this instance; returns its output, errors included."""
        for _ in range(5):
            done = subprocess.run(
                command,
                env=self.environment,
                input=text,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
                timeout=60,
            )
            # On a busy machine ovs-vswitchd may drop the connection before ovs-ofctl sends its request.
            if not (done.returncode and "(Broken pipe)" in done.stdout):
                break
        if done.returncode:
            raise SwitchError(f"{' '.join(command)}: {done.stdout}")
        return done.stdout

    def appctl(self, *command: str) -> str:
        """Run a command of ovs-appctl in ovs-vswitchd; raises SwitchError where the answer is an error."""
        return self._control.command(*command)

    @contextmanager
    def lasting_connections(self) -> Iterator[None]:
        """No connection of ovsnp's zones expires meanwhile, however busy the machine is."""
        made = ["--", "--id=@hour", "create", "CT_Timeout_Policy", *(f"timeouts:{name}=3600" for name in _TIMEOUTS)]
        made += ["--", "--id=@zone", "create", "CT_Zone", "timeout_policy=@hour"]
        made += ["--", "--id=@dummy", "create", "Datapath", "datapath_version=0"]
        made += [f"ct_zones:{zone}=@zone" for zone in ZONE.values()]
        self.run(["ovs-vsctl", "--timeout=60", *made, "--", "set", "Open_vSwitch", ".", "datapaths:dummy=@dummy"])
        try:
            yield
        finally:
            self.run(["ovs-vsctl", "--timeout=60", "remove", "Open_vSwitch", ".", "datapaths", "dummy"])

    def add_bridge(self, bridge: str, ofports: dict[str, int]) -> None:
        """Make a bridge with dummy ports of these names and numbers."""
        command = ["ovs-vsctl", "--timeout=20", "--", "add-br", bridge, "--", "set", "Bridge", bridge]
        command += ["datapath_type=dummy", "fail_mode=secure", "protocols=OpenFlow15"]
        for name, ofport in ofports.items():
            command += ["--", "add-port", bridge, name, "--", "set", "Interface", name, "type=dummy"]
            command += [f"ofport_request={ofport}"]
        self.run(command)

    def delete_bridge(self, bridge: str) -> None:
        """Delete a bridge and its ports."""
        self.run(["ovs-vsctl", "--timeout=20", "del-br", bridge])

    def datapath_ports(self, bridge: str) -> dict[int, int]:
        """The OpenFlow port of each datapath port of a bridge."""
        ports = {}
        here = False
        for line in self.appctl("dpif/show").splitlines():
            words = line.split()
            if line.startswith("  ") and not line.startswith("    "):
                here = words[0] == f"{bridge}:"
            elif here and len(words) > 1:
                ofport, _, datapath_port = words[1].rstrip(":").partition("/")
                if ofport.isdigit() and datapath_port.isdigit():
                    ports[int(datapath_port)] = int(ofport)
        return ports

    def stop(self) -> None:
        """Kill both daemons."""
        self._connection.close()
        for name in reversed(self.daemons):
            self.kill(name)


@cache
def _own_network() -> tuple[str, ...]:
    """The prefix of a command that runs in its own network namespace; empty where this user cannot make one.

    Open vSwitch 3.3 and later lose the dummy datapath's tunnel listener when a link of the host changes, and other
    tests create and delete links at the same time.
    """
    for ways in (("unshare", "--net"), ("unshare", "--net", "--map-root-user")):
        if shutil.which(ways[0]) and not subprocess.run([*ways, "true"], capture_output=True, check=False).returncode:
            return ways
    return ()


@contextmanager
def own_switch() -> Iterator[DummySwitch]:
    """An Open vSwitch for the duration of the context."""
    directory = Path(tempfile.mkdtemp(prefix="ovsnp-test-"))  # short: a socket's path has at most 107 characters
    switch = DummySwitch(directory / "ovs")
    try:
        yield switch
    finally:
        switch.stop()
        shutil.rmtree(directory)
