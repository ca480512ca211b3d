"""Adds and removes rows of the form, as its buttons ask."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from ovsnp.console.editor.fields import index_of
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
)

_NEW: Mapping[str, Callable[[], Any]] = {
    "inbound": lambda: RuleForm(ports=[PortForm()], peers=[PeerForm()]),
    "outbound": lambda: RuleForm(ports=[PortForm()], peers=[PeerForm()]),
    "ports": PortForm,
    "peers": PeerForm,
    "labels": LabelForm,
    "expressions": lambda: ExpressionForm(operator="In"),
}
"""The new row of each list."""

_DIRECTIONS = {"inbound": "Ingress", "outbound": "Egress"}


def add_row(form: PolicyForm, path: str) -> str:
    """Add a row to the list at a path, such as ``inbound`` or ``inbound.0.ports``; returns the path of the row.

    A rule is enforced only in a direction that the policy isolates, so the first rule chooses its direction too.
    Raises FormError for a path that is no list.
    """
    rows, name = _list_at(form, path)
    rows.append(_NEW[name]())
    direction = _DIRECTIONS.get(path)
    if direction and direction not in form.directions:
        form.directions.append(direction)  # type: ignore[arg-type]
    return f"{path}.{len(rows) - 1}"


def restrict_as_the_rules(form: PolicyForm) -> None:
    """Let a new policy whose first rule is outbound restrict outbound connections only, until a user chooses both."""
    if len(form.outbound) == 1 and not form.inbound:
        form.directions = ["Egress"]


def fill_choices(form: PolicyForm) -> None:
    """Give a first row to each choice of ``listed`` that has none, as the next thing that a user does is to fill it."""
    _fill_selector(form.selector)
    for rule in (*form.inbound, *form.outbound):
        if rule.port_choice == "listed" and not rule.ports:
            rule.ports.append(PortForm())
        if rule.peer_choice == "listed" and not rule.peers:
            rule.peers.append(PeerForm())
        for peer in rule.peers:
            if peer.kind == "pods":
                _fill_selector(peer.namespaces)
                _fill_selector(peer.pods)


def _fill_selector(selector: SelectorForm | NamespacesForm) -> None:
    if selector.choice == "listed" and not selector.labels and not selector.expressions:
        selector.labels.append(LabelForm())


def remove_row(form: PolicyForm, path: str) -> str:
    """Remove the row at a path, such as ``inbound.0``; returns the path of its list.

    Raises FormError if there is no such row.
    """
    parent, _, last = path.rpartition(".")
    rows, _ = _list_at(form, parent)
    index = index_of(last)
    if index is None or index >= len(rows):
        raise _no_row(path)
    del rows[index]
    return parent


def _list_at(form: PolicyForm, path: str) -> tuple[list[Any], str]:
    value: Any = form
    names = path.split(".")
    for name in names:
        if isinstance(value, list) and (index := index_of(name)) is not None and index < len(value):
            value = value[index]
        elif isinstance(value, msgspec.Struct) and name in type(value).__struct_fields__:
            value = getattr(value, name)
        else:
            raise _no_row(path)
    if not isinstance(value, list) or names[-1] not in _NEW:
        raise _no_row(path)
    return value, names[-1]


def _no_row(path: str) -> FormError:
    return FormError([FieldMistake("", f"the form has no row {path!r}; open its page again")])
