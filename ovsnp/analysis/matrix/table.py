"""The matrix as CSV (RFC 4180): a record for each pair that may connect."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from ovsnp.analysis.matrix.deciding import Deciding, deciding
from ovsnp.analysis.matrix.view import Shown, View

HEAD = ("from", "to", "ports", "exempt", "egress", "ingress")


def csv_text(view: View) -> Iterator[str]:
    """The head, then the records of each source; a pair without a record is denied."""
    yield _lines([HEAD])
    for source in view.sources:
        yield _lines(_record(view, shown) for shown in view.shown(source))


def _record(view: View, shown: Shown) -> tuple[str, ...]:
    rules = _rules(deciding(view.reach, shown))
    return shown.source.name, shown.destination.name, shown.ports, _exempt(shown), *rules


def _exempt(shown: Shown) -> str:
    """The reason why policies do not apply between the pair's members, with ``some`` if not between all of them."""
    if shown.cell.exempt is None:
        return ""
    return shown.cell.exempt if shown.cell.wholly else f"some {shown.cell.exempt}"


def _rules(found: list[Deciding]) -> tuple[str, str]:
    egress = dict.fromkeys(str(facts.admission) for each in found for facts in each.egress)
    ingress = dict.fromkeys(str(facts.admission) for each in found for facts in each.ingress)
    return "; ".join(egress), "; ".join(ingress)


def _lines(records: Iterable[Sequence[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(records)
    return out.getvalue()
