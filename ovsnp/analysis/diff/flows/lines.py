"""Flows and groups of both sides in one notation, so that only differences look different."""

from collections.abc import Iterator

from ovsnp.analysis.diff.flows.differences import FlowDifference, GroupDifference
from ovsnp.render import bundle_line


def before_line(difference: FlowDifference) -> str | None:
    """The flow that is on the bridge, as the line that `compile` would write for it."""
    flow = difference.before
    if flow is None:
        return None
    extras = sorted(flow.extras)
    match = flow.match_text if difference.after is None else str(difference.after.match)
    parts = (f"cookie={flow.cookie:#018x}", f"table={flow.table}", f"priority={flow.priority}", *extras, match)
    return f"flow add {','.join(filter(None, parts))} actions={flow.actions}"


def after_line(difference: FlowDifference) -> str | None:
    """The flow that `apply` would leave on the bridge, as `compile` writes it."""
    return bundle_line(difference.after) if difference.after else None


def bucket_lines(difference: GroupDifference) -> Iterator[tuple[str, str]]:
    """A group's head and the buckets that differ, each with ``-``, ``+``, or a blank if both sides have it."""
    before, after = difference.before, difference.after
    there = before.buckets if before else {}
    wanted = {bucket.id: str(bucket) for bucket in after.buckets} if after else {}
    heads = before.head if before else None, after.head if after else None
    if heads[0] == heads[1]:
        yield " ", f"group {heads[0]}"
    else:
        yield from ((sign, f"group {head}") for sign, head in zip("-+", heads, strict=True) if head)
    for number, text in there.items():
        if wanted.get(number) != text:
            yield "-", f"  {text}"
    for number, text in wanted.items():
        if there.get(number) != text:
            yield "+", f"  {text}"
