"""The page that creates, edits and copies a policy."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from ovsnp.console.editor.fields import joined
from ovsnp.console.editor.rows import add_row, remove_row
from ovsnp.console.editor.state import EditorState
from ovsnp.console.form import (
    FieldMistake,
    FormError,
    LabelForm,
    NotShownError,
    PolicyForm,
    SelectorForm,
    field_of,
    form_of,
    labelled_workloads,
    mistakes_of,
    object_of_text,
)
from ovsnp.console.pages.site import Fields, Site, said
from ovsnp.console.saving import PolicyRefusedError, as_new
from ovsnp.console.workspace.snapshot import WorkspaceSnapshot
from ovsnp.errors import OvsnpError
from ovsnp.model.policy import NetworkPolicy
from ovsnp.yaml_reader.report import DEFAULT_NAMESPACE


def edit(site: Site, request: Request, snapshot: WorkspaceSnapshot) -> Response:
    """The form for a new policy, for the policy that the query names, or for a copy of one."""
    query = request.query_params
    if "copy" in query:
        opened = site.store.open(_known(snapshot, query["copy"]), snapshot)
        new = as_new(opened.policy)
        new["metadata"]["name"] = f"{new['metadata'].get('name', '')}-copy"
        return _shown(site, request, snapshot, _opened(new, "", "", ""))
    if "name" in query:
        key = f"{query.get('namespace', DEFAULT_NAMESPACE)}/{query['name']}"
        opened = site.store.open(_known(snapshot, key), snapshot)
        return _shown(site, request, snapshot, _opened(opened.policy, opened.text, key, opened.version))
    form = PolicyForm(namespace=query.get("namespace", DEFAULT_NAMESPACE), directions=["Ingress"])
    form.selector.labels.append(LabelForm())
    return _shown(site, request, snapshot, EditorState(form, None, "", "form", "", ""))


def change(site: Site, request: Request, snapshot: WorkspaceSnapshot, fields: Fields) -> Response:
    """What a button of the form asks: another row, another view, the labels of a workload, or a check."""
    state, known = _state(fields), dict(fields)
    verb, _, subject = known.get("do", "").partition(" ")
    mistakes: list[FieldMistake] = []
    try:
        match verb:
            case "add":
                add_row(state.form, subject)
            case "remove":
                remove_row(state.form, subject)
            case "view":
                state = _in_view(state, subject)
            case "reference":
                _take_over(state.form, snapshot, known.get("workload", ""))
            case "check":
                mistakes = mistakes_in(state)
    except FormError as error:
        mistakes = error.mistakes
    except NotShownError as error:
        mistakes = [FieldMistake("", str(error))]
    return _shown(site, request, snapshot, state, mistakes, chosen=known)


def save(site: Site, request: Request, snapshot: WorkspaceSnapshot, fields: Fields) -> Response:
    """Save the policy, and go to its page; mistakes and refusals are shown in the form."""
    state, known = _state(fields), dict(fields)
    mistakes = mistakes_in(state)
    if not mistakes:
        try:
            return _saved(site, snapshot, state, known)
        except PolicyRefusedError as error:
            mistakes = [FieldMistake(_field(each.path, state), each.message) for each in error.mistakes]
        except FormError as error:
            mistakes = error.mistakes
        except OvsnpError as error:
            mistakes = [FieldMistake("", each) for each in said(error)]
    return _shown(site, request, snapshot, state, mistakes, chosen=known)


def _state(fields: Fields) -> EditorState:
    try:
        return EditorState.of_fields(fields)
    except FormError as error:
        raise HTTPException(HTTPStatus.BAD_REQUEST, str(error)) from None


def mistakes_in(state: EditorState) -> list[FieldMistake]:
    """All mistakes of the page, at the fields of the view that is shown."""
    try:
        policy = state.policy()
    except FormError as error:
        return error.mistakes
    if state.shown == "form":
        return mistakes_of(policy, state.form)
    found = object_of_text(state.text).mistakes
    return [FieldMistake("text", f"line {each.span.line}: {each.path}: {each.message}") for each in found]


def _saved(site: Site, snapshot: WorkspaceSnapshot, state: EditorState, known: Mapping[str, str]) -> Response:
    policy, path = state.policy(), known.get("target", "") or known.get("file", "").strip()
    if state.replaces:
        site.store.replace(_known(snapshot, state.replaces), policy, state.version)
    elif not path and site.store.targets(snapshot):
        raise FormError([FieldMistake("file", "missing; name the new file, such as policies/NAME.yaml")])
    else:
        site.store.create(policy, path)
    metadata = policy["metadata"]
    saved = f"{metadata.get('namespace') or DEFAULT_NAMESPACE}/{metadata['name']}"
    return RedirectResponse(f"/policies/{saved}?saved=1", HTTPStatus.SEE_OTHER)


def _field(path: str, state: EditorState) -> str:
    return field_of(path, state.form) if state.shown == "form" else "text"


def _in_view(state: EditorState, view: str) -> EditorState:
    if view == "yaml":
        return state.as_yaml() if state.shown == "form" else state
    if state.shown == "yaml":
        state = state.as_form()
    state.form.view = "advanced" if view == "advanced" else "simple"
    return state


def _take_over(form: PolicyForm, snapshot: WorkspaceSnapshot, workload: str) -> None:
    """Select the pods of a workload by the labels that they share."""
    kind, _, name = workload.partition("/")
    for each in labelled_workloads(snapshot.given, form.namespace):
        if (each.kind, each.name) == (kind, name):
            form.selector = SelectorForm("listed", [LabelForm(*label) for label in each.labels.items()])


def _opened(policy: Mapping[str, Any], text: str, replaces: str, version: str) -> EditorState:
    """The state for an object; a text where the form cannot show it."""
    try:
        return EditorState(form_of(policy), policy, text, "form", replaces, version)
    except NotShownError:
        return EditorState(PolicyForm(), policy, text, "yaml", replaces, version)


def _known(snapshot: WorkspaceSnapshot, key: str) -> NetworkPolicy:
    """The policy NAMESPACE/NAME; raises HTTPException if there is none."""
    namespace, _, name = key.partition("/")
    if (namespace, name) not in snapshot.policies:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"There is no NetworkPolicy {key}.")
    return snapshot.policies[namespace, name]


def _shown(
    site: Site,
    request: Request,
    snapshot: WorkspaceSnapshot,
    state: EditorState,
    mistakes: Sequence[FieldMistake] = (),
    *,
    chosen: Mapping[str, str] = {},
) -> Response:
    """The page; ``chosen`` are the fields that say where to save."""
    at: dict[str, list[str]] = defaultdict(list)
    for each in mistakes:
        at[each.field].append(each.message)
    new, target = not state.replaces, chosen.get("target", "")
    return site.page(
        request,
        "edit.html.j2",
        f"Edit {state.replaces}" if state.replaces else "New policy",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if mistakes else HTTPStatus.OK,
        form=state.form,
        shown=state.shown,
        text=state.text,
        original=state.original_text,
        replaces=state.replaces,
        version=state.version,
        mistakes=at,
        refused=at.pop("", []),
        namespaces=sorted(snapshot.cluster.namespaces),
        workloads=labelled_workloads(snapshot.given, state.form.namespace),
        targets=site.store.targets(snapshot) if new else [],
        target=target,
        new_file=new and not target,
        file=chosen.get("file", ""),
        obstacle=_obstacle(site, state, new=new),
        joined=joined,
    )


def _obstacle(site: Site, state: EditorState, *, new: bool) -> str:
    if site.read_only:
        return "This console was started with --read-only, so it saves nothing."
    return site.store.obstacle(state.form.namespace or DEFAULT_NAMESPACE, new=new)
