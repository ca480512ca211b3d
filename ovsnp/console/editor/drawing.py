"""Draws the page of the editor."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from ovsnp.console.editor.answers import PARTS, by_field
from ovsnp.console.editor.changed_lines import changed_lines
from ovsnp.console.editor.fields import joined
from ovsnp.console.editor.obstacle import obstacle_of
from ovsnp.console.editor.saving_place import place_words
from ovsnp.console.editor.state import EditorState
from ovsnp.console.form import FieldMistake, labelled_workloads, labels_of_pods
from ovsnp.console.pages.site import Site
from ovsnp.console.saving import PolicyName
from ovsnp.console.workspace.snapshot import WorkspaceSnapshot


def drawn(
    site: Site,
    request: Request,
    snapshot: WorkspaceSnapshot,
    state: EditorState,
    mistakes: Sequence[FieldMistake] = (),
    *,
    chosen: Mapping[str, str] = {},
    focus: str = "",
    conflict: bool = False,
    now: str = "",
) -> Response:
    """The page.

    ``chosen`` are the fields that say where to save. ``focus`` is the path of a new row, or the value of a button, that
    gets the focus. With ``conflict`` the page says how to go on; ``now`` is then the text of the policy as it is now,
    empty if there is none.
    """
    at, name = by_field(mistakes), state.name
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
        opened=state.opened,
        version=state.version,
        there=state.replaced in snapshot.policies,
        mistakes=at,
        refused=at.pop("", []),
        conflict=conflict,
        changes=[*changed_lines(state.opened, now)] if now else [],
        focus=focus,
        namespaces=sorted(snapshot.cluster.namespaces),
        workloads=labelled_workloads(snapshot.given, name.namespace),
        labels_of_pods=snapshot.once("labels of pods", lambda: labels_of_pods(snapshot.given)),
        obstacle=obstacle_of(site, request, state),
        parts=PARTS,
        joined=joined,
        **_places(site, snapshot, state, name, chosen),
    )


def _places(
    site: Site, snapshot: WorkspaceSnapshot, state: EditorState, name: PolicyName, chosen: Mapping[str, str]
) -> Mapping[str, object]:
    """Where the policy may be saved, the place that is chosen, and what a save does there."""
    targets = [] if state.replaces else site.store.targets(snapshot)
    return {
        "targets": targets,
        "target": chosen.get("target", targets[0].path if targets else ""),
        "file": chosen.get("file", ""),
        "new_file": site.store.new_file(name.namespace, name.name or "NAME"),
        "save_does": place_words(site, state, chosen),
    }
