"""Logs how the report of an agent changes: what goes wrong, what works again, and what is left out."""

import logging
from collections.abc import Sequence

from ovsnp.agent.report import AgentReport

_MOST_LOGGED = 20
"""The notes about objects that one event logs."""

log = logging.getLogger("ovsnp.agent")


def log_changes(before: AgentReport, now: AgentReport) -> None:
    """Log each trouble once, its end, and each new note."""
    last, current = _troubles(before), _troubles(now)
    for subject in last | current:
        trouble = current.get(subject)
        if trouble != last.get(subject):
            log.log(logging.WARNING if trouble else logging.INFO, "%s: %s", subject, trouble or "works again")
    if now.notes != before.notes:
        _log_new(before.notes, now.notes)


def _troubles(report: AgentReport) -> dict[str, str | None]:
    """The troubles by subject; a subject that works may have None, or be absent."""
    watches = {f"watch of {kind}": trouble for kind, trouble in report.api_server.items()}
    return {
        "switch": report.switch,
        "database": report.database,
        "input": report.input,
        "publishing": report.publishing,
        **watches,
    }


def _log_new(before: Sequence[str], now: Sequence[str]) -> None:
    """Log the notes that are new: whoever looks for the reason why a pod has no traffic reads the log first."""
    new = sorted({*now} - {*before})
    for note in new[:_MOST_LOGGED]:
        log.warning("%s", note)
    if len(new) > _MOST_LOGGED:
        log.warning("and %d more notes: /status of the control socket has all", len(new) - _MOST_LOGGED)
