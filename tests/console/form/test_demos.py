"""The four policies of the lab, made by filling an empty form."""

from typing import Any

import pytest
import yaml

from ovsnp.console.form import (
    LabelForm,
    NamespacesForm,
    PeerForm,
    PolicyForm,
    PortForm,
    RuleForm,
    SelectorForm,
    form_of,
    object_of,
    yaml_of,
)
from tests.support.checkout import ROOT

POLICIES = ROOT / "containerlab" / "policies"


def labelled(key: str, value: str) -> SelectorForm:
    return SelectorForm("listed", [LabelForm(key, value)])


REDIS = [PortForm("TCP", "6379")]
FRONTEND = RuleForm(ports=REDIS, peers=[PeerForm(pods=labelled("role", "frontend"))])
FORMS = {
    "access-demo1": PolicyForm(directions=["Ingress"], inbound=[FRONTEND]),
    "access-demo2": PolicyForm(
        directions=["Ingress"],
        inbound=[
            RuleForm(
                ports=REDIS,
                peers=[PeerForm(namespaces=NamespacesForm("listed", labels=[LabelForm("project", "myproject")]))],
            )
        ],
    ),
    "access-demo3": PolicyForm(
        directions=["Egress"],
        outbound=[RuleForm("all", peers=[PeerForm("block", "172.16.0.0/16|172.16.0.40/32")])],
    ),
    "access-demo4": PolicyForm(
        directions=["Ingress", "Egress"],
        inbound=[FRONTEND],
        outbound=[RuleForm("all", peers=[PeerForm(pods=labelled("role", "web"))])],
    ),
}


def filed(name: str) -> tuple[str, Any]:
    (file,) = POLICIES.glob(f"*-{name}.yaml")
    text = file.read_text(encoding="utf-8")
    return text, yaml.safe_load(text)


@pytest.mark.parametrize("name", FORMS)
def test_form_makes_the_policy_of_the_file(name: str) -> None:
    form = FORMS[name]
    form.name, form.namespace, form.selector = name, "default", labelled("role", "db")
    text, policy = filed(name)
    made = object_of(form, None)
    assert made == policy
    assert yaml_of(made) == text


@pytest.mark.parametrize(("name", "view"), [*zip(FORMS, ("simple", "advanced", "simple", "simple"), strict=True)])
def test_view_that_shows_the_policy(name: str, view: str) -> None:
    assert form_of(filed(name)[1]).view == view
