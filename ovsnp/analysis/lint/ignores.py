"""``# ovsnp: ignore=ID,ID`` in manifests: the findings that such a comment covers, and comments that cover none."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from difflib import get_close_matches

import msgspec

from ovsnp.analysis.lint.finding import Located
from ovsnp.analysis.lint.registry import CHECKS, UNUSED_IGNORE
from ovsnp.errors import Diagnostic, InputError, Span
from ovsnp.yaml_reader.comments import Comment, comments

_WORD = "ovsnp:"
_IGNORE = re.compile(r"ovsnp:\s*ignore=([^\s#]+(?:\s*,\s*[^\s#,]+)*)\s*(?:#.*)?")
_SHAPE = "write # ovsnp: ignore=ID, or several with commas"


class Ignore(msgspec.Struct, frozen=True):
    """One identifier of one comment."""

    file: str
    check: str
    comment: Comment


def read_ignores(files: Iterable[str]) -> list[Ignore]:
    """The ignores of all files; raises InputError if a comment is not understood, or names an unknown check."""
    found: list[Ignore] = []
    mistakes: list[Diagnostic] = []
    for file in files:
        for comment in comments(file, _WORD):
            match = _IGNORE.fullmatch(comment.text)
            if match is None:
                message = f"the comment {comment.text[:80]!r} is not understood; {_SHAPE}"
                mistakes.append(Diagnostic(Span(file, comment.line), "", "", message))
                continue
            for name in dict.fromkeys(each.strip() for each in match[1].split(",")):
                if fault := name_fault(name):
                    mistakes.append(Diagnostic(Span(file, comment.line), "", "", fault))
                found.append(Ignore(file, name, comment))
    if mistakes:
        raise InputError(mistakes)
    return found


def name_fault(name: str) -> str | None:
    """An error about an unknown identifier of a check, with the nearest one; None if there is such a check."""
    if name in CHECKS:
        return None
    near = get_close_matches(name, CHECKS, 1, 0.5)
    advice = f"did you mean {near[0]}?" if near else f"there are {', '.join(CHECKS)}"
    return f"there is no check {name!r}; {advice}"


def apply(
    findings: Sequence[Located], ignores: Sequence[Ignore], judged: Collection[str]
) -> tuple[list[Located], list[Located]]:
    """The findings that are left, and the findings that are ignored; an ignore that covers none is a finding itself.

    ``judged`` are the checks that ran: whether an ignore of another check covers a finding is not known.
    """
    by_line: dict[tuple[str, str, int], list[Ignore]] = {}
    for ignore in ignores:
        for line in range(ignore.comment.first, ignore.comment.last + 1):
            by_line.setdefault((ignore.file, ignore.check, line), []).append(ignore)
    left: list[Located] = []
    ignored: list[Located] = []
    used: set[Ignore] = set()
    for finding in findings:
        covering = by_line.get((finding.span.file, finding.check, finding.span.line), ())
        used.update(covering)
        (ignored if covering else left).append(finding)
    if UNUSED_IGNORE in judged:
        for finding in _unused(ignore for ignore in ignores if ignore.check in judged and ignore not in used):
            covered = (finding.span.file, UNUSED_IGNORE, finding.span.line) in by_line
            (ignored if covered else left).append(finding)
    return left, ignored


def _unused(ignores: Iterable[Ignore]) -> Iterator[Located]:
    for ignore in ignores:
        if ignore.check != UNUSED_IGNORE:
            message = f"the comment ignores {ignore.check}, which finds nothing there"
            span = Span(ignore.file, ignore.comment.line)
            yield Located(span, UNUSED_IGNORE, "", "", CHECKS[UNUSED_IGNORE].severity, message, "remove it")
