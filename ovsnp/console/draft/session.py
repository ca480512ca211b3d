"""Answers for the edits of one snapshot."""

from collections.abc import Callable, Iterator, Sequence

import msgspec

from ovsnp.analysis.diff.effect.comparison import compare_classes
from ovsnp.analysis.diff.effect.effect_document import document
from ovsnp.console.draft.base import Base, Bases
from ovsnp.console.draft.draft_document import DraftDocument, Stage
from ovsnp.console.draft.edit import Edit
from ovsnp.console.draft.lint_changes import LintChanges
from ovsnp.console.draft.matrix_part import matrix_part
from ovsnp.console.draft.pods import SelectedPods
from ovsnp.console.draft.reading import ReadEdit, read_edit
from ovsnp.model.address import Prefix
from ovsnp.model.cluster import Cluster
from ovsnp.oracle.terms import Terms

_USUAL = Terms()


def _always() -> None:
    """The work is still wanted."""


class DraftSession:
    """Answers for one edit of a policy after the other, all of one snapshot; keeps what the snapshot alone decides.

    ``snapshot`` is as the readers of manifests give it: planned pods are not among its pods. ``terms`` say how policies
    are read; ``service_cidrs`` are CIDRs of cluster IPs that no object of the snapshot names.
    """

    def __init__(self, snapshot: Cluster, terms: Terms = _USUAL, service_cidrs: Sequence[Prefix] = ()) -> None:
        self._snapshot, self._terms = snapshot, terms
        self._bases = Bases(snapshot)
        self._lint = LintChanges(terms, service_cidrs)
        self._selected: dict[Base, SelectedPods] = {}

    def prepare(self) -> None:
        """Work out what most edits need, so that the first one need not wait."""
        self._pods(self._bases.of(ReadEdit()))

    def answer(self, edit: Edit) -> DraftDocument:
        """The complete answer."""
        return [*self.stages(edit)][-1]

    def stages(self, edit: Edit, alive: Callable[[], None] = _always) -> Iterator[DraftDocument]:
        """The answer after each stage, each with the parts of those before; with mistakes there is only the first.

        A caller that needs no more stops the iteration. ``alive`` is called again and again during a stage; an error
        that it raises ends the work, and reaches the caller.
        """
        read = read_edit(edit, self._snapshot)
        known = DraftDocument(
            next=None if read.mistakes else Stage.PODS,
            mistakes=read.mistakes,
            notes=read.notes,
        )
        yield known
        if not read.mistakes:
            yield from self._judged(known, read, alive)

    def _judged(self, known: DraftDocument, read: ReadEdit, alive: Callable[[], None]) -> Iterator[DraftDocument]:
        base = self._bases.of(read)
        alive()
        if read.came:
            known = msgspec.structs.replace(known, pods=self._pods(base).by(read.came))
        yield (known := msgspec.structs.replace(known, next=Stage.EFFECT))
        policies = self._bases.policies(base, read)
        classes = base.beside(policies)
        alive()
        effect = compare_classes(classes, self._terms, alive)
        yield (known := msgspec.structs.replace(known, next=Stage.LINT, effect=document(effect)))
        alive()
        lint = self._lint.of(base, policies, read)
        yield (known := msgspec.structs.replace(known, next=Stage.MATRIX, lint=lint))
        alive()
        matrix = matrix_part(classes, strict_nodes=self._terms.strict_nodes, alive=alive)
        yield msgspec.structs.replace(known, next=None, matrix=matrix)

    def _pods(self, base: Base) -> SelectedPods:
        if base not in self._selected:
            self._selected[base] = SelectedPods(base.oracle)
        return self._selected[base]
