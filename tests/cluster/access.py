"""Who may do what: kubeconfigs, and ServiceAccounts with a role."""

import base64
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.client import Client
from tests.cluster.daemon import PATIENCE

RBAC = "/apis/rbac.authorization.k8s.io/v1"


def kubeconfig(url: str, authority: Path, token: str) -> str:
    """A kubeconfig with one context."""
    data = base64.b64encode(authority.read_bytes()).decode()
    written = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": {"server": url, "certificate-authority-data": data}}],
        "users": [{"name": "test", "user": {"token": token}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        "current-context": "test",
    }
    return yaml.safe_dump(written, sort_keys=False)


def service_account(client: Client, name: str, namespace: str, rules: Sequence[Mapping[str, Any]]) -> None:
    """Create a ServiceAccount, and a ClusterRole of the same name with these rules.

    Returns when the API server has seen all rules.
    """
    client.post(_accounts(namespace), {"metadata": {"name": name}})
    client.post(f"{RBAC}/clusterroles", {"metadata": {"name": name}, "rules": rules})
    binding = {
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
        "subjects": [{"kind": "ServiceAccount", "namespace": namespace, "name": name}],
    }
    client.post(f"{RBAC}/clusterrolebindings", binding)
    deadline = time.monotonic() + PATIENCE
    for attributes in _requests(rules):
        while not _may(client, f"system:serviceaccount:{namespace}:{name}", attributes):
            assert time.monotonic() < deadline, f"{name} never got {attributes}"


def token(client: Client, name: str, namespace: str, bound_to: Mapping[str, str] | None = None) -> str:
    """A token of a ServiceAccount, which may be bound to an object: kubelet binds the token of a Pod to the Pod."""
    spec = {"boundObjectRef": {"apiVersion": "v1", **bound_to}} if bound_to else {}
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
    return str(client.post(f"{_accounts(namespace)}/{name}/token", request)["status"]["token"])


def _accounts(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/serviceaccounts"


def _requests(rules: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, str]]:
    """One request for each thing that the rules allow."""
    for rule in rules:
        names = rule.get("resourceNames", [""])
        for group, whole, verb, name in product(rule["apiGroups"], rule["resources"], rule["verbs"], names):
            resource, _, part = whole.partition("/")
            yield {"group": group, "resource": resource, "subresource": part, "verb": verb, "name": name}


def _may(client: Client, user: str, attributes: Mapping[str, str]) -> bool:
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": user, "resourceAttributes": attributes},
    }
    answer = client.post("/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
    return bool(answer["status"]["allowed"])
