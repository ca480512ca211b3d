"""The demo: measures a cluster without policies, then after each added policy, with real TCP connections."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from rich.text import Text

from ovsnp.compiler import assume_ports, compile_cluster, load, local_pods, render_text
from ovsnp.lab.changes import changes
from ovsnp.lab.matrix import Matrix, concerned
from ovsnp.lab.matrix_text import report
from ovsnp.lab.measuring import measuring
from ovsnp.lab.pace import Pace
from ovsnp.lab.policy_text import sentences
from ovsnp.lab.standing import Lab
from ovsnp.lab.topology import Topology
from ovsnp.model.options import Options
from ovsnp.model.ports import Protocol

Show = Callable[[Text], None]

Enforce = Callable[[Sequence[str]], None]
"""Makes the nodes of a lab enforce the policies of these files, and no others."""


def policies(topology: Topology) -> list[Path]:
    """The demo's policies: the folder ``policies`` beside the topology file, in the order of their names."""
    return sorted((topology.file.parent / "policies").glob("*.yaml"))


def compiled(topology: Topology) -> str:
    """The flows of the demo's policies on the first node by name, for machines that cannot run a lab."""
    cluster = load([str(topology.cluster_directory), *map(str, policies(topology))])
    node = min(cluster.nodes)
    return render_text(compile_cluster(cluster, assume_ports(local_pods(cluster, node)), Options(node=node)))


def demonstrate(lab: Lab, show: Show, enforce: Enforce) -> bool:
    """Enforce the policies one after another, in addition to the earlier ones; True if every cell was as expected."""
    files = policies(lab.topology)
    traffics = [traffic for traffic in concerned(lab.load([*map(str, files)])) if traffic.protocol is Protocol.TCP]
    good = True
    with measuring(lab, traffics) as measured:
        before: Matrix | None = None
        for count in range(len(files) + 1):
            enforce([*map(str, files[:count])])
            after = measured(Pace())
            for line in _step(files[:count], before, after):
                show(line)
            good = good and not after.failed
            before = after
    return good


def _step(files: list[Path], before: Matrix | None, after: Matrix) -> Iterator[Text]:
    yield Text()
    if before is None:
        yield Text("Rows connect to columns. Every cell is a real TCP connection by IPv4 and one by IPv6.")
        yield Text()
        yield Text("No policy", style="bold underline")
    else:
        yield Text(f"{files[-1].name}", style="bold underline")
        for policy in load([str(files[-1])]).policies:
            yield from map(Text, sentences(policy))
    yield Text()
    yield from report(after, before)
    if before is not None:
        yield Text()
        yield Text("What changed", style="bold")
        for sentence in changes(before, after) or ["nothing"]:
            yield Text(f"  {sentence}")
