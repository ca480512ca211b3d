"""Events about policies and pods: each cause makes one Event, and a cause that comes back makes another."""

from typing import Any

import msgspec
import pytest
from msgspec import structs

from ovsnp.agent.publishing.node_events import NodeEvents
from ovsnp.agent.report import AgentReport, OddPort, Unrealised
from ovsnp.errors import ApiServerError
from ovsnp.kubernetes.failures import RefusedError

HEALTHY = AgentReport("node-1", "br-int", 0.0, "1.0", pods=("shop/web",))
CLOSED = structs.replace(HEALTHY, unrealised=(Unrealised("shop", "odd", "spec.x: unknown", 1, "u1"),))


class Server:
    """Keeps the Events that are created; ``refusal`` is the code with which it refuses (0: none)."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.refusal = 0

    def send(self, verb: str, _: object, body: bytes, *, namespace: str) -> None:
        assert verb == "POST"
        if self.refusal:
            raise RefusedError("refused", self.refusal)
        event = msgspec.json.decode(body)
        assert event["metadata"]["namespace"] == namespace
        self.events.append(event)


def events_of(server: Server) -> NodeEvents:
    return NodeEvents(server, "node-1")  # type: ignore[arg-type]


def test_cause_is_told_once_and_again_when_it_comes_back() -> None:
    server = Server()
    events = events_of(server)
    for report in (CLOSED, CLOSED, HEALTHY, CLOSED):
        events.tell(report)
    assert [each["regarding"]["name"] for each in server.events] == ["odd", "odd"]
    assert len({each["metadata"]["name"] for each in server.events}) == 1


def test_policies_of_namespaces_without_pods_here_are_not_told() -> None:
    server = Server()
    events_of(server).tell(structs.replace(CLOSED, pods=("bank/web",)))
    assert server.events == []


def test_pod_whose_port_is_not_in_order() -> None:
    server = Server()
    events_of(server).tell(structs.replace(HEALTHY, odd_ports=(OddPort("shop/web", "u2", "no MAC address"),)))
    (event,) = server.events
    assert (event["regarding"]["kind"], event["reason"], event["note"]) == ("Pod", "PortNotInOrder", "no MAC address")


def test_event_of_another_agent_is_enough_and_other_refusals_are_tried_again() -> None:
    server = Server()
    events = events_of(server)
    server.refusal = 403
    with pytest.raises(ApiServerError):
        events.tell(CLOSED)
    server.refusal = 409
    events.tell(CLOSED)
    server.refusal = 0
    events.tell(CLOSED)
    assert server.events == []
