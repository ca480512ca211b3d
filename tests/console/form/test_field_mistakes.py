"""Mistakes at the fields of the form, in the manifests' sentences where the manifests have them."""

from collections.abc import Callable

import pytest

from ovsnp.console.form import (
    ExpressionForm,
    FieldMistake,
    FormError,
    LabelForm,
    NamespacesForm,
    PeerForm,
    PolicyForm,
    PortForm,
    RuleForm,
    SelectorForm,
    field_of,
    mistakes_of,
    object_of,
)

Change = Callable[[PolicyForm], object]


def good() -> PolicyForm:
    return PolicyForm(
        "p",
        "default",
        SelectorForm("listed", [LabelForm("role", "db")]),
        ["Ingress"],
        [RuleForm(ports=[PortForm("any", "53"), PortForm("TCP", "80")], peers=[PeerForm("block", "10.0.0.0/8")])],
    )


def mistakes(form: PolicyForm) -> list[FieldMistake]:
    try:
        return mistakes_of(object_of(form, None), form)
    except FormError as error:
        return error.mistakes


def peer(form: PolicyForm, new: PeerForm) -> None:
    form.inbound[0].peers[0] = new


def block(text: str) -> Change:
    return lambda form: peer(form, PeerForm("block", text))


def port(text: str) -> Change:
    return lambda form: setattr(form.inbound[0].ports[1], "port", text)


LISTED = SelectorForm("listed")
CASES: list[tuple[Change, str, str]] = [
    (lambda form: setattr(form, "name", ""), "name", "missing; give the object a name"),
    (lambda form: setattr(form, "name", "<script>"), "name", "is no valid name"),
    (lambda form: setattr(form, "namespace", " "), "namespace", "missing; choose a namespace"),
    (lambda form: setattr(form, "namespace", "A"), "namespace", "is no valid name"),
    (lambda form: setattr(form, "directions", []), "directions", "missing; choose inbound"),
    (lambda form: setattr(form, "selector", LISTED), "selector", "add a label, or choose all"),
    (lambda form: form.selector.labels.append(LabelForm("", "x")), "selector.labels.1.key", "name the label's key"),
    (lambda form: form.selector.labels.append(LabelForm("role", "x")), "selector.labels.1.key", "written twice"),
    (lambda form: form.selector.labels.append(LabelForm("a b", "x")), "selector.labels.1.key", "cannot be the key"),
    (lambda form: form.selector.labels.append(LabelForm("a", "-")), "selector.labels.1.value", "cannot be the value"),
    (
        lambda form: form.selector.expressions.append(ExpressionForm("a", "In")),
        "selector.expressions.0.values",
        "In needs values",
    ),
    (
        lambda form: form.selector.expressions.append(ExpressionForm("a", "Is")),
        "selector.expressions.0.operator",
        "is no operator",
    ),
    (port(""), "inbound.0.ports.1.port", "missing; write a number, a range such as 8000-8100"),
    (port("0"), "inbound.0.ports.1.port", "is no port; write 1 to 65535"),
    (port("8100-8000"), "inbound.0.ports.1.port", "is below port 8100"),
    (port("1-99999"), "inbound.0.ports.1.port", "is no port"),
    (port("a b"), "inbound.0.ports.1.port", "cannot be the name of a port"),
    (port("80,81"), "inbound.0.ports.1.port", "add a port for each"),
    (port("80/tcp"), "inbound.0.ports.1.port", "choose the protocol beside it"),
    (lambda form: setattr(form.inbound[0].ports[0], "port", "*"), "inbound.0.ports.0.port", "choose all ports"),
    (lambda form: setattr(form.inbound[0].ports[0], "port", "x y"), "inbound.0.ports.0.port", "cannot be the name"),
    (lambda form: setattr(form.inbound[0].ports[1], "protocol", "ICMP"), "inbound.0.ports.1.protocol", "no protocol"),
    (lambda form: setattr(form.inbound[0].ports[1], "protocol", ""), "inbound.0.ports.1.protocol", "missing; choose"),
    (lambda form: form.inbound[0].ports.clear(), "inbound.0.portChoice", "add a port, or choose all ports"),
    (lambda form: form.inbound[0].peers.clear(), "inbound.0.peerChoice", "add a source, or choose all sources"),
    (block(""), "inbound.0.peers.0.block", "missing; write a CIDR block"),
    (block("|10.0.0.0/16"), "inbound.0.peers.0.block", "missing; write a CIDR block"),
    (block("10.0.0.0/8|"), "inbound.0.peers.0.block", "no exception follows the bar"),
    (block("10.0.0.0/8||10.1.0.0/16"), "inbound.0.peers.0.block", "two bars"),
    (block("10.0.0.0"), "inbound.0.peers.0.block", "write 10.0.0.0/32"),
    (block("fd00::/8|fd00::1"), "inbound.0.peers.0.block", "write fd00::1/128"),
    (block("10.0.0.0/8|11.0.0.0/16"), "inbound.0.peers.0.block", "is not inside 10.0.0.0/8"),
    (block("10.0.0.0/8,11.0.0.0/8"), "inbound.0.peers.0.block", "write a rule for each block"),
    (block("10.0.0.0/33"), "inbound.0.peers.0.block", "is no CIDR block"),
    (block("everywhere"), "inbound.0.peers.0.block", "is no CIDR block"),
    (lambda form: peer(form, PeerForm(pods=LISTED)), "inbound.0.peers.0.pods", "add a label, or choose all"),
    (
        lambda form: peer(form, PeerForm(namespaces=NamespacesForm("listed"))),
        "inbound.0.peers.0.namespaces",
        "add a label, or choose all",
    ),
    (
        lambda form: peer(form, PeerForm(namespaces=NamespacesForm("named"))),
        "inbound.0.peers.0.namespaces.name",
        "missing; choose a namespace",
    ),
    (
        lambda form: peer(form, PeerForm(namespaces=NamespacesForm("named", "-"))),
        "inbound.0.peers.0.namespaces.name",
        "is no valid name",
    ),
]


def test_good_form_has_no_mistake() -> None:
    assert mistakes(good()) == []


@pytest.mark.parametrize(("change", "field", "message"), CASES)
def test_mistake_is_at_its_field(change: Change, field: str, message: str) -> None:
    form = good()
    change(form)
    (found,) = mistakes(form)
    assert found.field == field
    assert message in found.message


def test_all_mistakes_come_at_once() -> None:
    form = good()
    form.selector = SelectorForm("listed")
    form.inbound[0].ports[1].port = "99999"
    form.inbound[0].peers[0].block = "x"
    form.outbound.append(RuleForm())
    found = {each.field for each in mistakes(form)}
    assert found == {
        "selector",
        "inbound.0.ports.1.port",
        "inbound.0.peers.0.block",
        "outbound.0.peerChoice",
        "outbound.0.portChoice",
    }


@pytest.mark.parametrize(
    ("text", "block"),
    [
        ("172.17.0.0/16|172.17.1.0/24,172.17.2.0/24", ["172.17.0.0/16", "172.17.1.0/24", "172.17.2.0/24"]),
        (" fd00::/8 | fd01::/16 , fd02::/16 ", ["fd00::/8", "fd01::/16", "fd02::/16"]),
        (
            "10.0.0.0/8|10.1.0.0/16\n10.2.0.0/16; 10.3.0.0/16,\n",
            ["10.0.0.0/8", "10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16"],
        ),
        ("10.0.0.1/32", ["10.0.0.1/32"]),
    ],
)
def test_notation_of_blocks(text: str, block: list[str]) -> None:
    form = good()
    form.inbound[0].peers[0].block = text
    written = object_of(form, None)["spec"]["ingress"][0]["from"][0]["ipBlock"]
    assert [written["cidr"], *written.get("except", [])] == block


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("spec.ingress[0].ports[2].protocol", "inbound.0.ports.0.protocol"),
        ("spec.ingress[0].ports[3].endPort", "inbound.0.ports.1.port"),
        ("spec.ingress[0].ports[9]", "inbound.0.ports"),
        ("spec.ingress[0].from[0].ipBlock.except[1]", "inbound.0.peers.0.block"),
        ("spec.ingress[0].from[7]", "inbound.0.peerChoice"),
        ("spec.ingress[7].from", ""),
        ("spec.podSelector.matchLabels.role", "selector.labels.0.value"),
        ("spec.policyTypes[0]", "directions"),
        ("spec.egress", "outbound"),
        ("metadata.annotations[a/b]", ""),
        ("", ""),
    ],
)
def test_field_of_a_path(path: str, field: str) -> None:
    assert field_of(path, good()) == field
