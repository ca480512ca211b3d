"""The cost of Services: flows and groups, compile and apply, for clusters with ten Services in each namespace."""

from collections.abc import Iterator
from shutil import which

from bench import applying, compiling
from bench.compiled import port_numbers, program_of
from bench.inputs import Inputs
from bench.table import Cell, table, verdict
from ovsnp.compiler import load

HEAD = ("size", "Services", "ports", "endpoints", "flows more", "bar", "verdict", "groups", "bar", "verdict")
ONE_JSON_LOADS = 1.0
"""The addition to the bars for time with Services, compared with those without."""


def measure(inputs: Inputs) -> Iterator[str]:
    """The cluster with Services compared with the same without; then the other measurements again, with Services."""
    yield "## Services"
    yield (
        "The same clusters, with a Service of two ports for each app of each namespace and two more a namespace; the"
        " endpoints, in EndpointSlices, are all pods of the app in its namespace. Bars: a flow and a group a Service"
        " port, and a flow a node."
    )
    yield table(HEAD, [_counted(inputs, size) for size in inputs.sizes])
    yield "### ovsnp compile, with Services"
    yield "Bars as without Services, and one `json.loads` more."
    yield table(compiling.HEAD, list(_compiled(inputs)))
    if which("ovs-vswitchd"):
        yield "### ovsnp apply, with Services"
        yield "Bar as without Services."
        yield table(applying.HEAD, list(_applied(inputs)))


def _counted(inputs: Inputs, size: str) -> tuple[Cell, ...]:
    without = load([str(inputs.file(size, minimal=True))])
    numbers = port_numbers(without)
    flows = len(program_of(without, numbers).flows)
    cluster = load([str(inputs.file_with_services(size, minimal=True))])
    program = program_of(cluster, numbers)
    ports = sum(len(service.ports) for service in cluster.services)
    endpoints = sum(len(item.endpoints) for item in cluster.slices)
    more, bar = len(program.flows) - flows, ports + len(cluster.nodes)
    groups = len(program.groups)
    counts = (size, len(cluster.services), ports, endpoints)
    return *counts, more, bar, verdict(more, bar), groups, ports, verdict(groups, ports)


def _compiled(inputs: Inputs) -> Iterator[tuple[Cell, ...]]:
    for minimal in (True,) if inputs.only_minimal else (False, True):
        for size in inputs.sizes:
            bar = compiling.TIME_BARS.get(size)
            yield compiling.row(
                inputs,
                f"{size}, minimal" if minimal else size,
                inputs.file_with_services(size, minimal=minimal),
                None if bar is None else bar + ONE_JSON_LOADS,
                compiling.MEMORY_BARS.get(size),
            )


def _applied(inputs: Inputs) -> Iterator[tuple[Cell, ...]]:
    for size in inputs.sizes:
        if size != "XL":
            yield from applying.rows(inputs, size, inputs.file_with_services(size, minimal=True))
