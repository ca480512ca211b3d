"""The ServiceAccount of the agents with its ClusterRole and the admission policy of deploy/, in a real cluster."""

import time
from http import HTTPStatus

from tests.cluster.access import token
from tests.cluster.client import ApiError, Client
from tests.cluster.control_plane import ControlPlane
from tests.support.deploying import DEPLOY, manifest

NAME: str = manifest("service-account.yaml")["metadata"]["name"]
NAMESPACE: str = manifest("kustomization.yaml")["namespace"]

_PATIENCE = 60.0
_PAUSE = 0.05


class AgentAccount:
    """Has the cluster, which must have node-1, know the account and enforce the policy."""

    def __init__(self, control_plane: ControlPlane) -> None:
        self._control_plane = control_plane
        control_plane.load(DEPLOY / "namespace.yaml")
        control_plane.service_account(NAME, manifest("cluster-role.yaml")["rules"], NAMESPACE)
        for name in ("admission-policy.yaml", "admission-policy-binding.yaml"):
            control_plane.load(DEPLOY / name)
        self._wait_for_policy()

    def pod_token(self, node: str) -> str:
        """The token that kubelet gives to the Pod of an agent on a node."""
        spec = {**manifest("daemon-set.yaml")["spec"]["template"]["spec"], "nodeName": node}
        metadata = {"name": f"agent-{node}", "namespace": NAMESPACE}
        self._control_plane.create([{"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}])
        return self._token({"kind": "Pod", "name": metadata["name"]})

    def node_token(self, node: str) -> str:
        """A token for an agent that runs on a node, but not in a Pod."""
        return self._token({"kind": "Node", "name": node})

    def unbound_token(self) -> str:
        """A token that names no node."""
        return self._token(None)

    def _token(self, bound_to: dict[str, str] | None) -> str:
        return token(self._control_plane.client, NAME, NAMESPACE, bound_to)

    def _wait_for_policy(self) -> None:
        client = self._control_plane.client_with(self.unbound_token())
        deadline = time.monotonic() + _PATIENCE
        while not _refuses(client):
            assert time.monotonic() < deadline, "the API server does not enforce the admission policy"
            time.sleep(_PAUSE)


def _refuses(client: Client) -> bool:
    try:
        client.patch("/api/v1/nodes/node-1/status?dryRun=All", {})
    except ApiError as error:
        if error.code != HTTPStatus.FORBIDDEN:
            raise
        return True
    return False
