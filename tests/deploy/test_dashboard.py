"""The Grafana dashboard asks for metrics and labels that an agent has."""

import json
import re
from collections.abc import Iterator

from prometheus_client.parser import text_string_to_metric_families

from ovsnp.agent.report import AgentReport
from ovsnp.agent.serving.metrics import AgentMetrics
from ovsnp.agent.serving.policy_metrics import PolicyCollector
from ovsnp.agent.traffic.policy_counts import Counted, PolicyTotals
from tests.support.deploying import DEPLOY

DASHBOARD = json.loads((DEPLOY / "grafana" / "ovsnp-agent.json").read_text(encoding="utf-8"))
METRIC = re.compile(r"\b(?:ovsnp|process)_[a-z_]+")
ADDED_BY_PROMETHEUS = {"instance", "job", "le"}


def metrics() -> dict[str, set[str]]:
    """The labels of each metric of an agent that also counts by policy."""
    there = AgentMetrics()
    there.add(PolicyCollector(lambda: PolicyTotals({Counted("default", "only", "ingress", "dropped"): 1}, 0)))
    there.reported(AgentReport("node-1", "br-int", 0.0, "1.0", tables={"ct": 1}))
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(there.metrics_text().decode()):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def queries() -> Iterator[str]:
    yield from (target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"])
    yield from (variable["query"] for variable in DASHBOARD["templating"]["list"] if variable["type"] == "query")


def test_every_query_names_metrics_that_exist() -> None:
    unknown = {name for query in queries() for name in METRIC.findall(query)} - metrics().keys()
    assert unknown == set()


def test_every_query_groups_by_labels_that_exist() -> None:
    for query in queries():
        labels = {label for name in METRIC.findall(query) for label in metrics()[name]} | ADDED_BY_PROMETHEUS
        grouped = {label for inside in re.findall(r"\b(?:by|on) \(([^)]*)\)", query) for label in inside.split(", ")}
        assert grouped <= labels, query


def test_every_metric_of_ovsnp_is_on_the_dashboard() -> None:
    shown = {re.sub("_(bucket|count|sum)$", "", name) for query in queries() for name in METRIC.findall(query)}
    own = {re.sub("_(bucket|count|sum)$", "", name) for name in metrics() if name.startswith("ovsnp")}
    assert own - shown == set()
