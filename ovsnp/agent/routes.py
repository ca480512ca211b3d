"""What an agent answers over HTTP."""

from collections.abc import Callable
from http import HTTPStatus

import msgspec

from ovsnp.agent.agent import Agent
from ovsnp.agent.http_server import HttpAnswer, Routes, json_answer, refusal, text_answer
from ovsnp.errors import UsageError
from ovsnp.render import render_text


class ProbeAnswer(msgspec.Struct, frozen=True):
    """The answer to a probe: whether the agent is as asked, and if not, why."""

    ok: bool
    reason: str | None = None


def probe_routes(agent: Agent) -> Routes:
    """What everybody may read: for the probes of a kubelet, and for what collects metrics."""
    return {
        "/healthz": _get(lambda: _probe(agent.pulse.fault())),
        "/readyz": _get(lambda: _probe(agent.report.obstacle)),
    }


def control_routes(agent: Agent) -> Routes:
    """What the owner of the control socket may ask."""
    return {
        **probe_routes(agent),
        "/status": _get(lambda: json_answer(agent.report)),
        "/flows": _get(lambda: _flows(agent)),
    }


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
