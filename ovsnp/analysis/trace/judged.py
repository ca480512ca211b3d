"""Selects the verdict of the oracle with which a path is compared."""

from ovsnp.analysis.explain.reasons import BackendVerdict, Explanation, Reasons
from ovsnp.analysis.naming.ends import ClusterIPEnd
from ovsnp.analysis.trace.packet_path import PacketPath as Traced


def judged(answer: Explanation, traced: Traced) -> BackendVerdict | None:
    """The verdict on the destination, or on the backend that a Service gave the connection; None: it gave none."""
    if not isinstance(answer.connection.destination, ClusterIPEnd):
        return answer.ways[0]
    for way in answer.ways:
        if traced.backend == (way.query.destination, way.query.traffic.port):
            return way
    return None


def isolation(reasons: Reasons) -> str:
    """The policies that isolate a side's pod: ``default/db-1 is isolated by default/only``; empty if none does."""
    policies = ", ".join(policy.key for policy in reasons.side.isolated_by)
    return f"{reasons.pod.key} is isolated by {policies}" if reasons.pod and policies else ""
