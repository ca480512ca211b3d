"""The number of node-0's flows that change with a change of the cluster."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from random import Random

import msgspec

from bench import endpoints
from bench.compiled import cluster_of, cluster_of_objects, pods_of, port_numbers, program_of
from bench.inputs import NODE, Inputs
from bench.table import Cell, table, verdict
from ovsnp.compiler import render_text
from ovsnp.flows.program import Program
from ovsnp.model.address import Address
from ovsnp.model.cluster import Cluster, Pod

SAMPLES = 24
PEER_TABLES = ("EgressPeer", "IngressPeer")
_LAST = 250
"""The last byte of an address that no generated pod has, in the /24 of any node."""


def measure(inputs: Inputs) -> Iterator[str]:
    """Compile before and after each kind of change, several times, and keep the largest difference in each table."""
    yield "## Flows that a change of the cluster changes"
    yield (
        f"Added, deleted, or with other actions or another cookie, by table; the most of {SAMPLES} changes of a kind,"
        " each made to the cluster as it was. Bar: one flow in each Peer table for a pod that comes or goes."
        " With the last pod of node-0 that a rule selects, the rule goes too, and its peer set with it: then the"
        " set's other members change as well."
    )
    for size in [size for size in inputs.sizes if size != "S"] or inputs.sizes:
        cluster = cluster_of(inputs, size)
        rows = [_row(kind, cluster, list(changed)) for kind, changed in _changes(cluster, Random(1))]
        yield f"### {size}"
        yield table(("change", "EgressPeer", "IngressPeer", "verdict", "other tables", "all"), rows)
        yield _shuffled(inputs, size)
        yield f"### {size}, with Services: messages in apply's bundle"
        yield f"The most of {endpoints.SAMPLES} changes of a kind. Bar: one message, to a group, a port of the Service."
        yield endpoints.measure(inputs, size)


def _row(kind: str, before: Cluster, after: list[Cluster]) -> tuple[Cell, ...]:
    numbers = port_numbers(before)
    for number, pod in enumerate((pod for cluster in after for pod in pods_of(cluster)), start=1_000):
        numbers.setdefault(pod.key, number)
    old = program_of(before, numbers)
    most: Counter[str] = Counter()
    largest = 0
    for cluster in after:
        found = _difference(old, program_of(cluster, numbers))
        most |= found
        largest = max(largest, found.total())
    others = ", ".join(f"{name} {most[name]}" for name in sorted(most.keys() - {*PEER_TABLES}))
    peers = [most[name] for name in PEER_TABLES]
    met = verdict(max(peers), 1) if "pod" in kind else "-"
    return kind, *peers, met, others or "-", largest


def _difference(before: Program, after: Program) -> Counter[str]:
    old, new = _by_slot(before), _by_slot(after)
    return Counter(slot[0] for slot in old.keys() | new.keys() if old.get(slot) != new.get(slot))


def _by_slot(program: Program) -> dict[tuple[str, int, str], tuple[str, int]]:
    return {(flow.table, flow.priority, str(flow.match)): (flow.actions_text, flow.cookie) for flow in program.flows}


def _changes(cluster: Cluster, random: Random) -> Iterator[tuple[str, Iterable[Cluster]]]:
    """Each kind of change, with the clusters that it makes; pods are chosen from all pods and from node-0's peers."""
    local = pods_of(cluster)
    homes = {pod.namespace for pod in local}
    kinds: dict[str, list[Pod]] = {
        "a pod elsewhere, of any namespace": [pod for pod in cluster.pods if pod.node != NODE],
        "a pod elsewhere, of a namespace of node-0's": [
            pod for pod in cluster.pods if pod.node != NODE and pod.namespace in homes
        ],
        "a pod elsewhere, a DNS server or Prometheus": [
            pod for pod in cluster.pods if pod.node != NODE and pod.labels["app"] in ("kube-dns", "prometheus")
        ],
        "a pod of node-0, one of several of its app there": [pod for pod in local if _alike(pod, local) > 1],
        "a pod of node-0, the only one of its app there": [pod for pod in local if _alike(pod, local) == 1],
    }
    for kind, pods in kinds.items():
        chosen = random.sample(pods, min(SAMPLES, len(pods)))
        yield f"{kind}, goes", [_without(cluster, pod) for pod in chosen]
        if "only one" not in kind:  # for this kind, to add is the same difference as to delete
            yield f"{kind}, comes", [_with_another(cluster, pod) for pod in chosen]
    policies = random.sample([policy for policy in cluster.policies if policy.namespace in homes], SAMPLES)
    yield (
        "a policy of a namespace of node-0's, comes or goes",
        [
            msgspec.structs.replace(cluster, policies=tuple(each for each in cluster.policies if each is not policy))
            for policy in policies
        ],
    )


def _alike(pod: Pod, local: Iterable[Pod]) -> int:
    """The number of pods of the node that the same policies select."""
    return sum(other.namespace == pod.namespace and other.labels == pod.labels for other in local)


def _without(cluster: Cluster, pod: Pod) -> Cluster:
    return msgspec.structs.replace(cluster, pods=tuple(each for each in cluster.pods if each is not pod))


def _with_another(cluster: Cluster, pod: Pod) -> Cluster:
    """The cluster with one pod more, a replica of ``pod``."""
    replica = msgspec.structs.replace(
        pod, name=f"{pod.name[:-5]}zzzzz", addresses=(Address(pod.addresses[0][:3] + bytes((_LAST,))),)
    )
    return msgspec.structs.replace(cluster, pods=tuple(sorted((*cluster.pods, replica), key=_order)))


def _order(pod: Pod) -> tuple[str, str]:
    return pod.namespace, pod.name


def _shuffled(inputs: Inputs, size: str) -> str:
    """Whether the order of the input changes the output, in words."""
    objects = list(inputs.objects(size))
    text = _compiler(objects)
    as_written = text()
    Random(2).shuffle(objects)
    same = "the same bytes" if text() == as_written else "OTHER BYTES"
    return f"Shuffled input ({len(objects):,} objects): {same}."


def _compiler(objects: list[object]) -> Callable[[], str]:
    def text() -> str:
        cluster = cluster_of_objects(objects)
        return render_text(program_of(cluster, port_numbers(cluster)))

    return text
