"""What a lab is built of: manifests, or the objects of a live cluster."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click
import msgspec

from ovsnp.cli.live import choose_input, live_options, read_live
from ovsnp.cli.plain import tell
from ovsnp.kubernetes.resources import FOLLOWED
from ovsnp.lab import standing
from ovsnp.lab.standing import Lab
from ovsnp.manifests import load, load_lists
from ovsnp.model.cluster import Cluster

_files = click.option(
    "-f",
    "--filename",
    type=click.Path(readable=False),
    multiple=True,
    metavar="PATH",
    help="Policies and other manifests in addition to those of the topology, or a cluster with its nodes; file or"
    " directory; may be repeated.",
)


class LabInput(msgspec.Struct, frozen=True):
    """What the user names: ``files``, absolute paths of manifests, or the live cluster."""

    files: tuple[str, ...]
    from_cluster: bool
    kubeconfig: Path | None
    context: str | None

    def __bool__(self) -> bool:
        return bool(self.files) or self.from_cluster

    def own_cluster(self) -> Cluster | None:
        """The user's whole cluster; None if the manifests have no nodes: they add to the cluster of a topology.

        Raises InputError, and for the live cluster the errors of `read_live`.
        """
        if self.from_cluster:
            return self._live()
        cluster = load(self.files) if self.files else None
        return cluster if cluster and (cluster.nodes or cluster.unused_nodes) else None

    def policies(self, lab: Lab) -> tuple[str, ...]:
        """The files of policies for a standing lab; raises the errors of `own_cluster`, and UsageError."""
        return standing.own_policies(lab, self._live()) if self.from_cluster else standing.policies(lab, self.files)

    def _live(self) -> Cluster:
        found = read_live(self.kubeconfig, self.context, FOLLOWED, ())
        for sentence in found.lacking:
            tell(f"note: {sentence}")
        return load_lists(found.lists, found.label)


def lab_input(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command of the lab -f and --cluster; it gets them as one LabInput, its keyword ``given``."""

    @wraps(command)
    def with_input(**options: Any) -> None:
        files, live = choose_input(click.get_current_context(), options.pop("filename"), live=options.pop("cluster"))
        given = LabInput(standing.paths(files), live, options.pop("kubeconfig"), options.pop("context"))
        command(given=given, **options)

    decorated: Callable[..., None] = with_input
    for option in reversed((_files, *live_options)):
        decorated = option(decorated)
    return decorated
