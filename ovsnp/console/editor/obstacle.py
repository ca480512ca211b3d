"""Whether the user may save what the page says."""

from ovsnp.console.editor.state import EditorState
from ovsnp.console.pages.site import Site


def obstacle_of(site: Site, state: EditorState) -> str:
    """Why the user may not save this; empty: the user may."""
    if state.replaces:
        return site.obstacle("update", *state.replaced)
    return site.obstacle("create", state.namespace)
