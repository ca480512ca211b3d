"""The findings of lint that an edit brings, ends and keeps."""

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from ovsnp.analysis.lint import CHECKS, LintIndex
from ovsnp.analysis.lint.finding import Finding
from ovsnp.analysis.lint.linting import findings
from ovsnp.console.draft.base import Base
from ovsnp.console.draft.draft_document import DraftFinding, DraftLint
from ovsnp.console.draft.reading import ReadEdit
from ovsnp.model.address import Prefix
from ovsnp.model.cluster import Cluster
from ovsnp.model.policy import NetworkPolicy
from ovsnp.oracle.indexed_oracle import IndexedOracle
from ovsnp.oracle.terms import Terms
from ovsnp.yaml_reader.paths import format_path

_USUAL = frozenset(name for name, check in CHECKS.items() if not check.opt_in)


class LintChanges:
    """Lints the namespaces of an edit, before and after.

    A policy selects pods of its own namespace only, so the findings in other namespaces stay the same. But a namespace
    that is new may be one that policies of any namespace name: then all are linted.
    """

    def __init__(self, terms: Terms, service_cidrs: Sequence[Prefix]) -> None:
        self._terms, self._service_cidrs = terms, service_cidrs
        self._known: dict[tuple[Base, frozenset[str]], list[DraftFinding]] = {}

    def of(self, base: Base, policies: Iterable[NetworkPolicy], edit: ReadEdit) -> DraftLint:
        """The changes of the findings; ``policies`` are those of the base after the edit."""
        spaces = frozenset(policy.namespace for policy in (edit.gone, edit.came) if policy)
        if edit.spaces:
            spaces |= {policy.namespace for policy in base.cluster.policies}
        key = base, spaces
        if key not in self._known:
            self._known[key] = self._found(base.oracle, base.cluster.policies, spaces)
        before = self._known[key]
        after = self._found(_with_assumed(base.oracle, edit), policies, spaces)
        was, now = Counter(before), Counter(after)
        own = f"NetworkPolicy {edit.came.key}" if edit.came else None
        return DraftLint(
            brought=[*(now - was).elements()],
            ended=[*(was - now).elements()],
            stays=[each for each in (now & was).elements() if each.object == own],
        )

    def _found(
        self, given: Cluster | IndexedOracle, policies: Iterable[NetworkPolicy], spaces: frozenset[str]
    ) -> list[DraftFinding]:
        there = tuple(policy for policy in policies if policy.namespace in spaces)
        part = (
            given.with_policies(there)
            if isinstance(given, IndexedOracle)
            else msgspec.structs.replace(given, policies=there)
        )
        index = LintIndex(
            part,
            self._service_cidrs,
            strict_nodes=self._terms.strict_nodes,
            service_blocks=self._terms.service_blocks,
        )
        return [_finding(*each) for each in findings(index, _USUAL)]


def _with_assumed(oracle: IndexedOracle, edit: ReadEdit) -> Cluster | IndexedOracle:
    """The cluster with the namespace of the draft, which a file with the draft would imply."""
    if not edit.spaces:
        return oracle
    cluster = oracle.cluster
    return msgspec.structs.replace(
        cluster,
        namespaces=dict(sorted({**cluster.namespaces, **edit.spaces}.items())),
        assumed_namespaces=cluster.assumed_namespaces | edit.assumed,
    )


def _finding(check: str, found: Finding) -> DraftFinding:
    return DraftFinding(
        check=check,
        severity=found.severity or CHECKS[check].severity,
        object=found.subject,
        path=format_path(found.path),
        message=found.message,
        remedy=found.remedy,
        why=CHECKS[check].why,
    )
