"""Prepares a new snapshot in the background, so that the pages that need much of it come at once."""

import threading
from collections.abc import Callable

from ovsnp.analysis.reach.parties import By
from ovsnp.console.editor.answers import draft_session
from ovsnp.console.pages.matrix import matrix_data
from ovsnp.console.workspace.snapshot import WorkspaceSnapshot
from ovsnp.console.workspace.workspace import Workspace
from ovsnp.gc_pause import exempt_from_gc, gc_paused

_STEPS: tuple[Callable[[WorkspaceSnapshot], object], ...] = (
    WorkspaceSnapshot.relation,
    draft_session,
    lambda snapshot: matrix_data(snapshot, By.WORKLOAD),
)
"""What a snapshot keeps, by the time in which a user may come to it. A page that needs it earlier waits or makes it."""


def prepare_in_background(workspace: Workspace) -> None:
    """Prepare the snapshot that is there, and each that follows, as long as there is no newer one."""
    one_at_a_time = threading.Lock()

    def prepare() -> None:
        # Whoever waits keeps no snapshot: where the objects change all the time, the old ones would fill the memory.
        with one_at_a_time:
            _prepare_newest(workspace)

    workspace.when_read(lambda: threading.Thread(target=prepare, daemon=True).start())


def _prepare_newest(workspace: Workspace) -> None:
    snapshot = workspace.newest()
    for step in _STEPS:
        if snapshot is None or workspace.newest() is not snapshot:
            return
        with gc_paused():
            step(snapshot)
    exempt_from_gc()
