"""The answers beside the form, which the page gets part by part while a user types."""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from ovsnp.console.draft import Deletion, Draft, DraftDocument, DraftSession, Edit, Stage
from ovsnp.console.editor.drafts import Drafts, SupersededError
from ovsnp.console.editor.mistakes import field_in, mistakes_in
from ovsnp.console.editor.obstacle import obstacle_of
from ovsnp.console.editor.saving_place import place_mistakes, place_words
from ovsnp.console.editor.state import EditorState
from ovsnp.console.form import FieldMistake, FormError
from ovsnp.console.pages.site import Fields, Site
from ovsnp.console.pages.templating import render
from ovsnp.console.workspace.snapshot import WorkspaceSnapshot
from ovsnp.errors import OvsnpError

Line = dict[str, Any]

PARTS = ("notes", "pods", "effect", "lint", "matrix")
"""The parts of an answer, in the order of the page."""

_WORDS = {
    Stage.PODS: "Looking for the pods …",
    Stage.EFFECT: "Comparing the connections …",
    Stage.LINT: "Checking with lint …",
    Stage.MATRIX: "Comparing the matrix …",
}


def answer(site: Site, request: Request, snapshot: WorkspaceSnapshot, fields: Fields) -> Response:
    """The answer as lines of JSON.

    A line may have ``progress`` (what is being worked out; empty at the end), ``summary`` (the answer in a sentence),
    ``obstacle`` (why the user may not save it; empty: the user may), ``saveDoes`` (where the policy goes, or its
    rename), ``mistakes`` (by field), ``part`` with its ``html``, and ``again`` (this answer ends early: another page
    has asked).
    """
    lines = (json.dumps(each) + "\n" for each in _lines(site, request, snapshot, fields))
    return StreamingResponse(lines, media_type="application/x-ndjson")


def draft_session(snapshot: WorkspaceSnapshot) -> DraftSession:
    """The answers about edits of the snapshot; what edits have in common is worked out once."""

    def make() -> DraftSession:
        session = DraftSession(snapshot.given, snapshot.terms, snapshot.service_cidrs)
        session.prepare()
        return session

    return snapshot.once("drafts", make)


def _lines(site: Site, request: Request, snapshot: WorkspaceSnapshot, fields: Fields) -> Iterator[Line]:
    try:
        known = dict(fields)
        deleted = known.get("deletes")
        if deleted is not None:
            yield from _judged(site.drafts, snapshot, Deletion(deleted), None)
            return
        state = EditorState.of_fields(fields)
        yield {"obstacle": obstacle_of(site, request, state), "saveDoes": place_words(site, state, known)}
        if found := [*mistakes_in(state, snapshot), *place_mistakes(site, state, known)]:
            yield _wrong(found)
        else:
            yield from _judged(site.drafts, snapshot, Draft(state.policy(), state.replaces or None), state)
    except SupersededError:
        yield {"again": True}
    except FormError as error:
        yield _wrong(error.mistakes)
    except OvsnpError as error:
        yield {"progress": "", "summary": str(error)}
    except RecursionError:
        yield {"progress": "", "summary": "The object has too many levels; a NetworkPolicy has about ten."}
    except Exception as error:
        # The answer has begun, so its status says that all is well; the page must not show half of it as the whole.
        yield {"progress": "", "summary": f"Internal error, please report it: {type(error).__name__}: {error}"}
        raise


def _judged(drafts: Drafts, snapshot: WorkspaceSnapshot, edit: Edit, state: EditorState | None) -> Iterator[Line]:
    """Each part of the answer once; ``state`` has the fields, if there is a form."""
    yield {"progress": _WORDS[Stage.PODS]}
    sent: set[str] = set()
    for document in drafts.stages(draft_session(snapshot), edit):
        found = [FieldMistake(field_in(state, each.path) if state else "", each.message) for each in document.mistakes]
        if found:
            yield _wrong(found)
            return
        if not sent:
            yield {"mistakes": {}}
        for part in PARTS:
            if part not in sent and (value := getattr(document, part)) is not None:
                sent.add(part)
                yield {"part": part, "html": render(f"answer_{part}.html.j2", {part: value})}
        yield {"progress": _WORDS.get(document.next, "") if document.next else ""}
        if document.next is None:
            yield {"summary": _summary(document)}


def _summary(document: DraftDocument) -> str:
    """The answer in a sentence."""
    said = []
    if document.pods is not None:
        said.append(f"Selects {document.pods.count} {'pod' if document.pods.count == 1 else 'pods'}")
    if document.effect is not None:
        gained, lost = (
            len(lines) + len(services)
            for lines, services in (
                (document.effect.gained, document.effect.services.gained),
                (document.effect.lost, document.effect.services.lost),
            )
        )
        said.append(
            f"lines of connections gained: {gained}, lost: {lost}" if gained or lost else "no connection changes"
        )
    text = "; ".join(said)
    return f"{text[:1].upper()}{text[1:]}."


def _wrong(mistakes: Sequence[FieldMistake]) -> Line:
    count = len(mistakes)
    words = "1 field needs a change first." if count == 1 else f"{count} fields need a change first."
    return {"mistakes": by_field(mistakes), "progress": "", "summary": words}


def by_field(mistakes: Sequence[FieldMistake]) -> dict[str, list[str]]:
    """The messages of each field."""
    found: dict[str, list[str]] = defaultdict(list)
    for each in mistakes:
        found[each.field].append(each.message)
    return dict(found)
