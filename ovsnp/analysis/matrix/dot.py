"""The matrix as a graph in the DOT language of Graphviz (https://graphviz.org/doc/info/lang.html)."""

from collections import defaultdict
from collections.abc import Iterator

from ovsnp.analysis.matrix.view import Shown, View
from ovsnp.analysis.reach.parties import Party, PartyKind
from ovsnp.analysis.wording.traffics import ALL, NONE

_SHAPES = {PartyKind.POD: "box", PartyKind.NODE: "component", PartyKind.OUTSIDE: "ellipse"}


def dot_lines(view: View) -> Iterator[str]:
    """A digraph: namespaces are clusters, pairs that may connect have an arrow, with the ports unless all are open."""
    yield "digraph ovsnp {"
    yield "  rankdir=LR"
    yield '  node [fontname="sans-serif"]'
    yield '  edge [fontname="sans-serif", fontsize=10]'
    wanted = {party.name: party for party in (*view.sources, *view.destinations)}
    together: dict[str | None, list[Party]] = defaultdict(list)
    for party in view.reach.parties:
        if party.name in wanted:
            together[party.namespace].append(party)
    for namespace, members in together.items():
        yield from _namespace(namespace, members)
    for source in view.sources:
        yield from (_arrow(shown) for shown in view.shown(source) if _is_told(shown))
    yield "}"


def _namespace(namespace: str | None, members: list[Party]) -> Iterator[str]:
    if namespace is None:
        yield from (f"  {_quoted(each.name)} [shape={_SHAPES[each.kind]}]" for each in members)
        return
    yield f"  subgraph {_quoted(f'cluster_{namespace}')} {{"
    yield f"    label={_quoted(namespace)}"
    for each in members:
        short = each.name.removeprefix(f"{namespace}/")
        yield f"    {_quoted(each.name)} [shape={_SHAPES[each.kind]}, label={_quoted(short)}]"
    yield "  }"


def _is_told(shown: Shown) -> bool:
    """True unless the cell is empty or a pod's own, which policies do not decide."""
    return shown.ports != NONE and not (shown.cell.wholly and shown.source.name == shown.destination.name)


def _arrow(shown: Shown) -> str:
    label = "" if shown.ports == ALL else f" [label={_quoted(shown.ports)}]"
    return f"  {_quoted(shown.source.name)} -> {_quoted(shown.destination.name)}{label}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
