"""Random edits of random clusters: each part of an answer is what the commands say of the files before and after."""

import json
import os
from collections import Counter
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from ovsnp.analysis.lint import CHECKS, LintIndex
from ovsnp.analysis.lint.linting import findings
from ovsnp.cli import ovsnp
from ovsnp.console.draft import Deletion, DraftSession
from ovsnp.manifests import load_objects
from ovsnp.model.cluster import Cluster
from ovsnp.oracle import selects
from ovsnp.oracle.planned import with_planned
from ovsnp.oracle.terms import Terms
from ovsnp.yaml_reader.paths import format_path
from tests.console.draft.edits import cluster_objects, edits
from tests.support.clusters import Object

CLUSTERS = int(os.environ.get("OVSNP_CLUSTERS", "40"))
EDITS = 4


def file_of(path: Path, objects: list[Object]) -> str:
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    return str(path)


@pytest.mark.parametrize("seed", range(CLUSTERS))
def test_the_effect_is_that_of_diff(seed: int, tmp_path: Path) -> None:
    objects = cluster_objects(seed)
    terms = Terms(strict_nodes=seed % 2 == 0, service_blocks=seed % 5 == 0)
    session = DraftSession(load_objects(objects), terms)
    old = file_of(tmp_path / "old.json", objects)
    flags = ["--strict-nodes"] * terms.strict_nodes + ["--service-blocks"] * terms.service_blocks
    for edit, after in edits(seed, objects, EDITS):
        new = file_of(tmp_path / "new.json", after)
        said = CliRunner().invoke(ovsnp, ["diff", "--effect", old, new, "-o", "json", "--quiet", *flags])
        if "neither OLD nor NEW has pods" in str(said.exception):
            continue
        assert said.exit_code in (0, 1), said.exception
        answer = session.answer(edit)
        assert answer.mistakes == ()
        assert json.loads(msgspec.json.encode(answer.effect)) == json.loads(said.stdout), edit


def finding_counts(cluster: Cluster) -> Counter[tuple[str, ...]]:
    (whole,) = with_planned(cluster)
    usual = [name for name, check in CHECKS.items() if not check.opt_in]
    return Counter(
        (check, each.subject, format_path(each.path), each.message, each.remedy)
        for check, each in findings(LintIndex(whole), usual)
    )


@pytest.mark.parametrize("seed", range(CLUSTERS))
def test_findings_are_those_by_which_lint_differs(seed: int) -> None:
    objects = cluster_objects(seed)
    snapshot = load_objects(objects)
    session, before = DraftSession(snapshot), finding_counts(snapshot)
    for edit, objects_after in edits(seed, objects, EDITS):
        lint = session.answer(edit).lint
        assert lint is not None
        after = finding_counts(load_objects(objects_after))
        brought, ended, stays = (
            Counter((each.check, each.object, each.path, each.message, each.remedy) for each in those)
            for those in (lint.brought, lint.ended, lint.stays)
        )
        assert (brought, ended) == (after - before, before - after), edit
        own = "" if isinstance(edit, Deletion) else edit.policy["metadata"]
        subject = own and f"NetworkPolicy {own.get('namespace', 'default')}/{own['name']}"
        assert stays == Counter({each: count for each, count in (after & before).items() if each[1] == subject})


@pytest.mark.parametrize("seed", range(CLUSTERS))
def test_pods_are_those_that_the_selector_selects(seed: int) -> None:
    objects = cluster_objects(seed)
    session = DraftSession(load_objects(objects))
    for edit, objects_after in edits(seed, objects, EDITS):
        pods = session.answer(edit).pods
        if isinstance(edit, Deletion):
            assert pods is None
            continue
        (after,) = with_planned(load_objects(objects_after))
        meta = edit.policy["metadata"]
        (policy,) = (
            each for each in after.policies if each.key == f"{meta.get('namespace', 'default')}/{meta['name']}"
        )
        expected = [
            pod.title
            for pod in after.pods
            if pod.namespace == policy.namespace and selects(policy.pod_selector, pod.labels)
        ]
        assert pods is not None
        assert (pods.count, list(pods.names)) == (len(expected), sorted(expected))
        assert sum(each.selected for each in pods.workloads) == pods.count


def test_edits_are_of_every_kind() -> None:
    """The random edits do what the other tests need: effects, other families, Services, namespaces."""
    seen: Counter[str] = Counter()
    for seed in range(60):
        objects = cluster_objects(seed)
        session = DraftSession(load_objects(objects))
        for edit, _ in edits(seed, objects, EDITS):
            effect = session.answer(edit).effect
            assert effect is not None
            seen["gained"] += bool(effect.gained)
            seen["lost"] += bool(effect.lost)
            seen["IPv6 only"] += any(line.families == (6,) for line in effect.gained)
            seen["deleted"] += isinstance(edit, Deletion)
            seen["renamed"] += not isinstance(edit, Deletion) and edit.policy["metadata"]["name"] == "drafted"
    assert all(seen[kind] > 3 for kind in ("gained", "lost", "IPv6 only", "deleted", "renamed")), seen
