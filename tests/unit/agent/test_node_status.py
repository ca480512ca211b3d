"""The status of a node's object, and when it is written."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec import structs

from ovsnp.agent.publishing.node_status import ended, is_urgent, node_status
from ovsnp.agent.publishing.write_pace import WritePace
from ovsnp.agent.report import AgentReport, Unrealised
from ovsnp.kubernetes.node_policy_status import NodeStatus

NOTHING = NodeStatus()
START = datetime(2026, 1, 1, tzinfo=UTC)
RUNNING = AgentReport("node-1", "br-int", 0.0, "1.0", observed={"NetworkPolicy": "20", "Pod": "30"}, switch=None)


def status(minute: int = 0, before: NodeStatus = NOTHING, **state: Any) -> NodeStatus:
    return node_status(structs.replace(RUNNING, **state), before, START + timedelta(minutes=minute))


def conditions(found: NodeStatus) -> dict[str, tuple[str, str]]:
    return {each.type: (each.status, each.reason) for each in found.conditions}


def test_conditions() -> None:
    well = {"Ready": ("True", "FlowsCurrent"), "APIServerConnected": ("True", "Watching")}
    well["SwitchConnected"] = ("True", "Connected")
    assert conditions(status()) == well
    assert conditions(status(api_server={"Pod": "no answer"})) == {
        **well,
        "APIServerConnected": ("False", "WatchFailed"),
    }
    refused = ("False", "SwitchFailed")
    assert conditions(status(switch="no bridge")) == {**well, "Ready": refused, "SwitchConnected": refused}
    assert conditions(status(database="no answer")) == {**well, "SwitchConnected": refused}
    assert conditions(status(input="no such node")) == {**well, "Ready": ("False", "InputRefused")}
    starting = node_status(AgentReport("node-1", "br-int", 0.0, "1.0"), NodeStatus(), START)
    assert conditions(starting)["Ready"] == conditions(starting)["SwitchConnected"] == ("False", "Starting")


def test_condition_keeps_its_time_until_its_status_changes() -> None:
    first = status()
    later = status(5, first, api_server={"Pod": "no answer"})
    times = {each.type: each.last_transition_time for each in later.conditions}
    assert times["Ready"] == "2026-01-01T00:00:00Z"
    assert times["APIServerConnected"] == "2026-01-01T00:05:00Z"
    other_words = status(6, later, api_server={"Pod": "refused"})
    assert {each.type: each.last_transition_time for each in other_words.conditions} == times
    assert conditions(ended(later, START))["Ready"] == ("False", "AgentEnded")


def test_list_of_policies_has_bounds() -> None:
    many = tuple(Unrealised("shop", f"p{number}", "x" * 5000, 1, "") for number in range(3000))
    found = status(unrealised=many)
    assert (found.not_realised_count, len(found.not_realised)) == (3000, 1000)
    assert {len(each.reason) for each in found.not_realised} == {300}


@pytest.mark.parametrize(
    ("state", "urgent"),
    [
        ({}, False),
        ({"observed": {"NetworkPolicy": "20", "Pod": "31"}}, False),
        ({"flows": 17}, False),
        ({"observed": {"NetworkPolicy": "21", "Pod": "30"}}, True),
        ({"switch": "no bridge"}, True),
        ({"unrealised": (Unrealised("shop", "p", "spec.new: unknown", 1, ""),)}, True),
    ],
)
def test_what_readers_wait_for_is_urgent(state: dict[str, Any], urgent: bool) -> None:
    before = status()
    assert is_urgent(before, status(1, before, **state)) is urgent


def test_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("ovsnp.agent.publishing.write_pace.time.monotonic", lambda: now)
    monkeypatch.setattr("ovsnp.agent.publishing.write_pace.random.uniform", lambda low, high: high)
    pace, first = WritePace(), status()
    pace.hold(10)
    assert (pace.is_first, pace.due(first)) == (True, 1010.0)
    pace.wrote(first)
    assert not pace.is_first
    versions = status(1, first, observed={"NetworkPolicy": "20", "Pod": "31"})
    policies = status(1, first, observed={"NetworkPolicy": "21", "Pod": "31"})
    assert pace.due(versions) == 1075.0
    assert pace.due(policies) == 1005.0
    pace.hold(90)
    assert pace.due(versions) == pace.due(policies) == 1090.0
