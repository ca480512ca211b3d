"""Faults of a scripted API server: each answers one request."""

from tests.support.scripted_api import Answer, Fault, status


def cut_short(answer: Answer) -> None:
    """A watch that ends at once."""
    answer.start()
    answer.end()


def failing(code: int, reason: str = "", message: str = "", **headers: str) -> Fault:
    """An answer that is an error."""

    def fail(answer: Answer) -> None:
        answer.whole(code, status(code, reason, message), **headers)

    return fail


def error_event(code: int, reason: str = "") -> Fault:
    """A watch whose first line is an error."""

    def fail(answer: Answer) -> None:
        answer.start()
        answer.line("ERROR", status(code, reason, "the reason"))
        answer.end()

    return fail


def cut_in_a_line(answer: Answer) -> None:
    """An answer that breaks off in the middle of a line."""
    answer.start()
    answer.text(b'{"type": "ADDED", "object": {"kind": "Pod", "metadata": {"na')
    answer.cut()


def no_events(answer: Answer) -> None:
    """A watch with a line that is no event."""
    answer.start()
    answer.text(b"<html>busy</html>\n")
    answer.end()


def cut_at_once(answer: Answer) -> None:
    """A connection that ends before the answer."""
    answer.cut()


def half_a_list(answer: Answer) -> None:
    """A streamed list that ends before its last object; to a watch, it ends at once."""
    answer.start()
    if answer.asked.streams:
        for each in [*answer.server.objects[answer.asked.path].values()][:1]:
            answer.line("ADDED", each)
    answer.end()


FAULTS = (
    cut_short,
    cut_in_a_line,
    cut_at_once,
    half_a_list,
    no_events,
    failing(410, "Expired"),
    error_event(410, "Expired"),
    failing(429, "TooManyRequests"),
    failing(500, "InternalError"),
    error_event(500, "InternalError"),
    failing(503),
    failing(504, "Timeout", "Too large resource version: 7, current: 3"),
    failing(422, "Invalid"),
    failing(401),
)
"""All of them."""
