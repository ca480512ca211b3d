"""The number of messages in the bundle of `ovsnp apply` for one added or deleted endpoint of a Service."""

from collections import Counter
from collections.abc import Callable
from random import Random

import msgspec

from bench.compiled import port_numbers, program_of
from bench.inputs import Inputs
from bench.table import Cell, table, verdict
from ovsnp.apply.plan import plan
from ovsnp.apply.synchronise import bundle_lines
from ovsnp.compiler import load
from ovsnp.flows.program import Program
from ovsnp.model.address import parse_address
from ovsnp.model.cluster import Cluster
from ovsnp.model.service import EndpointSlice, SliceEndpoint
from ovsnp.render import bundle_line, group_line
from ovsnp.switch.dump import InstalledFlow, InstalledGroup, parse_dump, parse_group

SAMPLES = 8
_NOBODY = SliceEndpoint(parse_address("10.5.0.2"), None, True, True)
"""An endpoint that is no generated pod."""

Change = Callable[[EndpointSlice, Random], EndpointSlice]


def measure(inputs: Inputs, size: str) -> str:
    """Compile before and after, plan the difference for a bridge with the flows from before, and count."""
    cluster = load([str(inputs.file_with_services(size, minimal=True))])
    numbers = port_numbers(cluster)
    flows, groups = _installed(program_of(cluster, numbers))
    random = Random(4)
    chosen = random.sample([each for each in cluster.slices if len(each.endpoints) > 1], SAMPLES)
    rows: list[tuple[Cell, ...]] = []
    for kind, change in {"goes": _without_one, "comes": _with_another}.items():
        most: Counter[str] = Counter()
        for item in chosen:
            after = program_of(_with(cluster, item, change(item, random)), numbers)
            lines = bundle_lines(plan(flows, groups, after))
            most |= Counter(" ".join(line.split()[:2]) for line in lines)
        ports = max(len(item.ports) for item in chosen)
        what = ", ".join(f"{count} {message}" for message, count in sorted(most.items()))
        rows.append((f"an endpoint {kind}", ports, most.total(), verdict(most.total(), ports), what))
    return table(("change", "ports of its Service", "messages", "verdict", "which"), rows)


def _installed(program: Program) -> tuple[list[InstalledFlow], list[InstalledGroup]]:
    """The answer of a bridge that has the program: it stores flows and groups as they are written."""
    flows = [parse_dump(bundle_line(flow).removeprefix("flow add ")) for flow in program.flows]
    return flows, [parse_group(group_line(group).removeprefix("group add ")) for group in program.groups]


def _without_one(item: EndpointSlice, random: Random) -> EndpointSlice:
    gone = random.choice(item.endpoints)
    return msgspec.structs.replace(item, endpoints=tuple(each for each in item.endpoints if each is not gone))


def _with_another(item: EndpointSlice, random: Random) -> EndpointSlice:
    return msgspec.structs.replace(item, endpoints=(*item.endpoints, _NOBODY))


def _with(cluster: Cluster, old: EndpointSlice, new: EndpointSlice) -> Cluster:
    return msgspec.structs.replace(cluster, slices=tuple(new if each is old else each for each in cluster.slices))
