"""Pods that have no address yet: commands about policies include them, commands about flows leave them out."""

from collections.abc import Iterable, Sequence
from itertools import islice

from ovsnp import with_planned
from ovsnp.analysis.wording.planned import uncertain_block_note
from ovsnp.cli.options import Request, has_living
from ovsnp.cli.plain import tell
from ovsnp.errors import Diagnostic, InputError, Span
from ovsnp.kubernetes.resources import FOLLOWED
from ovsnp.manifests import located
from ovsnp.model.cluster import Cluster
from ovsnp.model.note import Note
from ovsnp.oracle.planned import uncertain_blocks

_SHOWN = 3


def living_cluster(request: Request) -> Cluster:
    """The cluster for commands about flows; raises InputError if all pods of the input are still planned."""
    cluster = request.cluster(FOLLOWED)
    living = cluster.pods or cluster.idle - {pod.key for pod in cluster.planned}
    if not living and (cluster.planned or not has_living(cluster)):
        what = "workloads" if cluster.planned or cluster.host_pods else "Services"
        message = (
            f"has {what}, but no Pod with an address, and flows are made for living pods; read these from the cluster"
            " (kubectl get pods -A -o json), or ask ovsnp matrix, explain, check and lint, which read workloads"
        )
        raise InputError(Diagnostic(Span(path), "", "", message) for path in request.inputs)
    return cluster


def planned_clusters(request: Request, *clusters: Cluster) -> Sequence[Cluster]:
    """The clusters for commands about policies: with the pods that have no address yet.

    Notes the blocks that may hold such pods, and that are assumed not to hold them.
    """
    found = {uncertain_block_note(each): None for cluster in clusters for each in uncertain_blocks(cluster)}
    if not request.quiet:
        _tell(found)
    return with_planned(*clusters)


def _tell(notes: Iterable[Note]) -> None:
    found = located(notes)
    for note in islice(found, _SHOWN):
        tell(f"note: {note}")
    if len(found) > _SHOWN:
        tell(f"note: {len(found) - _SHOWN} more blocks may hold pods that have no address yet")
