"""What `apply` does only with an option: cut off pods or other nodes because the input lacks their objects."""

from collections.abc import Iterable, Iterator, Sequence

from ovsnp.errors import Diagnostic, InputError, Span
from ovsnp.model.bridge import BridgePorts, Oddity
from ovsnp.model.cluster import Cluster, Pod
from ovsnp.model.options import Options
from ovsnp.pipeline.cookies import is_ours
from ovsnp.pipeline.fields import TUNNEL_SRC
from ovsnp.pipeline.tables import BY_NAME
from ovsnp.switch.dump import InstalledFlow

REMEDY = "--remove-missing"
"""The option with which `apply` does it."""

_SHOWN = 5
_SENDERS = tuple(f"{field.name}=" for field in TUNNEL_SRC.values())


def require_complete(cluster: Cluster, ports: BridgePorts, options: Options, flows: Iterable[InstalledFlow]) -> None:
    """Raise InputError if the bridge serves pods or nodes that the input lacks, or only pods of other nodes.

    ``flows`` are the flows on the bridge. `apply` would cut off what they serve.
    """
    found = [*_lacking_pods(cluster, ports), *_wrong_node(cluster, ports, options), *_lacking_nodes(cluster, flows)]
    if found:
        raise InputError(Diagnostic(Span(options.bridge), "", "", message) for message in found)


def missing_pods(cluster: Cluster, ports: BridgePorts) -> str | None:
    """The pods that have a port and no Pod object in the input, in words; None if there are none.

    Pods in ``cluster.idle`` have a Pod object, although they do not count.
    """
    keys = sorted(ports.interfaces.keys() - {pod.key for pod in _pods_here(cluster, ports)} - cluster.idle)
    if not keys:
        return None
    named = [f"{key} ({', '.join(ports.interfaces[key])})" for key in keys]
    have = "1 pod has a port here and is" if len(keys) == 1 else f"{len(keys)} pods have ports here and are"
    return f"{have} not in the input: {_few(named)}"


def left_over(cluster: Cluster, ports: BridgePorts, options: Options) -> tuple[Oddity, ...]:
    """The ports of pods that are on other nodes now: nothing is wrong with the pods, and the old ports are closed."""
    found = []
    for pod in _pods_here(cluster, ports):
        if not pod.is_on(options.node):
            names = ports.interfaces[pod.key]
            where = f"the Pod is on {pod.node}, and port {' and '.join(names)} is left on {options.bridge}"
            found.append(
                Oddity(pod.key, names, True, f"{where}; remove it (ovs-vsctl del-port {' -- del-port '.join(names)})")
            )
    return tuple(found)


def _pods_here(cluster: Cluster, ports: BridgePorts) -> list[Pod]:
    """The pods of any node that have a port on this bridge: about one in a thousand pods of a cluster."""
    names = {tuple(key.split("/")) for key in ports.interfaces}
    return [pod for pod in cluster.pods if (pod.namespace, pod.name) in names]


def _lacking_pods(cluster: Cluster, ports: BridgePorts) -> Iterator[str]:
    if lacking := missing_pods(cluster, ports):
        yield (
            f"{lacking}; apply would cut off what the input lacks, so it changes nothing; add all pods to the input"
            f" (kubectl get pods -A -o json), remove ports that are left over (ovs-vsctl del-port), or say {REMEDY}"
        )


def _wrong_node(cluster: Cluster, ports: BridgePorts, options: Options) -> Iterator[str]:
    """A bridge on which all pods with ports are of other nodes belongs to another node, or to a drained one."""
    pods = _pods_here(cluster, ports)
    if pods and not any(pod.is_on(options.node) for pod in pods):
        nodes = {pod.node for pod in pods}
        yield (
            f"the pods that have ports here are on {_few(sorted(map(str, nodes)))}, and none is on {options.node};"
            " apply would cut them off, so it changes nothing; name the node of this bridge with --node, remove ports"
            f" that are left over (ovs-vsctl del-port), or say {REMEDY}"
        )


def _lacking_nodes(cluster: Cluster, flows: Iterable[InstalledFlow]) -> Iterator[str]:
    senders = set() if cluster.nodes else set(_senders(flows))
    if senders:
        nodes = "1 other node" if len(senders) == 1 else f"{len(senders)} other nodes"
        yield (
            f"the bridge has tunnels to {nodes} ({_few(sorted(senders))}), and the input has no Node; apply would cut"
            " the tunnels off, so it changes nothing; add all nodes to the input (kubectl get nodes -o json), or say"
            f" {REMEDY}"
        )


def _senders(flows: Iterable[InstalledFlow]) -> Iterator[str]:
    """The addresses of the nodes from which ovsnp's flows accept packets."""
    for flow in flows:
        if flow.table == BY_NAME["Origin"].id and is_ours(flow.cookie):
            yield from (part.partition("=")[2] for part in flow.match if part.startswith(_SENDERS))


def _few(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names) if more <= 0 else f"{', '.join(names[:_SHOWN])} and {more} more"
