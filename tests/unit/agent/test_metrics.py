"""An agent's metrics: the numbers, and the conventions of Prometheus for names, units and help."""

import re
import time

import msgspec
import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from ovsnp.agent.report import AgentReport, Unrealised
from ovsnp.agent.serving.metrics import AgentMetrics
from ovsnp.agent.serving.policy_metrics import PolicyCollector
from ovsnp.agent.traffic.policy_counts import Counted, PolicyTotals
from ovsnp.compiler import assume_ports, compile_cluster, local_pods
from ovsnp.errors import SwitchError
from ovsnp.flows.changes import FlowChanges
from ovsnp.kubernetes.events import KindListed, ObjectChange, RelistReason, WatchProgress
from ovsnp.manifests import load
from ovsnp.model.options import Options
from tests.support.checkout import ROOT
from tests.support.metrics_text import samples

CLUSTER = str(ROOT / "tests" / "golden" / "cluster.yaml")
POD_COUNT = 'ovsnp_agent_realization_duration_seconds_count{kind="Pod"}'
POD_SUM = 'ovsnp_agent_realization_duration_seconds_sum{kind="Pod"}'


def change(name: str, *, ago: float = 0.0, gone: bool = False) -> ObjectChange:
    body = None if gone else msgspec.Raw(b"{}")
    return ObjectChange("Pod", "default", name, body, "7", time.monotonic() - ago)


def families(metrics: AgentMetrics) -> list[Metric]:
    return list(text_string_to_metric_families(metrics.metrics_text().decode()))


def flow_changes(count: int) -> FlowChanges:
    cluster = load([CLUSTER])
    ports = assume_ports(local_pods(cluster, "node-1"))
    return FlowChanges(added=compile_cluster(cluster, ports, Options(node="node-1")).flows[:count])


def test_an_event_waits_for_the_next_confirmation() -> None:
    metrics = AgentMetrics()
    metrics.received(change("one", ago=3.0))
    assert samples(metrics.metrics_text())[POD_COUNT] == 0
    metrics.confirmed()
    assert samples(metrics.metrics_text())[POD_COUNT] == 1
    assert samples(metrics.metrics_text())[POD_SUM] >= 3.0
    metrics.confirmed()
    assert samples(metrics.metrics_text())[POD_COUNT] == 1


def test_an_object_that_changes_again_counts_from_its_first_change() -> None:
    metrics = AgentMetrics()
    metrics.received(change("one", ago=3.0))
    metrics.received(change("one", gone=True))
    metrics.confirmed()
    found = samples(metrics.metrics_text())
    assert found[POD_COUNT] == 1
    assert found[POD_SUM] >= 3.0
    assert found['ovsnp_agent_watch_events_total{kind="Pod",type="change"}'] == 1
    assert found['ovsnp_agent_watch_events_total{kind="Pod",type="deletion"}'] == 1


def test_the_first_list_is_the_start_and_a_later_one_is_late() -> None:
    metrics = AgentMetrics()
    metrics.received(KindListed("Pod", "7", [change("one")], RelistReason.START))
    metrics.confirmed()
    assert samples(metrics.metrics_text())[POD_COUNT] == 0
    assert samples(metrics.metrics_text())["ovsnp_agent_start_duration_seconds"] > 0
    metrics.received(KindListed("Pod", "9", [change("one")], RelistReason.EXPIRED))
    metrics.received(WatchProgress("Pod", "10"))
    metrics.confirmed()
    found = samples(metrics.metrics_text())
    assert found[POD_COUNT] == 1
    assert found['ovsnp_agent_relists_total{kind="Pod",reason="expired"}'] == 1
    assert found['ovsnp_agent_relists_total{kind="Pod",reason="start"}'] == 1
    assert found['ovsnp_agent_watch_events_total{kind="Pod",type="bookmark"}'] == 1


def test_a_refused_transaction_counts_as_an_error() -> None:
    metrics, changes = AgentMetrics(), flow_changes(3)
    with metrics.transaction(changes):
        pass
    with pytest.raises(SwitchError), metrics.transaction(changes):
        raise SwitchError("no")
    found = samples(metrics.metrics_text())
    assert found['ovsnp_agent_flow_mods_total{command="add",result="ok"}'] == 3
    assert found['ovsnp_agent_flow_mods_total{command="add",result="error"}'] == 3
    assert found["ovsnp_agent_bundle_duration_seconds_count"] == 1


def test_gauges_are_those_of_the_last_report() -> None:
    metrics = AgentMetrics()
    assert samples(metrics.metrics_text())["ovsnp_agent_openflow_connected"] == 0
    report = AgentReport(
        "node-1",
        "br-int",
        0.0,
        "1.0",
        observed={"Pod": "7"},
        switch=None,
        api_server={"Pod": "no answer"},
        unrealised=(Unrealised("default", "odd", "unknown field", 1, "u"),),
        tables={"ct": 4, "ingress": 5},
        groups=2,
        pods=("default/a", "default/b"),
        without_port=("default/b",),
    )
    metrics.reported(report)
    found = samples(metrics.metrics_text())
    expected = {
        "ready": 1,
        "openflow_connected": 1,
        "ovsdb_connected": 1,
        'watch_connected{kind="Pod"}': 0,
        'watch_connected{kind="Node"}': 1,
        'flows{table="ct"}': 4,
        'flows{table="ingress"}': 5,
        "groups": 2,
        "local_pods": 2,
        "unconnected_pods": 1,
        "unrealized_policies": 1,
    }
    assert {name: found[f"ovsnp_agent_{name}"] for name in expected} == expected


def test_the_losses_of_the_drop_log_have_a_counter() -> None:
    metrics = AgentMetrics()
    metrics.drops_lost(12)
    assert samples(metrics.metrics_text())["ovsnp_drop_log_lost_total"] == 12


TOTALS = PolicyTotals({Counted("shop", "db-only", "ingress", "dropped"): 7}, 3)


def test_metrics_by_policy_are_there_only_if_they_are_asked_for() -> None:
    metrics = AgentMetrics()
    assert not any("policy_" in name for name in samples(metrics.metrics_text()))
    metrics.add(PolicyCollector(lambda: TOTALS))
    found = samples(metrics.metrics_text())
    dropped = 'ovsnp_policy_packets_total{direction="ingress",namespace="shop",policy="db-only",verdict="dropped"}'
    assert (found[dropped], found["ovsnp_policy_metrics_left_out"]) == (7, 3)


def test_without_open_vswitch_there_are_the_other_metrics() -> None:
    def refuse() -> PolicyTotals:
        raise SwitchError("no")

    metrics = AgentMetrics()
    metrics.add(PolicyCollector(refuse))
    found = samples(metrics.metrics_text())
    assert found["ovsnp_agent_ready"] == 0
    assert not any("policy_" in name for name in found)


def test_names_units_and_help_follow_the_conventions() -> None:
    metrics = AgentMetrics()
    metrics.add(PolicyCollector(lambda: TOTALS))
    complaints = [complaint for family in families(metrics) for complaint in lint(family)]
    assert complaints == []


def test_a_family_against_the_conventions_is_found() -> None:
    assert lint(Metric("ovsnp_latency_milliseconds", "Time.", "histogram")) == ["ovsnp_latency_milliseconds: unit"]
    assert lint(Metric("ovsnpFlows", "", "gauge")) == ["ovsnpFlows: help", "ovsnpFlows: name"]
    assert lint(Metric("ovsnp_flows_total", "Flows.", "gauge")) == ["ovsnp_flows_total: only counters end in _total"]


def lint(family: Metric) -> list[str]:
    """What `promtool check metrics` complains of, and that durations are in seconds."""
    found = []
    if not family.documentation:
        found.append("help")
    if not re.fullmatch(r"(ovsnp|process)(_[a-z][a-z0-9]*)+", family.name):
        found.append("name")
    if re.search(r"_(milliseconds|microseconds|ms|minutes|kib|mib|kilobytes)(_|$)", family.name):
        found.append("unit")
    if family.type == "histogram" and not family.name.endswith("_seconds"):
        found.append("unit") if "unit" not in found else None
    if family.type not in {"counter"} and re.search(r"_(total|count|sum|bucket)$", family.name):
        found.append("only counters end in _total")
    # The parser takes the ending of a counter's name away, and calls a counter without this ending a gauge.
    found += ["_total" for each in family.samples if family.type == "counter" and not each.name.endswith("_total")]
    return [f"{family.name}: {what}" for what in found]
