"""What an agent answers over HTTP."""

import queue
from collections.abc import Callable, Iterator
from http import HTTPStatus

import msgspec

from ovsnp.agent.agent import Agent
from ovsnp.agent.serving.http_server import HttpAnswer, Routes, json_answer, lines_answer, refusal, text_answer
from ovsnp.agent.serving.metrics import CONTENT_TYPE, AgentMetrics
from ovsnp.agent.traffic.drop_log import DropLog
from ovsnp.errors import SwitchError, UsageError
from ovsnp.render import render_text

_SIGN_OF_LIFE = 10.0
"""The seconds after which a follower gets an empty line: only a write shows that it has ended its connection."""


class ProbeAnswer(msgspec.Struct, frozen=True):
    """The answer to a probe: whether the agent is as asked, and if not, why."""

    ok: bool
    reason: str | None = None


def probe_routes(agent: Agent, metrics: AgentMetrics) -> Routes:
    """What everybody may read: for the probes of a kubelet, and for what collects metrics."""
    return {
        "/healthz": _get(lambda: _probe(agent.pulse.fault())),
        "/readyz": _get(lambda: _probe(agent.report.obstacle)),
        "/metrics": _get(lambda: HttpAnswer(HTTPStatus.OK, CONTENT_TYPE, metrics.metrics_text())),
    }


def control_routes(agent: Agent, metrics: AgentMetrics) -> Routes:
    """What the owner of the control socket may ask."""
    return {
        **probe_routes(agent, metrics),
        "/status": _get(lambda: json_answer(agent.report)),
        "/flows": _get(lambda: _flows(agent)),
        "/connections": _get(lambda: _read(agent.connections.read)),
        "/counts": _get(lambda: _read(agent.counts.read)),
        **(drop_routes(agent.drops) if agent.logs_drops else _NO_DROPS),
    }


def drop_routes(drops: DropLog) -> Routes:
    """The lines of the drop log: the last lines, or the lines that come from now on."""
    return {
        "/drops": _get(lambda: lines_answer(iter([b"".join(map(_line, drops.lines()))]))),
        "/drops/follow": _get(lambda: lines_answer(_follow(drops))),
    }


def _follow(drops: DropLog) -> Iterator[bytes]:
    with drops.follow() as coming:
        yield b"\n"  # the reader knows that it follows now
        while True:
            try:
                yield _line(coming.get(timeout=_SIGN_OF_LIFE))
            except queue.Empty:
                yield b"\n"


def _line(line: msgspec.Struct) -> bytes:
    return msgspec.json.encode(line) + b"\n"


def _read(read: Callable[[], msgspec.Struct]) -> HttpAnswer:
    try:
        return json_answer(read())
    except SwitchError as error:
        return refusal(HTTPStatus.SERVICE_UNAVAILABLE, str(error))


def _get(answer: Callable[[], HttpAnswer]) -> dict[str, Callable[[bytes], HttpAnswer]]:
    return {"GET": lambda _: answer(), "HEAD": lambda _: answer()}


def _probe(obstacle: str | None) -> HttpAnswer:
    status = HTTPStatus.SERVICE_UNAVAILABLE if obstacle else HTTPStatus.OK
    return json_answer(ProbeAnswer(obstacle is None, obstacle), status)


def _flows(agent: Agent) -> HttpAnswer:
    """The program as `ovsnp compile` prints it."""
    if not agent.report.observed:
        reason = "there is no program yet: the cluster or the bridge is not read; try again"
        return refusal(HTTPStatus.SERVICE_UNAVAILABLE, reason)
    try:
        return text_answer(render_text(agent.program.whole))
    except UsageError as error:
        return refusal(HTTPStatus.SERVICE_UNAVAILABLE, str(error))


def _no_drops() -> HttpAnswer:
    return refusal(HTTPStatus.CONFLICT, "this agent logs no drops; start it with --log-drops")


_NO_DROPS: Routes = {path: _get(_no_drops) for path in ("/drops", "/drops/follow")}
