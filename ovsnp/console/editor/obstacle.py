"""Whether the user may save what the page says."""

from starlette.requests import Request

from ovsnp.console.editor.state import EditorState
from ovsnp.console.pages.site import Site


def obstacle_of(site: Site, request: Request, state: EditorState) -> str:
    """Why the user may not save this; empty: the user may."""
    if state.replaces:
        return site.obstacle(request, "update", *state.replaced)
    return site.obstacle(request, "create", state.name.namespace)
