"""The time in which the flows of node-0 follow one change of the cluster, and the number of flows that change."""

import gc
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from random import Random
from statistics import median, quantiles
from typing import NamedTuple, TypeVar

import msgspec

from bench.compiled import OPTIONS, cluster_of, pods_of, port_numbers, ports_of
from bench.inputs import NODE, Inputs
from bench.table import Cell, table, verdict
from ovsnp.compiler import Compilation, load
from ovsnp.flows.changes import FlowChanges
from ovsnp.model.address import Address, parse_address
from ovsnp.model.bridge import BridgePorts
from ovsnp.model.changes import Changes, Objects, all_objects
from ovsnp.model.cluster import Cluster, Namespace, Pod
from ovsnp.model.policy import NetworkPolicy, PodPeer, Rule
from ovsnp.model.ports import PortEntry
from ovsnp.model.selector import Operator, Requirement, Selector
from ovsnp.model.service import EndpointSlice, SliceEndpoint

SAMPLES = 200
_LAST = 250
"""The last byte of an address that no generated pod has, in the /24 of any node."""

MEMORY_BAR = 700.0
"""The bar for memory, in MiB."""

_HOLD = """
import sys
from bench.compiled import OPTIONS, port_numbers, ports_of
from ovsnp.compiler import Compilation, load
from ovsnp.model.changes import Changes, all_objects
cluster = load([sys.argv[1]])
compilation = Compilation(OPTIONS)
compilation.update(Changes(all_objects(cluster), ports=ports_of(cluster, port_numbers(cluster))))
print(int(open("/proc/self/statm").read().split()[1]) / 256)
"""

_Item = TypeVar("_Item")


class Kind(NamedTuple):
    """A kind of change: its name, pairs of changes that make and undo it, and bars in milliseconds."""

    name: str
    pairs: list[tuple[Changes, Changes]]
    median_bar: float
    p99_bar: float


def measure(inputs: Inputs) -> Iterator[str]:
    """Compile once, then make and undo changes of each kind, one by one."""
    yield "## One change after another"
    yield (
        f"`Compilation.update` with one change, {SAMPLES} changes of each kind, each undone by the next; milliseconds"
        " of processor time, so that other work on the machine does not count."
        " Flows: the most that one change adds, changes or deletes."
    )
    for size in [size for size in inputs.sizes if size in ("L", "XL")] or inputs.sizes:
        yield f"### {size}"
        yield _measured(cluster_of(inputs, size), _kinds)
    if "XL" in inputs.sizes:
        file = inputs.file_with_services("XL", minimal=True)
        yield "### XL, with Services"
        yield _measured(load([str(file)]), _service_kinds)
        held = float(subprocess.check_output([sys.executable, "-c", _HOLD, str(file)], timeout=1800))
        yield (
            f"A process that holds the cluster and has compiled it: {held:.0f} MiB of resident memory."
            f" Bar: {MEMORY_BAR:g} MiB; {verdict(held, MEMORY_BAR)}."
        )


def _measured(cluster: Cluster, kinds: Callable[[Cluster, BridgePorts], Iterator[Kind]]) -> str:
    numbers = port_numbers(cluster)
    ports = ports_of(cluster, numbers)
    compilation = Compilation(OPTIONS)
    compilation.update(Changes(all_objects(cluster), ports=ports))
    gc.collect()
    gc.freeze()
    try:
        rows = [_row(compilation, kind) for kind in kinds(cluster, ports)]
    finally:
        gc.unfreeze()
    return table(("change", "median", "bar", "verdict", "p99", "bar", "verdict", "flows"), rows)


def _row(compilation: Compilation, kind: Kind) -> tuple[Cell, ...]:
    times: list[float] = []
    most = 0
    for pair in kind.pairs:
        for changes in pair:
            began = time.thread_time_ns()
            told = compilation.update(changes)
            times.append((time.thread_time_ns() - began) / 1e6)
            most = max(most, _size(told))
    middle, late = median(times), quantiles(times, n=100)[98]
    bars = (middle, kind.median_bar), (late, kind.p99_bar)
    cells = [cell for value, bar in bars for cell in (value, f"{bar:g}", verdict(value, bar))]
    return kind.name, *cells, most


def _size(told: FlowChanges) -> int:
    return sum(map(len, msgspec.structs.astuple(told)))


def _kinds(cluster: Cluster, ports: BridgePorts) -> Iterator[Kind]:
    random = Random(1)
    local = pods_of(cluster)
    homes = sorted({pod.namespace for pod in local})
    near = [pod for pod in cluster.pods if pod.node != NODE and pod.namespace in homes]
    far = [pod for pod in cluster.pods if pod.node != NODE and pod.namespace not in homes]
    yield Kind("a pod elsewhere comes and goes", [_comes(_replica(pod)) for pod in _some(random, near)], 1, 5)
    yield Kind("a pod elsewhere changes labels", [_relabelled(pod, random) for pod in _some(random, near)], 1, 5)
    yield Kind("a pod that no rule here mentions", [_comes(_replica(pod)) for pod in _some(random, far)], 0.1, 1)
    yield Kind("a local pod goes and comes", [_goes(pod, ports) for pod in _some(random, local)], 3, 10)
    mine = [policy for policy in cluster.policies if policy.namespace in homes]
    others = [policy for policy in cluster.policies if policy.namespace not in homes]
    yield Kind("a policy that selects local pods comes", [_policy_comes(each) for each in _some(random, mine)], 5, 20)
    yield Kind("a policy that selects local pods goes", [_policy_goes(each) for each in _some(random, mine)], 5, 20)
    yield Kind(
        "a policy that selects local pods changes", [_policy_changes(each) for each in _some(random, mine)], 5, 20
    )
    yield Kind("a policy that selects none here", [_policy_goes(each) for each in _some(random, others)], 0.1, 1)
    spaces = [cluster.namespaces[pod.namespace] for pod in _some(random, cluster.pods)]
    yield Kind("a namespace's labels change", [_labels_change(each) for each in spaces], 10, 40)
    watching = [_labels_change(cluster.namespaces["monitoring"])] * (SAMPLES // 2)
    yield Kind("the labels change by which rules here select", watching, 10, 40)


def _service_kinds(cluster: Cluster, _: BridgePorts) -> Iterator[Kind]:
    random = Random(2)
    yield Kind("an endpoint of a Service", [_endpoint_comes(each) for each in _some(random, cluster.slices)], 1, 5)


def _some(random: Random, items: Sequence[_Item]) -> list[_Item]:
    return random.choices(items, k=SAMPLES // 2)


def _replica(pod: Pod) -> Pod:
    """One pod more, with the labels and ports of this pod, on its node."""
    return msgspec.structs.replace(
        pod, name=f"{pod.name[:-5]}zzzzz", addresses=(Address(pod.addresses[0][:3] + bytes((_LAST,))),)
    )


def _comes(pod: Pod) -> tuple[Changes, Changes]:
    return Changes(Objects(pods=(pod,))), Changes(went=Objects(pods=(pod,)))


def _goes(pod: Pod, ports: BridgePorts) -> tuple[Changes, Changes]:
    """A local pod is deleted with its port, and added again."""
    others = {key: port for key, port in ports.pods.items() if key != pod.key}
    without = msgspec.structs.replace(ports, pods=others)
    one = Objects(pods=(pod,))
    return Changes(went=one, ports=without), Changes(one, ports=ports)


def _relabelled(pod: Pod, random: Random) -> tuple[Changes, Changes]:
    other = msgspec.structs.replace(pod, labels={**pod.labels, "tier": random.choice(("backend", "data", "none"))})
    return Changes(Objects(pods=(other,))), Changes(Objects(pods=(pod,)))


def _policy_comes(policy: NetworkPolicy) -> tuple[Changes, Changes]:
    """A copy of an existing policy with another name is added, and deleted again."""
    one = Objects(policies=(msgspec.structs.replace(policy, name=f"{policy.name}-too"),))
    return Changes(one), Changes(went=one)


def _policy_goes(policy: NetworkPolicy) -> tuple[Changes, Changes]:
    one = Objects(policies=(policy,))
    return Changes(went=one), Changes(one)


def _policy_changes(policy: NetworkPolicy) -> tuple[Changes, Changes]:
    """A policy selects fewer pods, and has other peers and ports, with the same number of rules; and the reverse."""
    wanted = Selector((Requirement("app", Operator.IN, ("api", "web")),))
    rule = Rule((PodPeer(wanted, None),), (PortEntry(port=8080),))
    ingress, egress = (tuple(rule for _ in rules) for rules in (policy.ingress, policy.egress))
    other = msgspec.structs.replace(policy, pod_selector=wanted, ingress=ingress, egress=egress)
    return Changes(Objects(policies=(other,))), Changes(Objects(policies=(policy,)))


def _labels_change(namespace: Namespace) -> tuple[Changes, Changes]:
    """A namespace becomes a monitoring namespace, or stops being one; and the reverse."""
    purpose = "team" if namespace.labels["purpose"] == "monitoring" else "monitoring"
    other = Namespace(namespace.name, {**namespace.labels, "purpose": purpose})
    return Changes(Objects(namespaces=(other,))), Changes(Objects(namespaces=(namespace,)))


def _endpoint_comes(item: EndpointSlice) -> tuple[Changes, Changes]:
    another = SliceEndpoint(parse_address("10.5.0.2"), None, True, True)
    other = msgspec.structs.replace(item, endpoints=(*item.endpoints, another))
    return Changes(Objects(slices=(other,))), Changes(Objects(slices=(item,)))
