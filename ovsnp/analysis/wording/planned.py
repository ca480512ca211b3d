"""Words about pods that have no address yet."""

from ovsnp.analysis.wording.places import peer_path
from ovsnp.model.note import Note
from ovsnp.oracle.planned import UncertainBlock
from ovsnp.yaml_reader.paths import format_path


def uncertain_block_note(each: UncertainBlock) -> Note:
    """The note about a block that may or may not hold such pods."""
    path = f"{format_path(peer_path(each.direction, each.rule, each.peer))}.ipBlock"
    message = "may hold pods that have no address yet; ovsnp takes the block not to hold them"
    return Note(each.policy.place, f"NetworkPolicy {each.policy.key}", path, message)
