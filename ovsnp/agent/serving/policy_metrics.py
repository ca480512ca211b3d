"""The metrics by policy, which an agent has only if it is asked for them: their labels are names of the cluster."""

from collections.abc import Callable, Iterator

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ovsnp.agent.traffic.policy_counts import MOST_POLICIES, Counted, PolicyTotals
from ovsnp.errors import SwitchError


class PolicyCollector(Collector):
    """Reads the counters of the bridge at each scrape; while Open vSwitch does not answer, there are no metrics."""

    def __init__(self, read: Callable[[], PolicyTotals]) -> None:
        self._read = read

    def collect(self) -> Iterator[Metric]:
        """The counters."""
        try:
            totals = self._read()
        except SwitchError:
            return
        packets = CounterMetricFamily(
            "ovsnp_policy_packets",
            "Packets that rules of a policy admitted, and dropped packets of pods that the policy isolates.",
            labels=Counted._fields,
        )
        for counted, number in sorted(totals.packets.items()):
            packets.add_metric(counted, number)
        yield packets
        yield GaugeMetricFamily(
            "ovsnp_policy_metrics_left_out",
            f"Policies of this node without counters: an agent counts {MOST_POLICIES}.",
            value=totals.left_out,
        )
