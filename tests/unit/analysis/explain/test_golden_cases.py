"""All golden cases: explanations agree with the oracle, match the schema, and name the right lines of files."""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import msgspec
import pytest

from ovsnp.analysis.explain.explanation_document import document
from ovsnp.analysis.explain.explanation_text import lines
from ovsnp.analysis.explain.one_pod.one_pod import one_pod
from ovsnp.analysis.explain.one_pod.one_pod_document import one_pod_document
from ovsnp.analysis.explain.one_pod.one_pod_text import one_pod_lines
from ovsnp.analysis.explain.openings.openings import openings
from ovsnp.analysis.explain.openings.openings_document import openings_document
from ovsnp.analysis.explain.openings.openings_text import opening_lines
from ovsnp.analysis.explain.reasons import explain_connection
from ovsnp.analysis.naming.ends import ClusterIPEnd, name_of
from ovsnp.analysis.naming.questions import Pairs, Written, read_pairs, read_question
from ovsnp.analysis.naming.roster import Roster
from ovsnp.analysis.wording.places import Places
from ovsnp.cli.settings_file import read_mapping
from ovsnp.document import document_text
from ovsnp.errors import Place
from ovsnp.manifests import load, locate
from ovsnp.model.cluster import Cluster
from ovsnp.oracle import judge, judge_service
from ovsnp.oracle.terms import Terms
from tests.support.checkout import ROOT
from tests.support.golden_cases import CASES, GOLDEN
from tests.support.golden_questions import questions

SCHEMA, OF_POD = (
    jsonschema.Draft202012Validator(json.loads((ROOT / "docs" / f"{name}.schema.json").read_text()))
    for name in ("explain", "explain-pod")
)


@pytest.mark.parametrize("case", CASES)
def test_golden_case(case: str) -> None:
    written = read_mapping(GOLDEN / case / "ovsnp.yaml")
    cluster = load([str(GOLDEN / case / name) for name in written["manifests"]])
    terms = Terms(strict_nodes=bool(written.get("strict-nodes")), service_blocks=bool(written.get("service-blocks")))
    places = Places()
    for question in questions(cluster):
        answers = [explain_connection(cluster, connection, terms) for connection in question.connections]
        for answer in answers:
            connection = answer.connection
            if isinstance(connection.destination, ClusterIPEnd):
                expected = [
                    *judge_service(
                        cluster,
                        connection.source,
                        connection.destination.address,
                        connection.traffic,
                        strict_nodes=terms.strict_nodes,
                        service_blocks=terms.service_blocks,
                    ).values()
                ]
            else:
                ends = connection.source, connection.destination
                expected = [judge(cluster, *ends, connection.traffic, strict_nodes=terms.strict_nodes)]
            assert [way.verdict for way in answer.ways] == expected
        said = printed(document(question, answers, places))
        SCHEMA.validate(said)
        assert [connection["verdict"] for connection in said["connections"]] == [each.outcome for each in answers]
        heads = [line.plain for line in lines(question, answers, places) if line.plain[:1].isupper()]
        assert heads
        assert all(f"{question.source} to {question.destination}" in head for head in heads)


@pytest.mark.parametrize("case", CASES)
def test_golden_case_at_every_port(case: str) -> None:
    written = read_mapping(GOLDEN / case / "ovsnp.yaml")
    cluster = load([str(GOLDEN / case / name) for name in written["manifests"]])
    strict_nodes, places = bool(written.get("strict-nodes")), Places()
    for pairs in {(each.source, each.destination): each for each in pairs_of(cluster)}.values():
        found = [*openings(cluster, pairs.pairs, strict_nodes=strict_nodes)]
        SCHEMA.validate(printed(openings_document(pairs, found, places)))
        said = "\n".join(line.plain for line in opening_lines(pairs, found, places))
        assert f"{pairs.source} to {pairs.destination}, " in said
        assert "icmp" not in said.lower()


@pytest.mark.parametrize("case", CASES)
def test_golden_case_pod_by_pod(case: str) -> None:
    written = read_mapping(GOLDEN / case / "ovsnp.yaml")
    cluster = load([str(GOLDEN / case / name) for name in written["manifests"]])
    strict_nodes, places = bool(written.get("strict-nodes")), Places()
    for pod in cluster.pods:
        answer = one_pod(cluster, pod, strict_nodes=strict_nodes)
        OF_POD.validate(printed(one_pod_document(answer, places)))
        said = [line.plain for line in one_pod_lines(answer, places)]
        assert said[0] == pod.key
        assert "icmp" not in "\n".join(said).lower()


def pairs_of(cluster: Cluster) -> Iterator[Pairs]:
    for question in questions(cluster):
        if not question.destination.startswith("svc/"):
            yield read_pairs(Roster(cluster), Written(question.source, question.destination))


def printed(made: msgspec.Struct) -> Any:
    """A document as a program reads it."""
    return json.loads(document_text(made))


def items(value: Any) -> list[dict[str, Any]]:
    """All objects of a document that have a path, and so a line."""
    if isinstance(value, dict):
        return [*([value] if "path" in value else []), *(found for each in value.values() for found in items(each))]
    return [found for each in value for found in items(each)] if isinstance(value, list) else []


def test_lines_are_those_of_the_diagnostics() -> None:
    folder = GOLDEN / "ingress-pod-selector"
    cluster = load([str(GOLDEN / "cluster.yaml"), str(folder / "policies.yaml")])
    question = read_question(Roster(cluster), Written("web-0", "db-0", "80"))
    (place,) = (policy.place for policy in cluster.policies)
    assert place == Place(str(folder / "policies.yaml"), place.document)
    answers = [explain_connection(cluster, each) for each in question.connections]
    found = items(printed(document(question, answers, Places())))
    assert {each["path"] for each in found} == {
        "",
        "spec.ingress[0]",
        "spec.ingress[0].from[0]",
        "spec.ingress[0].ports[0]",
    }
    assert all((each["file"], each["line"]) == locate(place, each["path"]) for each in found)


def test_names_of_ends_name_them_again() -> None:
    cluster = load([str(GOLDEN / "cluster.yaml"), str(GOLDEN / "service-cluster-ip" / "services.yaml")])
    for question in questions(cluster):
        for connection in question.connections:
            names = name_of(connection.source), name_of(connection.destination)
            assert names == (question.source, question.destination)
