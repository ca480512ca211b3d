"""The page that creates, edits and copies a policy."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from ovsnp.console.editor.drawing import drawn
from ovsnp.console.editor.mistakes import mistakes_in
from ovsnp.console.editor.rows import add_row, fill_choices, remove_row, restrict_as_the_rules
from ovsnp.console.editor.saving_place import place_mistakes
from ovsnp.console.editor.state import EditorState
from ovsnp.console.form import (
    FieldMistake,
    FormError,
    LabelForm,
    NotShownError,
    PolicyForm,
    SelectorForm,
    edited_text,
    form_of,
    labelled_workloads,
    yaml_of,
)
from ovsnp.console.form.document import view_of
from ovsnp.console.pages.site import Fields, Site
from ovsnp.console.saving import as_new
from ovsnp.console.workspace.snapshot import WorkspaceSnapshot
from ovsnp.model.policy import NetworkPolicy
from ovsnp.yaml_editor import EditRefusedError
from ovsnp.yaml_reader.report import DEFAULT_NAMESPACE

_ONLY_ADVANCED = (
    "the policy has more than the simple form shows: several sources in a rule, namespaces by label, or expressions"
)

_NO_WORKLOAD = "choose a workload of the policy's namespace"
_WRITTEN_ANEW = "the YAML is written anew, without the comments that it had"


def edit(site: Site, request: Request, snapshot: WorkspaceSnapshot) -> Response:
    """The form for a new policy, for the policy that the query names, or for a copy of one."""
    query = request.query_params
    if "copy" in query:
        opened = site.store.open(_known(snapshot, query["copy"]))
        new = as_new(opened.policy)
        new["metadata"]["name"] = f"{new['metadata'].get('name', '')}-copy"
        return drawn(
            site, request, snapshot, _shown(EditorState(PolicyForm(), new, _text_of(new, opened.text), "yaml"))
        )
    if "name" in query:
        key = f"{query.get('namespace', DEFAULT_NAMESPACE)}/{query['name']}"
        policy, text, version = site.store.open(_known(snapshot, key))
        return drawn(
            site, request, snapshot, _shown(EditorState(PolicyForm(), policy, text, "yaml", key, text, version))
        )
    form = PolicyForm(namespace=query.get("namespace") or DEFAULT_NAMESPACE, directions=["Ingress"])
    form.selector.labels.append(LabelForm())
    return drawn(site, request, snapshot, EditorState(form, None, "", "form"))


def change(site: Site, request: Request, snapshot: WorkspaceSnapshot, fields: Fields) -> Response:
    """What a button of the form asks: another row, another view, the labels of a workload, or a check."""
    state, known = state_of(fields), dict(fields)
    verb, _, subject = known.get("do", "").partition(" ")
    mistakes: Sequence[FieldMistake] = []
    focus = ""
    try:
        match verb:
            case "":
                fill_choices(state.form)
            case "add":
                focus = add_row(state.form, subject)
                if subject == "outbound" and state.original is None:
                    restrict_as_the_rules(state.form)
            case "remove":
                focus = f"add {remove_row(state.form, subject)}"
            case "view":
                state, mistakes = _in_view(state, subject)
            case "reference":
                mistakes = _take_over(state.form, snapshot, known.get("workload", ""))
            case "new":
                state = state.as_new()
            case "check":
                mistakes = [*mistakes_in(state, snapshot), *place_mistakes(site, state, known)]
    except FormError as error:
        mistakes = error.mistakes
    except NotShownError as error:
        mistakes = [FieldMistake("", str(error))]
    return drawn(site, request, snapshot, state, mistakes, chosen=known, focus=focus)


def state_of(fields: Fields) -> EditorState:
    """The state that the fields say; raises HTTPException for fields that no page of the console sends."""
    try:
        return EditorState.of_fields(fields)
    except FormError as error:
        reason = "; ".join(each.message for each in error.mistakes)
        raise HTTPException(HTTPStatus.BAD_REQUEST, f"{reason[:1].upper()}{reason[1:]}.") from None


def _in_view(state: EditorState, view: str) -> tuple[EditorState, Sequence[FieldMistake]]:
    """The state in another view; what the simple form cannot show is never out of sight."""
    if view == "yaml":
        if state.shown == "yaml":
            return state, ()
        state, lost = state.as_yaml()
        return state, [FieldMistake("", f"{_WRITTEN_ANEW}: {lost}")] if lost else ()
    if state.shown == "yaml":
        state = state.as_form()
    needed = view_of(state.form)
    state.form.view = "advanced" if "advanced" in (view, needed) else "simple"
    return state, [FieldMistake("", _ONLY_ADVANCED)] if view == "simple" and needed == "advanced" else ()


def _take_over(form: PolicyForm, snapshot: WorkspaceSnapshot, workload: str) -> Sequence[FieldMistake]:
    """Select the pods of a workload by the labels that they share; a mistake if the namespace has no such workload."""
    kind, _, name = workload.partition("/")
    for each in labelled_workloads(snapshot.given, form.namespace):
        if (each.kind, each.name) == (kind, name):
            form.selector = SelectorForm("listed", [LabelForm(*label) for label in each.labels.items()])
            return ()
    return [FieldMistake("workload", _NO_WORKLOAD)]


def _shown(state: EditorState) -> EditorState:
    """The state of text as a form, if the form can show it."""
    try:
        return state._replace(form=form_of(state.original or {}), shown="form")
    except NotShownError:
        return state


def _text_of(copy: Mapping[str, Any], text: str) -> str:
    """The text of a copy, with the comments of the original's text where they can stay."""
    try:
        return edited_text(text, copy)
    except EditRefusedError:
        return yaml_of(copy)


def _known(snapshot: WorkspaceSnapshot, key: str) -> NetworkPolicy:
    """The policy NAMESPACE/NAME; raises HTTPException if there is none."""
    namespace, _, name = key.partition("/")
    if (namespace, name) not in snapshot.policies:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"There is no NetworkPolicy {key}.")
    return snapshot.policies[namespace, name]
