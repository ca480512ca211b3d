"""The tables of docs/agent.md name every metric, every label and every path of the control socket, and no others."""

import re
from unittest import mock

from prometheus_client.parser import text_string_to_metric_families

from ovsnp.agent.report import AgentReport
from ovsnp.agent.serving.metrics import AgentMetrics
from ovsnp.agent.serving.policy_metrics import PolicyCollector
from ovsnp.agent.serving.routes import control_routes
from ovsnp.agent.traffic.policy_counts import MOST_POLICIES, Counted, PolicyTotals
from tests.support.checkout import ROOT

PAGE = (ROOT / "docs" / "agent.md").read_text()
METRIC = re.compile(r"`(ovsnp_[a-z_]+)(?:\{([a-z_,]+)\})?`")
ROW = re.compile(r"^\| (`[^|]*`) \|", re.MULTILINE)
ADDED_BY_HISTOGRAMS = {"le"}


def served() -> dict[str, set[str]]:
    """The metrics of an agent, and their labels."""
    metrics = AgentMetrics()
    metrics.reported(AgentReport("node-1", "br-int", 0.0, "1.0", tables={"ct": 1}))
    metrics.add(PolicyCollector(lambda: PolicyTotals({Counted("default", "only", "ingress", "dropped"): 1}, 0)))
    found = {}
    for family in text_string_to_metric_families(metrics.metrics_text().decode()):
        if family.name.startswith("ovsnp"):
            name = {"counter": f"{family.name}_total"}.get(family.type, family.name)
            labels = {label for sample in family.samples for label in sample.labels} - ADDED_BY_HISTOGRAMS
            found[name] = labels
    return found


def test_metrics_and_their_labels() -> None:
    rows = [METRIC.findall(row) for row in ROW.findall(PAGE)]
    told = {name: set(labels.split(",")) - {""} for row in rows for name, labels in row}
    assert told == served()
    assert f"the first {MOST_POLICIES:,} policies" in PAGE


def test_paths_of_the_control_socket() -> None:
    told = {path for row in ROW.findall(PAGE) for path in re.findall(r"`(/[a-z/]+)`", row)}
    assert told == control_routes(mock.Mock(logs_drops=False), AgentMetrics()).keys()
