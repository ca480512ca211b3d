"""Drops and connections, from a control socket as an agent has it."""

import queue
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ovsnp.agent.serving.http_server import json_answer, serving_socket
from ovsnp.agent.serving.routes import drop_routes
from ovsnp.agent.traffic.drop_document import Drop, DropLine, DroppedTraffic, TrafficEnd
from ovsnp.agent.traffic.live_connections import ConnectionsDocument, LiveConnection
from tests.console.conftest import Open

WEB, DB = TrafficEnd("10.0.0.1", "shop/<web>"), TrafficEnd("10.0.0.2", "shop/db")
DROPPED = DroppedTraffic("ingress", WEB, DB, "tcp", 80, None, None, "shop/db", ["shop/closed"])
OPEN = LiveConnection(
    WEB, DB, "tcp", 40000, 6379, None, "ESTABLISHED", 86400, True, True, None, ("shop/open ingress[0]",)
)


class KeptDrops:
    """The lines of a drop log."""

    def __init__(self) -> None:
        self.kept: list[DropLine] = []

    def lines(self) -> list[DropLine]:
        return self.kept

    @contextmanager
    def follow(self) -> Iterator["queue.Queue[DropLine]"]:
        yield queue.Queue()


def test_lines_are_those_of_the_commands(open_console: Open, demo: Path, tmp_path: Path) -> None:
    drops = KeptDrops()
    routes = {
        **drop_routes(drops),  # type: ignore[arg-type]
        "/connections": {"GET": lambda _: json_answer(ConnectionsDocument([OPEN]))},
    }
    socket = tmp_path / "run" / "agent.sock"
    with serving_socket(socket, routes):
        visitor = open_console(demo, socket=socket)
        assert str(OPEN) in visitor.get("/live").text
        drops.kept.append(Drop("2026-01-01T10:00:00.000Z", DROPPED, 3))
        reply = visitor.get("/live/lines")
        assert str(drops.kept[0]) in reply.text
        assert "<web>" not in reply.body
        assert str(OPEN) in visitor.get("/live?pod=shop/db").text
        assert str(OPEN) not in visitor.get("/live?pod=shop/other").text
    assert "no agent answers" in visitor.get("/live/lines").text


def test_agent_without_a_drop_log(open_console: Open, demo: Path, tmp_path: Path) -> None:
    socket = tmp_path / "run" / "agent.sock"
    with serving_socket(socket, {"/connections": {"GET": lambda _: json_answer(ConnectionsDocument([]))}}):
        assert "there is no /drops" in open_console(demo, socket=socket).get("/live").text
