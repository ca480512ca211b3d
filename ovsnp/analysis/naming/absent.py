"""Messages about a name that does not exist: the reason, and the names that the user may have meant."""

from collections.abc import Iterable, Sequence

from ovsnp.analysis.naming.ends import SERVICE
from ovsnp.analysis.naming.near_names import advice, nearest, nearest_keys
from ovsnp.model.address import format_address
from ovsnp.model.cluster import Cluster, Pod

_SHOWN = 5


def no_pod(cluster: Cluster, key: str) -> str:
    """Why policies know no pod of this name, and the names that may be meant."""
    for pod in cluster.host_pods:
        if pod.key == key:
            return f"pod {key} is hostNetwork: policies treat it as {_host(cluster, pod)}; use that name"
    if any(pod.key == key for pod in cluster.ended_pods):
        return f"pod {key} has ended, so policies do not know it; name a pod that runs"
    known = {pod.key: pod for pod in cluster.pods}
    hint = elsewhere(key, known) or _of_another_kind(cluster, key) or advice(nearest_keys(key, known), known, "pods")
    return f"there is no pod {key} with an address of its own; {hint}"


def _host(cluster: Cluster, pod: Pod) -> str:
    """The name under which policies see a hostNetwork pod: its node, or else its addresses."""
    if pod.node in cluster.nodes:
        return f"node/{pod.node}"
    return " and ".join(map(format_address, pod.addresses)) or "its node"


def elsewhere(key: str, known: Iterable[str], prefix: str = "") -> str | None:
    """A hint at the same name in other namespaces; None where no other namespace has it."""
    name = key.partition("/")[2]
    found = sorted(f"{prefix}{each}" for each in known if each.partition("/")[2] == name)
    if len(found) > _SHOWN:
        return f"{name} is in {len(found)} other namespaces, such as {', '.join(found[:_SHOWN])}; write which"
    if len(found) > 1:
        return f"{name} is in several other namespaces: {', '.join(found)}; write which"
    return f"did you mean {found[0]}?" if found else None


def _of_another_kind(cluster: Cluster, key: str) -> str | None:
    """A hint at the node or Service with the name of a pod that does not exist; None without one."""
    name = key.partition("/")[2]
    if name in cluster.nodes:
        return f"did you mean node/{name}?"
    return next((f"did you mean {SERVICE}{key}?" for service in cluster.services if service.key == key), None)


def no_workload(cluster: Cluster, kind: str, key: str, known: Sequence[str]) -> str:
    """Why no workload of this kind and name has pods that policies know; ``known`` are the workloads that have some."""
    name = f"{kind}/{key}"
    for pod in cluster.host_pods:
        if pod.workload and pod.workload.key == name:
            return (
                f"the pods of {name} are hostNetwork: policies treat {pod.key} as {_host(cluster, pod)}; use that name"
            )
    likely = nearest(name, (each for each in known if each.startswith(f"{kind}/"))) or nearest(name, known)
    return f"there is no {name} with pods that have an address; {advice(likely, known, 'workloads with pods')}"
