"""The answers beside the form, which the page gets part by part while a user types."""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from ovsnp.console.draft import Draft, DraftSession, Stage
from ovsnp.console.editor.drafts import Drafts
from ovsnp.console.editor.pages import mistakes_in
from ovsnp.console.editor.state import EditorState
from ovsnp.console.form import FieldMistake, FormError, NotShownError, field_of
from ovsnp.console.pages.site import Fields, Site
from ovsnp.console.pages.templating import render
from ovsnp.console.workspace.snapshot import WorkspaceSnapshot

_WORDS = {
    Stage.PODS: "Looking for the pods …",
    Stage.EFFECT: "Comparing the connections …",
    Stage.LINT: "Checking with lint …",
    Stage.MATRIX: "Comparing the matrix …",
}


def answer(site: Site, request: Request, snapshot: WorkspaceSnapshot, fields: Fields) -> Response:
    """The parts of the answer as lines of JSON: ``progress``, ``mistakes`` by field, and ``html`` of a ``part``."""
    lines = (json.dumps(each) + "\n" for each in _parts(site.drafts, snapshot, fields))
    return StreamingResponse(lines, media_type="application/x-ndjson")


def _parts(drafts: Drafts, snapshot: WorkspaceSnapshot, fields: Fields) -> Iterator[dict[str, object]]:
    try:
        state = EditorState.of_fields(fields)
        policy = state.policy()
    except (FormError, NotShownError) as error:
        found = error.mistakes if isinstance(error, FormError) else [FieldMistake("", str(error))]
        yield from _wrong(found)
        return
    if found := mistakes_in(state):
        yield from _wrong(found)
        return
    session = snapshot.once("drafts", lambda: DraftSession(snapshot.given, snapshot.terms, snapshot.service_cidrs))
    for document in drafts.stages(session, Draft(policy, state.replaces or None)):
        remarks = [FieldMistake(field_of(each.path, state.form), each.message) for each in document.mistakes]
        yield {"mistakes": _by_field(remarks), "progress": _WORDS.get(document.next, "")}
        for part in ("pods", "effect", "lint", "matrix"):
            if getattr(document, part) is not None:
                yield {"part": part, "html": render(f"answer_{part}.html.j2", {part: getattr(document, part)})}


def _wrong(mistakes: Sequence[FieldMistake]) -> Iterator[dict[str, object]]:
    count = len(mistakes)
    yield {"mistakes": _by_field(mistakes), "progress": f"{count} {'mistake' if count == 1 else 'mistakes'} to mend"}


def _by_field(mistakes: Sequence[FieldMistake]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for each in mistakes:
        found[each.field].append(each.message)
    return found
