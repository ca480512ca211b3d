"""Where a save goes, and what it does besides: said before it is done."""

from collections.abc import Mapping

from ovsnp.console.editor.mistakes import field_in
from ovsnp.console.editor.state import EditorState
from ovsnp.console.form import FieldMistake
from ovsnp.console.pages.site import Site

_FILE = "file"
"""The field of the file."""


def path_of(site: Site, state: EditorState, fields: Mapping[str, str]) -> str:
    """The path of the file for a new policy; empty if the place has no files."""
    return _chosen(fields) or site.store.new_file(*state.name)


def place_mistakes(site: Site, state: EditorState, fields: Mapping[str, str]) -> list[FieldMistake]:
    """Why the policy cannot be saved where the page says, or not under its new name."""
    if not state.replaces:
        path = _chosen(fields)
        fault = site.store.fault_of_file(path) if path else ""
        return [FieldMistake(_FILE, fault)] if fault else []
    name = state.name
    faults = site.store.faults_of_name(state.replaced, name) if name.name else ()
    return [FieldMistake(field_in(state, each.path), each.message) for each in faults]


def place_words(site: Site, state: EditorState, fields: Mapping[str, str]) -> str:
    """What a save does besides: a rename, or whether the file is a new one; empty if there is nothing to say."""
    name = state.name
    if not name.name or place_mistakes(site, state, fields):
        return ""
    if state.replaces:
        before, after = "/".join(state.replaced), "/".join(name)
        return f"Save renames {before} to {after}: there is no {before} then." if before != after else ""
    path = path_of(site, state, fields)
    if not path:
        return ""
    if site.store.is_there(path):
        return f"{path} is there already: Save adds the policy at its end."
    return f"Save makes the file {path}."


def _chosen(fields: Mapping[str, str]) -> str:
    return fields.get("target", "") or fields.get(_FILE, "").strip()
