"""The objects of a node that its agent writes: its NodePolicyStatus, and a condition of the Node itself."""

import msgspec

from ovsnp.errors import ApiServerError
from ovsnp.kubernetes.connection import ApiConnection
from ovsnp.kubernetes.failures import NoSuchObjectError
from ovsnp.kubernetes.node_policy_status import (
    READY,
    NodeStatus,
    new_object,
    read_node_policy_status,
)
from ovsnp.kubernetes.resources import NODE_POLICY_STATUSES, NODES, Resource

NODE_CONDITION = "OvsnpNetworkReady"

_MERGE_PATCH = "application/merge-patch+json"
_STRATEGIC_MERGE_PATCH = "application/strategic-merge-patch+json"

_MISSING = (
    "the cluster does not know the kind NodePolicyStatus, so ovsnp status and ovsnp wait do not see this node;"
    " kubectl apply -f deploy/crd.yaml"
)


class _Owner(msgspec.Struct):
    uid: str


class _OwnerMetadata(msgspec.Struct):
    metadata: _Owner


class _Owners(msgspec.Struct):
    items: list[_OwnerMetadata] = []


class NodeObjects:
    """Writes the objects of one node. ``last`` is the status that an earlier agent has written."""

    def __init__(self, connection: ApiConnection, node: str) -> None:
        self._connection, self._node = connection, node
        self._exists = False
        self._condition: tuple[str, str, str] | None = None
        self.last = NodeStatus()

    def find_or_create(self) -> None:
        """Make sure that the object is there.

        Raises ApiServerError, also if the cluster does not know the kind, or has no Node of this name.
        """
        if self._exists:
            return
        try:
            body = self._connection.get(NODE_POLICY_STATUSES, {}, verb="get", name=self._node)
        except NoSuchObjectError:
            self._create()
        else:
            self.last = read_node_policy_status(body).status
        self._exists = True

    def write(self, status: NodeStatus) -> None:
        """Write the status; raises the errors of `find_or_create`."""
        try:
            self._patch(status)
        except NoSuchObjectError:
            self._exists = False  # deleted with its Node, or by a person
            self._condition = None  # a Node that was made anew has no condition
            self.find_or_create()
            self._patch(status)

    def write_condition(self, status: NodeStatus) -> None:
        """Write the condition of the Node if it is another one: all who watch Nodes get each write of a Node.

        Raises ApiServerError.
        """
        ready = status.condition(READY)
        if ready is None or (state := (ready.status, ready.reason, ready.message)) == self._condition:
            return
        condition = {
            "type": NODE_CONDITION,
            "status": ready.status,
            "reason": ready.reason,
            "message": ready.message,
            "lastHeartbeatTime": status.renew_time,
            "lastTransitionTime": ready.last_transition_time,
        }
        self._patch_part(NODES, {"conditions": [condition]}, _STRATEGIC_MERGE_PATCH)
        self._condition = state

    def _create(self) -> None:
        """Create the object; its status is written afterwards."""
        query = {"fieldSelector": f"metadata.name={self._node}"}
        owners = msgspec.json.decode(self._connection.get(NODES, query), type=_Owners).items
        if not owners:
            raise ApiServerError(
                f"the cluster has no Node {self._node}, so the agent cannot tell what is enforced there"
            )
        body = msgspec.json.encode(new_object(self._node, owners[0].metadata.uid))
        try:
            self._connection.send("POST", NODE_POLICY_STATUSES, body)
        except NoSuchObjectError:
            raise ApiServerError(_MISSING) from None

    def _patch(self, status: NodeStatus) -> None:
        self._patch_part(NODE_POLICY_STATUSES, status, _MERGE_PATCH)

    def _patch_part(self, resource: Resource, status: object, content_type: str) -> None:
        body = msgspec.json.encode({"status": status})
        self._connection.send("PATCH", resource, body, name=self._node, part="status", content_type=content_type)
