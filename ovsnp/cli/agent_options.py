"""The options of an agent: those that flows depend on, and where the cluster and the bridge are."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from ovsnp.cli.configuration import config_option
from ovsnp.cli.flow_options import DATABASE, FLOWS
from ovsnp.cli.live import reaching_options
from ovsnp.cli.options import OUTPUTS, Request


def agent_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of an agent; it gets them as one Request, and its own options as keywords."""

    @wraps(command)
    def with_request(**given: Any) -> None:
        shared = {field: given.pop(field) for field in Request.__struct_fields__ if field in given}
        request = Request((), True, ignore_kinds=(), databases=given.pop("db"), **_NOT_OF_AGENTS, **shared)
        command(request, **given)

    decorated: Callable[..., None] = with_request
    for option in reversed((*FLOWS, *reaching_options, DATABASE, config_option)):
        decorated = option(decorated)
    return decorated


_NOT_OF_AGENTS: Mapping[str, Any] = {
    "ports": None,
    "output": OUTPUTS[0],
    "verbose": False,
    "quiet": False,
    "no_color": False,
}
