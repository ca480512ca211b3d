"""NodePolicyStatus: the object in which the agent of a node says what is enforced there (deploy/crd.yaml)."""

from collections.abc import Mapping
from typing import Any

import msgspec

from ovsnp.kubernetes.failures import NotUnderstoodError

API_VERSION = "ovsnp.io/v1alpha1"
KIND = "NodePolicyStatus"

READY = "Ready"
API_SERVER_CONNECTED = "APIServerConnected"
SWITCH_CONNECTED = "SwitchConnected"

RENEWAL = 60.0
"""The seconds after which an agent writes its object again, even if nothing has changed."""


class NotRealisedPolicy(msgspec.Struct, frozen=True, order=True):
    """A policy (``NAMESPACE/NAME``) that the node does not enforce as it is written, and the reason in one sentence."""

    policy: str
    generation: int
    reason: str


class NodeAgent(msgspec.Struct, frozen=True):
    """The agent of a node; ``started`` is the time of the start by the clock of the node (RFC 3339)."""

    version: str
    started: str
    bridge: str


class NodeCondition(msgspec.Struct, frozen=True, rename="camel"):
    """A condition as all objects of Kubernetes have it; ``status`` is ``True`` or ``False``."""

    type: str
    status: str
    reason: str
    message: str
    last_transition_time: str


class NodeStatus(msgspec.Struct, frozen=True, rename="camel"):
    """The status of the object.

    ``observed`` has for each kind the resource version up to which Open vSwitch has confirmed the flows.
    ``not_realised`` may leave policies out if there are very many; ``not_realised_count`` is the number of all.
    ``renew_time`` is the time of the write by the clock of the node, for people: readers compare no clocks of nodes.
    """

    observed: Mapping[str, str] = {}
    not_realised: tuple[NotRealisedPolicy, ...] = ()
    not_realised_count: int = 0
    agent: NodeAgent | None = None
    conditions: tuple[NodeCondition, ...] = ()
    renew_time: str = ""

    def condition(self, kind: str) -> NodeCondition | None:
        """The condition of a type."""
        return next((each for each in self.conditions if each.type == kind), None)


class _ManagedFields(msgspec.Struct):
    time: str = ""


class NodeStatusMetadata(msgspec.Struct, rename="camel"):
    """The part of the metadata that readers need: ``written`` is the last write by the clock of the API server."""

    name: str
    creation_timestamp: str = ""
    managed_fields: list[_ManagedFields] = []

    @property
    def written(self) -> str:
        """The time of the last write (RFC 3339), by the clock of the API server."""
        return max([each.time for each in self.managed_fields] or [self.creation_timestamp])


class NodePolicyStatus(msgspec.Struct):
    """The object, named as its node."""

    metadata: NodeStatusMetadata
    status: NodeStatus = NodeStatus()


def read_node_policy_status(body: bytes | msgspec.Raw) -> NodePolicyStatus:
    """Read the object; raises NotUnderstoodError for other text."""
    try:
        return msgspec.json.decode(body, type=NodePolicyStatus)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise NotUnderstoodError(f"a {KIND} cannot be read ({error})") from None


def new_object(node: str, uid: str) -> dict[str, Any]:
    """The object without status, owned by the Node with this uid, so that it goes with the node."""
    owner = {"apiVersion": "v1", "kind": "Node", "name": node, "uid": uid}
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": node, "ownerReferences": [owner]}}
