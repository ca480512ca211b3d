"""The metrics that an agent's report has at the moment of a scrape."""

from collections.abc import Iterator, Mapping, Sequence

from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ovsnp.agent.report import AgentReport


class ReportCollector(Collector):
    """Gives the gauges of the last report; none before the first one. ``kinds`` are the kinds that are watched."""

    def __init__(self, kinds: Sequence[str]) -> None:
        self.report: AgentReport | None = None
        self._kinds = kinds

    def collect(self) -> Iterator[Metric]:
        """The gauges."""
        report = self.report or AgentReport("", "", 0.0, "")
        yield _gauge("ready", "1 if the flows are in the switch and current.", report.obstacle is None)
        yield _gauge("openflow_connected", "1 if the agent has the bridge in its hands.", report.switch is None)
        yield _gauge("ovsdb_connected", "1 if Open vSwitch's database answers.", report.database is None)
        connected = {kind: kind not in report.api_server for kind in self._kinds}
        yield _by("watch_connected", "1 if the watch of a kind works.", "kind", connected)
        yield _by("flows", "Flows on the bridge.", "table", report.tables)
        yield _gauge("groups", "Groups on the bridge.", report.groups)
        yield _gauge("local_pods", "Pods of this node.", len(report.pods))
        yield _gauge("unconnected_pods", "Pods of this node without a port on the bridge.", len(report.without_port))
        yield _gauge(
            "unrealized_policies",
            "NetworkPolicies that are not enforced as they are written: they isolate their pods.",
            len(report.unrealised),
        )


def _gauge(name: str, documentation: str, value: float) -> Metric:
    return GaugeMetricFamily(f"ovsnp_agent_{name}", documentation, value=float(value))


def _by(name: str, documentation: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(f"ovsnp_agent_{name}", documentation, labels=[label])
    for key, value in values.items():
        family.add_metric([key], float(value))
    return family
