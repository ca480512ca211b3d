"""The mistakes of the page's state, at the fields of the view that is shown."""

from ovsnp.console.draft.edit import Draft
from ovsnp.console.draft.reading import read_edit
from ovsnp.console.editor.state import TEXT, EditorState, mistakes_of_text
from ovsnp.console.form import FieldMistake, FormError, NotShownError, field_of, object_of_text
from ovsnp.console.workspace.snapshot import WorkspaceSnapshot

_UNKNOWN = "unknown field"


def mistakes_in(state: EditorState, snapshot: WorkspaceSnapshot) -> list[FieldMistake]:
    """All mistakes: those of fields, of the object, and of its name, which another policy may have."""
    if state.shown == "yaml":
        found = object_of_text(state.text).mistakes
        if found:
            return mistakes_of_text(found)
    try:
        policy = state.policy()
    except FormError as error:
        return error.mistakes
    except NotShownError as error:
        return [FieldMistake("", str(error))]
    read = read_edit(Draft(policy, state.replaces or None), snapshot.given)
    return [_placed(field_in(state, each.path), each.path, each.message) for each in read.mistakes]


def field_in(state: EditorState, path: str) -> str:
    """The field that shows the part of the object at a path; empty: the page has none."""
    if state.shown == "form":
        return field_of(path, state.form)
    return TEXT if path else ""


def _placed(field: str, path: str, message: str) -> FieldMistake:
    """A mistake at its field; with the path if no field shows exactly this part of the object."""
    shown = field and not message.startswith(_UNKNOWN)
    return FieldMistake(field, message if shown else f"{_at(path)}{message}")


def _at(path: str) -> str:
    return f"{path}: " if path else ""
