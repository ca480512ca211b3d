"""Saves what the page says."""

import time
from collections.abc import Mapping
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from ovsnp.console.editor.drawing import drawn
from ovsnp.console.editor.mistakes import field_in, mistakes_in
from ovsnp.console.editor.pages import state_of
from ovsnp.console.editor.saving_place import path_of, place_mistakes
from ovsnp.console.editor.state import EditorState
from ovsnp.console.form import FieldMistake
from ovsnp.console.pages.policies import APPENDED
from ovsnp.console.pages.site import Fields, Site, said
from ovsnp.console.saving import ConflictError, PolicyRefusedError, WrittenPolicy
from ovsnp.console.workspace.snapshot import WorkspaceSnapshot
from ovsnp.errors import OvsnpError

_WATCH_TELLS = 3.0
"""The seconds in which the watch of a live cluster tells of a change; the page that follows may be older then."""


def save(site: Site, request: Request, snapshot: WorkspaceSnapshot, fields: Fields) -> Response:
    """Save the policy, and go to its page; mistakes and refusals are shown in the form, with all that it says."""
    state, known = state_of(fields), dict(fields)
    mistakes = [*mistakes_in(state, snapshot), *place_mistakes(site, state, known)]
    if out_of_date := site.out_of_date(request):
        mistakes.append(FieldMistake("", out_of_date))
    now = ""
    conflict = bool(state.replaces) and state.replaced not in snapshot.policies
    if not mistakes:
        try:
            return _saved(site, snapshot, state, known)
        except PolicyRefusedError as error:
            mistakes = [FieldMistake(field_in(state, each.path), each.message) for each in error.mistakes]
        except OvsnpError as error:
            if isinstance(error, ConflictError) and state.replaces:
                conflict, now = True, error.now
            mistakes = [FieldMistake("", each) for each in said(error)]
    return drawn(site, request, snapshot, state, mistakes, chosen=known, conflict=conflict, now=now)


def _saved(site: Site, snapshot: WorkspaceSnapshot, state: EditorState, known: Mapping[str, str]) -> Response:
    policy, saved = state.policy(), "1"
    if state.replaces:
        before = snapshot.policies[state.replaced]
        site.store.replace(before, WrittenPolicy(policy, state.text), state.version)
    else:
        path = path_of(site, state, known)
        saved = APPENDED if site.store.is_there(path) else saved
        site.store.create(WrittenPolicy(policy, state.text), path)
    if site.workspace.source.is_live:
        _wait_for_watch(site, snapshot)
    return RedirectResponse(f"/policies/{'/'.join(state.name)}?saved={saved}", HTTPStatus.SEE_OTHER)


def _wait_for_watch(site: Site, before: WorkspaceSnapshot) -> None:
    end = time.monotonic() + _WATCH_TELLS
    while time.monotonic() < end:
        now = site.workspace.current().snapshot
        if now is not None and now.number > before.number:
            return
        time.sleep(0.02)
