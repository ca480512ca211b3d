"""Writes an effect as text for people: a line for each gain and loss."""

from collections.abc import Iterator

from ovsnp.analysis.diff.effect.comparison import Effect, PodChurn
from ovsnp.analysis.diff.effect.lines import EffectLine
from ovsnp.analysis.diff.effect.reasons import reason_words
from ovsnp.analysis.diff.effect.services import ServiceLine


def text_lines(effect: Effect) -> Iterator[tuple[str, str]]:
    """The lines with their kind: ``+`` for a gain, ``-`` for a loss, a blank for pods that come, go or move."""
    for line in effect.lines:
        sign = "+" if line.gained else "-"
        yield sign, f"{sign} {_connection(effect, line)}"
    for service in effect.services:
        sign = "+" if service.gained else "-"
        yield sign, f"{sign} {_to_service(service)}"
    for words, came in (
        ("new pods", effect.pods_new),
        ("pods gone", effect.pods_gone),
        ("pods with another address", effect.pods_moved),
    ):
        if came:
            yield " ", f"  {words}: {_came(came)}"


def _connection(effect: Effect, line: EffectLine) -> str:
    only = "" if line.families == effect.families else f"  IPv{line.families[0]}"
    why = f"   ({reason_words(line.reasons)})" if line.reasons else ""
    return f"{line.sources} -> {line.destinations}  {line.ports}{only}{why}"


def _to_service(line: ServiceLine) -> str:
    sources = f"{line.sources}, each" if line.itself and len(line.pods) > 1 else str(line.sources)
    return f"{sources} -> svc/{line.service}  {line.port}   (served by {line.served_by})"


def _came(came: PodChurn) -> str:
    count = len(came.keys)
    return f"{came.words} ({count})" if count > 1 else str(came.words)
