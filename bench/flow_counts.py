"""The number of flows on node-0's bridge."""

from collections import Counter
from collections.abc import Iterator

from bench.compiled import cluster_of, port_numbers, program_of
from bench.inputs import Inputs
from bench.table import table, verdict
from ovsnp.pipeline.tables import TABLES

POLICY_TABLES = ("EgressPeer", "EgressRule", "IngressPeer", "IngressRule")
BARS = {"S": 300, "M": 700, "L": 1_800, "XL": 2_800}
OVN = {"S": 1_274, "M": 44_232, "L": 312_022, "XL": 2_349_714}
"""The policy flows of OVN for the same work, measured once."""


def measure(inputs: Inputs) -> Iterator[str]:
    """The flows by table and size, and those of the policy tables compared with their bar."""
    counts = {size: _count(inputs, size) for size in inputs.sizes}
    yield "## Flows on node-0"
    rows = []
    for size, found in counts.items():
        policy = sum(found[name] for name in POLICY_TABLES)
        met = verdict(policy, BARS[size])
        rows.append((size, policy, BARS[size], met, OVN[size], f"1/{OVN[size] / policy:.0f}", found.total()))
    head = ("size", "policy tables", "bar", "verdict", "OVN's policy flows", "of OVN's", "all tables")
    yield table(head, rows)
    yield table(
        ("table", *counts),
        [(declared.name, *(found[declared.name] for found in counts.values())) for declared in TABLES],
    )


def _count(inputs: Inputs, size: str) -> Counter[str]:
    cluster = cluster_of(inputs, size)
    return Counter(flow.table for flow in program_of(cluster, port_numbers(cluster)).flows)
