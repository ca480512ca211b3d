"""Label selectors after a namespace, as ``kubectl -l`` takes them: ``shop/app=cart,tier!=web``."""

import re
from collections.abc import Collection, Iterator

import msgspec

from ovsnp.errors import UsageError
from ovsnp.manifests.kinds.syntax import label_key_fault, label_value_fault
from ovsnp.model.selector import Operator, Requirement, Selector

_HEAD = re.compile(r"[^=!(,\s]*")
_SIGNS = re.compile(r"[=!(,]")
_COMMA = re.compile(r",(?![^(]*\))")
_COMPARED = re.compile(r"(?P<key>[^=!\s]+)\s*(?P<operator>!=|==?)\s*(?P<value>[^=!,\s]*)")
_AMONG = re.compile(r"(?P<key>[^=!\s]+)\s+(?P<operator>in|notin)\s+\((?P<values>[^()]*)\)")
_ALONE = re.compile(r"(?P<operator>!?)\s*(?P<key>[^=!(),\s]+)")


class NamespacedSelector(msgspec.Struct, frozen=True):
    """A selector of pods of one namespace; ``namespace`` is None where none is written."""

    namespace: str | None
    selector: Selector


def is_selector(text: str) -> bool:
    """True if a text has characters that only selectors have."""
    return bool(_SIGNS.search(text))


def read_selector(text: str, namespaces: Collection[str]) -> NamespacedSelector:
    """Read ``NAMESPACE/SELECTOR``, or ``SELECTOR`` alone; raises UsageError where the text is neither.

    The part before the first slash is the namespace, unless it has dots and is not in ``namespaces``: then it is the
    DNS domain of a label's key.
    """
    head = _HEAD.match(text)
    before, slash, _ = head[0].partition("/") if head else ("", "", "")
    if not slash or ("." in before and before not in namespaces and head and head[0].count("/") == 1):
        return NamespacedSelector(None, _selector(text))
    return NamespacedSelector(before, _selector(text[len(before) + 1 :]))


def _selector(text: str) -> Selector:
    return Selector(tuple(sorted({_requirement(item.strip()) for item in _COMMA.split(text)})))


def _requirement(item: str) -> Requirement:
    if found := _COMPARED.fullmatch(item):
        operator = Operator.NOT_IN if found["operator"] == "!=" else Operator.IN
        return _sound(Requirement(found["key"], operator, (found["value"],)))
    if found := _AMONG.fullmatch(item):
        operator = Operator.IN if found["operator"] == "in" else Operator.NOT_IN
        return _sound(Requirement(found["key"], operator, tuple(sorted({*map(str.strip, found["values"].split(","))}))))
    if found := _ALONE.fullmatch(item):
        return _sound(Requirement(found["key"], Operator.DOES_NOT_EXIST if found["operator"] else Operator.EXISTS))
    forms = "KEY=VALUE, KEY!=VALUE, KEY in (A,B), KEY notin (A,B), KEY or !KEY"
    raise UsageError(f"{item!r} is no part of a label selector; write {forms}, with commas between them")


def _sound(requirement: Requirement) -> Requirement:
    for fault in _faults(requirement):
        raise UsageError(fault)
    return requirement


def _faults(requirement: Requirement) -> Iterator[str]:
    for fault in (label_key_fault(requirement.key), *map(label_value_fault, requirement.values)):
        if fault:
            yield fault
