"""What the user of a live cluster may do with NetworkPolicies."""

import time
from typing import Literal

import msgspec

from ovsnp.errors import ApiServerError
from ovsnp.kubernetes.connection import ApiConnection
from ovsnp.kubernetes.failures import NotUnderstoodError
from ovsnp.kubernetes.resources import ACCESS_REVIEWS, NETWORK_POLICIES

Verb = Literal["create", "update", "delete"]

_LAST = 30.0
"""The seconds after which the API server is asked again."""


class _Decision(msgspec.Struct):
    allowed: bool = False


class _Review(msgspec.Struct):
    status: _Decision


class ClusterRights:
    """Asks the API server what the user of a connection may do (SelfSubjectAccessReview); keeps the answers a while.

    A Role is of one namespace, and it may name single policies: each answer is about one namespace and one name.
    """

    def __init__(self, connection: ApiConnection) -> None:
        self._connection = connection
        self._known: dict[tuple[Verb, str, str], tuple[float, bool]] = {}

    def obstacle(self, verb: Verb, namespace: str, name: str) -> str:
        """Why the user may not do this with a policy, or why the API server does not tell; empty: the user may.

        ``name`` is empty for a policy that is to be created: no Role allows it by name.
        """
        try:
            if self.may(verb, namespace, name):
                return ""
        except ApiServerError as error:
            return str(error)
        remedy = f"ask for a Role there with the rule {NETWORK_POLICIES.rule(verb)}"
        return f"You may not {verb} NetworkPolicies in the namespace {namespace}; {remedy}."

    def may(self, verb: Verb, namespace: str, name: str) -> bool:
        """True if the user may do this; raises ApiServerError."""
        key = (verb, namespace, name)
        asked, allowed = self._known.get(key, (0.0, None))
        if allowed is None or time.monotonic() - asked > _LAST:
            allowed = self._ask(verb, namespace, name)
            self._known[key] = time.monotonic(), allowed
        return allowed

    def _ask(self, verb: Verb, namespace: str, name: str) -> bool:
        attributes = {
            "namespace": namespace,
            "verb": verb,
            "group": NETWORK_POLICIES.group,
            "resource": NETWORK_POLICIES.plural,
            "name": name,
        }
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": ACCESS_REVIEWS.kind,
            "spec": {"resourceAttributes": attributes},
        }
        answer = self._connection.send("POST", ACCESS_REVIEWS, msgspec.json.encode(review))
        try:
            return msgspec.json.decode(answer, type=_Review).status.allowed
        except (msgspec.MsgspecError, RecursionError) as error:
            raise NotUnderstoodError(f"{self._connection.label}: the answer cannot be read ({error})") from None
