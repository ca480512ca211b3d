"""A control plane for tests: etcd and kube-apiserver, with nothing else.

There are no controllers, no scheduler and no kubelet: a Pod runs where, and has the addresses that, its manifest says
(`ControlPlane.load`); nobody makes EndpointSlices from Services.
"""

import http.client
import json
import shutil
import subprocess
import urllib.request
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.cluster.access import kubeconfig, service_account, token
from tests.cluster.audit import POLICY, Asked, asked_by
from tests.cluster.client import Client, Object
from tests.cluster.daemon import LOOPBACK, Daemon, ReservedPort
from tests.cluster.objects import clear, create, read

ADMIN_TOKEN = "admin"
SERVICE_BLOCKS = ("10.96.0.0/16", "fd00:10:96::/112")
"""The cluster IPs of Services; the first one is that of the Service `kubernetes`."""


class KubectlError(Exception):
    """kubectl has failed; the message is that of kubectl."""


class ControlPlane:
    """etcd and kube-apiserver with data and logs in ``directory``; `running` starts and ends them.

    ``port``, ``authority`` and ``token`` are what a client needs, and ``kubeconfig`` is a file with all of it; the user
    may do everything. They stay the same when a process starts again.
    """

    def __init__(self, programs: Path, directory: Path, ports: tuple[int, int, int]) -> None:
        self.port, self._etcd_port, peer_port = ports
        self.token = ADMIN_TOKEN
        self.directory = directory
        self.certificates = directory / "certificates"
        self.authority = self.certificates / "apiserver.crt"
        self.data = directory / "etcd"
        self.kubeconfig = directory / "kubeconfig"
        self._programs = programs
        self.etcd = Daemon(
            _etcd_command(programs, self.data, self._etcd_port, peer_port), directory / "etcd.log", self._etcd_answers
        )
        self.api_server = Daemon(
            _api_server_command(programs, directory, self.port, self._etcd_port),
            directory / "api-server.log",
            self._is_ready,
        )

    @property
    def url(self) -> str:
        """The URL of the API server."""
        return f"https://{LOOPBACK}:{self.port}"

    @property
    def client(self) -> Client:
        """A new connection to the API server, as admin."""
        return self.client_with(self.token)

    def start(self) -> None:
        """Start or resume what does not run, and wait until the API server is ready; raises DaemonError."""
        self.etcd.start()
        self.api_server.start()
        self.kubeconfig.write_text(kubeconfig(self.url, self.authority, self.token), encoding="utf-8")

    def stop(self) -> None:
        """Kill both processes."""
        self.api_server.kill()
        self.etcd.kill()

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        """The output of kubectl, as admin; raises KubectlError."""
        command = self.kubectl_command(*arguments)
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, timeout=300)
        if done.returncode:
            raise KubectlError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def kubectl_command(self, *arguments: str) -> list[str]:
        """The command line of kubectl, as admin."""
        settings = ["--kubeconfig", str(self.kubeconfig), "--cache-dir", str(self.directory / "kubectl")]
        return [str(self._programs / "kubectl"), *settings, *arguments]

    def load(self, *paths: Path) -> None:
        """Create all objects of manifests (files, or directories of files), each with its status; raises ApiError.

        An object that is already there is replaced. See `tests.cluster.objects.create`.
        """
        self.create(read(paths))

    def create(self, objects: Iterable[Mapping[str, Any]]) -> None:
        """The same for objects."""
        create(self.client, objects)

    def clear(self) -> None:
        """Delete all objects but those of a new cluster."""
        clear(self.client)

    def service_account(self, name: str, rules: Sequence[Mapping[str, Any]], namespace: str = "default") -> Path:
        """A kubeconfig for a new ServiceAccount that may do what these rules of a ClusterRole allow, and no more."""
        service_account(self.client, name, namespace, rules)
        return self.token_kubeconfig(name, token(self.client, name, namespace))

    def token_kubeconfig(self, name: str, token: str) -> Path:
        """A kubeconfig with a token, in a file with a name of its own."""
        path = self.directory / f"kubeconfig-{name}"
        path.write_text(kubeconfig(self.url, self.authority, token), encoding="utf-8")
        return path

    def client_with(self, token: str) -> Client:
        """A new connection to the API server with a token."""
        return Client(self.port, self.authority, token)

    def asked_by(self, name: str, namespace: str = "default") -> set[Asked]:
        """What a ServiceAccount has asked of the API server, whether it was allowed or not."""
        return asked_by(self.directory / "audit.log", f"system:serviceaccount:{namespace}:{name}")

    def compact(self) -> int:
        """Have etcd forget all but the newest revision, which is the result.

        The API server answers from memory what it has seen itself; only a new one notices.
        """
        revision = int(self._ask_etcd("maintenance/status")["header"]["revision"])
        self._ask_etcd("kv/compaction", {"revision": revision, "physical": True})
        return revision

    def save_data(self, directory: Path) -> None:
        """Copy all objects into a new directory; both processes start again."""
        self.api_server.stop()
        self.etcd.stop()
        shutil.copytree(self.data, directory)
        self.start()

    def restore_data(self, directory: Path) -> None:
        """Go back to the objects and resource versions that `save_data` has copied; both processes start again."""
        self.stop()
        shutil.rmtree(self.data)
        shutil.copytree(directory, self.data)
        self.start()

    def _is_ready(self) -> bool:
        try:
            status, _ = self.client.raw("GET", "/readyz")
        except (OSError, http.client.HTTPException):
            return False
        return status == http.client.OK

    def _etcd_answers(self) -> bool:
        try:
            self._ask_etcd("maintenance/status")
        except (OSError, http.client.HTTPException):
            return False
        return True

    def _ask_etcd(self, method: str, request: Mapping[str, Any] | None = None) -> Object:
        """Call a method of etcd's API by its JSON gateway."""
        body = json.dumps(request or {}).encode()
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"http://{LOOPBACK}:{self._etcd_port}/v3/{method}", body, timeout=60) as answer:
            return dict(json.load(answer))


@contextmanager
def running(programs: Path) -> Iterator[ControlPlane]:
    """A control plane in a directory and at ports of its own, for the time of the context."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory(prefix="ovsnp-cluster-")))
        first, second, third = (stack.enter_context(ReservedPort()).number for _ in range(3))
        made = ControlPlane(programs, directory, (first, second, third))
        stack.callback(made.stop)
        (directory / "audit.yaml").write_text(POLICY, encoding="utf-8")
        (directory / "tokens.csv").write_text(f'{ADMIN_TOKEN},admin,admin,"system:masters"\n', encoding="utf-8")
        made.start()
        yield made


def _etcd_command(programs: Path, data: Path, port: int, peer_port: int) -> list[str]:
    client, peer = f"http://{LOOPBACK}:{port}", f"http://{LOOPBACK}:{peer_port}"
    return [
        str(programs / "etcd"),
        f"--data-dir={data}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        "--socket-reuse-port",
        # What a killed process has written stays; only a machine that loses power would lose it.
        "--unsafe-no-fsync",
        "--log-level=error",
    ]


def _api_server_command(programs: Path, directory: Path, port: int, etcd_port: int) -> list[str]:
    key = directory / "certificates" / "apiserver.key"
    return [
        str(programs / "kube-apiserver"),
        f"--etcd-servers=http://{LOOPBACK}:{etcd_port}",
        "--etcd-compaction-interval=0",
        f"--bind-address={LOOPBACK}",
        f"--secure-port={port}",
        "--permit-port-sharing",
        "--endpoint-reconciler-type=none",
        f"--cert-dir={directory / 'certificates'}",
        f"--token-auth-file={directory / 'tokens.csv'}",
        "--authorization-mode=RBAC",
        f"--audit-policy-file={directory / 'audit.yaml'}",
        f"--audit-log-path={directory / 'audit.log'}",
        "--disable-admission-plugins=ServiceAccount",
        f"--service-cluster-ip-range={','.join(SERVICE_BLOCKS)}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-signing-key-file={key}",
        f"--service-account-key-file={key}",
    ]
