"""Two objects with one name: an overlay beside its base, variants of an example side by side."""

from pathlib import Path

import pytest

from ovsnp.errors import InputError
from ovsnp.manifests import load, located

NAMED = "apiVersion: %s\nkind: %s\nmetadata: {name: a, namespace: shop%s}\n"
POLICY = NAMED % ("networking.k8s.io/v1", "NetworkPolicy", "") + "spec: {podSelector: {matchLabels: {app: %s}}}\n"
SHOP = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {app: %s}}\n"
NODE = "apiVersion: v1\nkind: Node\nmetadata: {name: a}\nspec: {podCIDRs: [10.7.%s.0/24]}\n"
PLANNED = NAMED % ("v1", "Service", "") + "spec: {ports: [{port: 80}], selector: {app: %s}}\n"
SERVICE = PLANNED.replace("spec: {", "spec: {clusterIP: 10.96.0.1, ")
HEADLESS = PLANNED.replace("spec: {", "spec: {clusterIP: None, ") % "x"
SLICE = NAMED % ("discovery.k8s.io/v1", "EndpointSlice", ", labels: {kubernetes.io/service-name: a}") + (
    "addressType: IPv4\nendpoints: [{addresses: [192.0.2.%s]}]\n"
)
POD = NAMED % ("v1", "Pod", ", labels: {app: %s}")
LIVING = POD % "x" + "status: {podIP: 10.7.1.%s}\n"
ENDED = POD % "x" + "status: {phase: Succeeded}\n"
DEPLOYMENT = NAMED % ("apps/v1", "Deployment", "") + "spec: {template: {metadata: {labels: {app: %s}}}}\n"


def _write(directory: Path, first: str, second: str) -> None:
    for name, text in (("base", first), ("prod", second)):
        (directory / name).mkdir()
        (directory / name / "all.yaml").write_text(text)


@pytest.mark.parametrize(("first", "second", "subject"), [
    (POLICY % "x", POLICY % "y", "NetworkPolicy shop/a"),
    (SHOP % "x", SHOP % "y", "Namespace shop"),
    (NODE % "1", NODE % "2", "Node a"),
    (SERVICE % "x", SERVICE % "y", "Service shop/a"),
    (PLANNED % "x", SERVICE % "x", "Service shop/a"),
    (SERVICE % "x", HEADLESS, "Service shop/a"),
    (SLICE % "1", SLICE % "2", "EndpointSlice shop/a"),
    (LIVING % "1", LIVING % "2", "Pod shop/a"),
    (POD % "x", LIVING % "1", "Pod shop/a"),
    (LIVING % "1", ENDED, "Pod shop/a"),
])  # fmt: skip
def test_what_flows_are_made_of_must_be_clear(directory: Path, first: str, second: str, subject: str) -> None:
    _write(directory, first, second)
    with pytest.raises(InputError) as caught:
        load(["."])
    assert str(caught.value) == (
        f"./prod/all.yaml:3: {subject}: metadata.name: another object of this name, in ./base/all.yaml, differs; "
        "name with -f the directory or file that you mean"
    )


@pytest.mark.parametrize(("first", "second", "subject"), [
    (DEPLOYMENT % "x", DEPLOYMENT % "y", "Deployment shop/a"),
    (POD % "x", POD % "y", "Pod shop/a"),
    (POD % "x", ENDED, "Pod shop/a"),
    (PLANNED % "x", PLANNED % "y", "Service shop/a"),
    (PLANNED % "x", HEADLESS, "Service shop/a"),
])  # fmt: skip
def test_first_counts_of_what_is_only_planned(directory: Path, first: str, second: str, subject: str) -> None:
    _write(directory, SHOP % "x" + f"---\n{first}", second)
    alone, both = load(["base"]), load(["base", "prod"])
    assert [str(note) for note in located(both.notes)] == [
        f"prod/all.yaml:3: {subject}: metadata.name: another object of this name, in base/all.yaml, differs; "
        "ovsnp takes that one"
    ]
    assert (both.planned, both.planned_services) == (alone.planned, alone.planned_services)


def test_first_policy_and_second_say_the_same(directory: Path) -> None:
    _write(directory, POLICY % "x", POLICY % "x")
    assert [policy.place.file for policy in load(["base", "prod"]).policies] == ["base/all.yaml"]
