"""Plans a lab of a cluster: the contents of the lab, the files that it is built from, and what is left out."""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from ovsnp.errors import UsageError
from ovsnp.lab.own.choosing import Chosen, choose, serving_addresses
from ovsnp.lab.own.outsiders import Outsiders, find_outsiders
from ovsnp.lab.own.underlay import Underlay, lay
from ovsnp.lab.own.wiring import Wiring
from ovsnp.lab.own.writing import cluster_objects, policy_objects
from ovsnp.model.address import Address
from ovsnp.model.cluster import Cluster
from ovsnp.model.policy import NetworkPolicy
from ovsnp.oracle import selects

MOST_PODS = 40
"""The default limit. Every pair of pods is tried at every port: twice the pods are four times the connections."""

_NAMED = 5
_POLICIES = "policies.json"


class LabPlan(msgspec.Struct, frozen=True):
    """The part of a cluster that is in a lab, the underlay and the outside hosts.

    ``left_out`` are sentences about what is left out of the lab, and about changed addresses.
    """

    cluster: Cluster
    underlay: Underlay
    outsiders: tuple[Address, ...]
    left_out: tuple[str, ...]

    def write(self, folder: Path, name: str) -> tuple[Path, Path]:
        """Write the topology of a lab of that name and the manifests; give the files of topology and policies."""
        (folder / "cluster").mkdir(parents=True)
        topology = folder / f"{name}.clab.yml"
        wiring = Wiring(self.underlay.nodes, self.cluster.pods, self.outsiders)
        # JSON is YAML, too.
        _write(topology, wiring.document(name, self.underlay.segments))
        _write(folder / "cluster" / "cluster.json", _list(cluster_objects(self.cluster)))
        return topology, write_policies(folder, self.cluster, self.cluster.policies)


def plan(cluster: Cluster, most_pods: int) -> LabPlan:
    """Plan a lab of at most ``most_pods`` pods; raises UsageError where the cluster has no node or no pod."""
    if not cluster.nodes:
        raise UsageError("no node can be used, and a lab is built of nodes; add them: kubectl get nodes -o json")
    if not cluster.pods:
        raise UsageError(
            "the manifests have no pod with an address; add those of a cluster: kubectl get pods -A -o json"
        )
    chosen = choose(cluster, most_pods)
    names = {pod.node for pod in chosen.pods}
    underlay = lay([node for node in cluster.nodes.values() if node.name in names])
    outsiders = find_outsiders(cluster, chosen.policies, [*underlay.segments.values()], underlay.segments)
    part = _part(cluster, chosen, underlay)
    return LabPlan(part, underlay, outsiders.addresses, tuple(_left_out(cluster, part, chosen, underlay, outsiders)))


def write_policies(folder: Path, cluster: Cluster, policies: Iterable[NetworkPolicy]) -> Path:
    """Write the policies that select a pod of a lab's cluster; give the file."""
    pods = cluster.pods
    kept = [
        policy
        for policy in policies
        if any(pod.namespace == policy.namespace and selects(policy.pod_selector, pod.labels) for pod in pods)
    ]
    _write(folder / _POLICIES, _list(policy_objects(kept)))
    return folder / _POLICIES


def _part(cluster: Cluster, chosen: Chosen, underlay: Underlay) -> Cluster:
    """The cluster, reduced to the contents of the lab."""
    addresses = {address for pod in chosen.pods for address in pod.addresses}
    slices = [
        msgspec.structs.replace(each, endpoints=tuple(one for one in each.endpoints if one.address in addresses))
        for each in cluster.slices
    ]
    serving = serving_addresses(cluster)
    services = tuple(service for service in cluster.services if not addresses.isdisjoint(serving[service.key]))
    kept = {(service.namespace, service.name) for service in services}
    return Cluster(
        namespaces=cluster.namespaces,
        nodes={node.name: node for node in underlay.nodes},
        pods=chosen.pods,
        policies=chosen.policies,
        services=services,
        slices=tuple(each for each in slices if (each.namespace, each.service) in kept and each.endpoints),
        service_cidrs=cluster.service_cidrs,
    )


def _left_out(
    cluster: Cluster, part: Cluster, chosen: Chosen, underlay: Underlay, outsiders: Outsiders
) -> Iterator[str]:
    """Sentences about what the lab does not have, and about addresses that differ from the cluster's."""
    if more := len(cluster.pods) - len(part.pods):
        yield f"{more} of {len(cluster.pods)} pods; --most-pods takes more"
    in_lab = {policy.key for policy in part.policies}
    if policies := [policy.key for policy in cluster.policies if policy.key not in in_lab]:
        yield f"policies that select no pod of the lab: {_some(policies)}"
    served = {service.key for service in part.services}
    if services := [service.key for service in cluster.services if service.key not in served]:
        yield f"Services without an endpoint in the lab: {_some(services)}"
    if unmet := [*chosen.unmet, *outsiders.unmet]:
        yield f"no room for {_some(unmet)}"
    yield from underlay.changes


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _list(objects: Iterable[dict[str, Any]]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "List", "items": list(objects)}


def _write(file: Path, value: Any) -> None:
    file.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
