"""Which of the oracle's verdicts a way is to be held against."""

from ovsnp.analysis.explain.reasons import BackendVerdict, Explanation, Reasons
from ovsnp.analysis.naming.ends import ClusterIPEnd
from ovsnp.analysis.trace.packet_path import PacketPath as Traced


def judged(answer: Explanation, traced: Traced) -> BackendVerdict | None:
    """What is said of the one whom the connection was given; None where it was given to nobody of a Service's."""
    if not isinstance(answer.connection.destination, ClusterIPEnd):
        return answer.ways[0]
    for way in answer.ways:
        if traced.backend == (way.query.destination, way.query.traffic.port):
            return way
    return None


def isolation(reasons: Reasons) -> str:
    """By which policies a side's pod is isolated: ``default/db-1 is isolated by default/only``; empty: by none."""
    policies = ", ".join(policy.key for policy in reasons.side.isolated_by)
    return f"{reasons.pod.key} is isolated by {policies}" if reasons.pod and policies else ""
