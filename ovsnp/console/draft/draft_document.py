"""The answers about an edit, as JSON for the page."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from ovsnp.analysis.diff.effect.effect_document import EffectDocument
from ovsnp.analysis.lint.finding import Severity
from ovsnp.document import Count


class Stage(StrEnum):
    """The steps of an answer, in this order."""

    READ = "read"
    PODS = "pods"
    EFFECT = "effect"
    LINT = "lint"
    MATRIX = "matrix"


class DraftRemark(msgspec.Struct, frozen=True):
    """A mistake in the draft, or a note about it."""

    path: Annotated[str, Meta(description="the field in the object, such as spec.ingress[0]; empty: the whole object")]
    message: str


class DraftWorkload(msgspec.Struct, frozen=True):
    """Pods of one workload."""

    name: Annotated[str, Meta(description="as explain and matrix name it")]
    selected: Annotated[Count, Meta(description="the pods of the workload that the policy selects")]
    pods: Annotated[Count, Meta(description="all pods of the workload; a workload without pods counts as one")]


class DraftPods(msgspec.Struct, frozen=True):
    """The pods that the policy selects; the lists are cut where they are long."""

    count: Count
    names: Annotated[Sequence[str], Meta(description="NAMESPACE/NAME, or KIND/NAMESPACE/NAME of a planned workload")]
    workload_count: Count
    workloads: Sequence[DraftWorkload]


class DraftFinding(msgspec.Struct, frozen=True):
    """A finding of a check of lint."""

    check: Annotated[str, Meta(description="the identifier of the check")]
    severity: Severity
    object: Annotated[str, Meta(description="NetworkPolicy NAMESPACE/NAME")]
    path: Annotated[str, Meta(description="the field in the object, such as spec.ingress[0]")]
    message: str
    remedy: str
    why: Annotated[str, Meta(description="why it matters")]


class DraftLint(msgspec.Struct, frozen=True):
    """The findings that the edit brings and ends, in all objects, and those that stay in the policy itself."""

    brought: Sequence[DraftFinding]
    ended: Sequence[DraftFinding]
    stays: Sequence[DraftFinding]


class DraftCell(msgspec.Struct, frozen=True):
    """The ports that policies allow from a row to a column, in the words of the matrix."""

    row: Annotated[Count, Meta(description="the index in rows")]
    column: Annotated[Count, Meta(description="the index in columns")]
    before: str
    after: str
    changed: bool


class DraftMatrix(msgspec.Struct, frozen=True):
    """The part of the matrix that the edit concerns: every row and every column has a cell that changes.

    A pair without a cell is not judged: policies do not decide between these ends.
    """

    rows: Annotated[Sequence[str], Meta(description="sources, as the matrix names them")]
    columns: Annotated[Sequence[str], Meta(description="destinations, as the matrix names them")]
    cells: Annotated[Sequence[DraftCell], Meta(description="by row, then by column")]
    changed: Annotated[Count, Meta(description="the cells that change, also those that are left out")]
    rows_left_out: Annotated[Count, Meta(description="rows with changes beyond those that are shown")]
    columns_left_out: Annotated[Count, Meta(description="columns with changes beyond those that are shown")]


class DraftDocument(msgspec.Struct, frozen=True):
    """All that is known about an edit so far; a part is null until its stage is done, and if there are mistakes."""

    next: Annotated[Stage | None, Meta(description="the stage that comes next; null: the answer is complete")]
    mistakes: Sequence[DraftRemark]
    notes: Sequence[DraftRemark]
    pods: Annotated[DraftPods | None, Meta(description="null, too, if the policy is deleted")] = None
    effect: EffectDocument | None = None
    lint: DraftLint | None = None
    matrix: DraftMatrix | None = None
