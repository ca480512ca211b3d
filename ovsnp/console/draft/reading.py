"""Reads an edit with the readers of manifests: the same mistakes in the same sentences as in a file."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from ovsnp.analysis.wording.planned import uncertain_block_note
from ovsnp.console.draft.draft_document import DraftRemark
from ovsnp.console.draft.edit import Deletion, Edit
from ovsnp.errors import InputError
from ovsnp.manifests import load_objects
from ovsnp.model.cluster import Cluster, Namespace
from ovsnp.model.note import Note
from ovsnp.model.policy import NetworkPolicy
from ovsnp.oracle.planned import uncertain_blocks

ORIGIN = "draft"
"""The file name of a draft, which is in no file yet."""


class ReadEdit(msgspec.Struct, frozen=True):
    """An edit: the policy that goes and the policy that comes, if any.

    With ``mistakes``, the edit cannot be judged. ``spaces`` is empty, or has the policy's namespace, which the snapshot
    lacks; its labels are unknown if it is in ``assumed``.
    """

    gone: NetworkPolicy | None = None
    came: NetworkPolicy | None = None
    spaces: Mapping[str, Namespace] = {}
    assumed: frozenset[str] = frozenset()
    mistakes: tuple[DraftRemark, ...] = ()
    notes: tuple[DraftRemark, ...] = ()


def read_edit(edit: Edit, snapshot: Cluster) -> ReadEdit:
    """Read an edit of a policy of the snapshot; raises no error for mistakes in the draft."""
    known = {policy.key: policy for policy in snapshot.policies}
    gone = known.get(edit.replaces) if edit.replaces is not None else None
    missing = edit.replaces is not None and gone is None
    gone_by_now = [DraftRemark("", f"there is no NetworkPolicy {edit.replaces} any more; somebody has removed it")]
    if isinstance(edit, Deletion):
        return ReadEdit(gone, mistakes=tuple(gone_by_now if missing else ()))
    try:
        read = load_objects([edit.policy], origin=ORIGIN)
    except InputError as error:
        return ReadEdit(gone, mistakes=_unique(DraftRemark(each.path, each.message) for each in error.diagnostics))
    mistakes = gone_by_now if missing else []
    if not _is_policy(edit.policy) or len(read.policies) != 1:
        return ReadEdit(
            gone, mistakes=(*mistakes, DraftRemark("kind", "is no NetworkPolicy; write kind: NetworkPolicy"))
        )
    (came,) = read.policies
    if came.key in known and came.key != edit.replaces:
        taken = f"there is a NetworkPolicy {came.key} already; edit that one, or choose another name"
        mistakes.append(DraftRemark("metadata.name", taken))
    if mistakes:
        return ReadEdit(gone, mistakes=tuple(mistakes))
    implied = {} if came.namespace in snapshot.namespaces else read.namespaces
    assumed = read.assumed_namespaces if implied else frozenset()
    return ReadEdit(gone, came, implied, assumed, notes=_notes(came, read, snapshot))


def _is_policy(value: object) -> bool:
    return isinstance(value, dict) and value.get("kind") == "NetworkPolicy"


def _notes(came: NetworkPolicy, read: Cluster, snapshot: Cluster) -> tuple[DraftRemark, ...]:
    """The notes of the readers, and those about blocks that may hold pods without an address."""
    known = ("metadata.namespace",) if came.namespace in snapshot.namespaces else ()
    said: Sequence[Note] = [note for note in read.notes if note.path not in known]
    alone = msgspec.structs.replace(snapshot, policies=(came,))
    said = [*said, *map(uncertain_block_note, uncertain_blocks(alone))]
    return _unique(DraftRemark(note.path, note.message) for note in said)


def _unique(remarks: Iterable[DraftRemark]) -> tuple[DraftRemark, ...]:
    return tuple(dict.fromkeys(remarks))
