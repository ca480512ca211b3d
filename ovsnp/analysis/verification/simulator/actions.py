"""Parses the text of actions (ovs-actions(7)): those that ovsnp writes; any other becomes an `UnknownAction`."""

import re
from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from ovsnp.analysis.verification.simulator.places import (
    OPTION_BITS,
    FieldBits,
    is_option,
    place,
    place_mask,
    read_value,
)
from ovsnp.analysis.verification.simulator.space import Value
from ovsnp.model.address import Address, parse_address
from ovsnp.pipeline.drop_log import METER, DropReason

_REPORT = re.compile(rf"controller\(max_len=\d+,userdata=0[1-{max(DropReason)}],meter_id={METER}\)")
"""A report of the drop log. A controller could send any other packet on, so any other report is not understood."""


class ParsedSet(msgspec.Struct, frozen=True):
    """Set the bits of ``mask`` in a base; ``value`` is a column where flows that set different values count as one."""

    base: str
    value: Value
    mask: int


class ParsedMove(msgspec.Struct, frozen=True):
    """Copy one run of bits to another."""

    source: FieldBits
    target: FieldBits


class ParsedPush(msgspec.Struct, frozen=True):
    """Push the value of a run of bits onto the stack."""

    source: FieldBits


class ParsedPop(msgspec.Struct, frozen=True):
    """Pop a value from the stack into a run of bits."""

    target: FieldBits


class ParsedDecTtl(msgspec.Struct, frozen=True):
    """Decrement the TTL (IPv6: the hop limit)."""


class ParsedTrack(msgspec.Struct, frozen=True):
    """``ct(...)``: packets go on in ``table``, if there is one, with the state of their connection.

    ``nat`` is a translation to commit, or True: undo the translation that the connection has. ``memory`` are the writes
    to mark and label (``exec(...)``).
    """

    zone: int
    table: int | None = None
    commit: bool = False
    nat: "ParsedNat | bool" = False
    memory: "tuple[ParsedSet | ParsedMove, ...]" = ()


class ParsedNat(msgspec.Struct, frozen=True):
    """Translate one ``side``, the source (``src``) or destination (``dst``); ``ports`` None: the port stays."""

    side: str
    address: Address
    ports: tuple[int, int] | None


class ParsedLearn(msgspec.Struct, frozen=True):
    """Add a flow to ``table`` that matches ``terms`` and the packet's own values of ``same``, and does ``then``."""

    table: int
    priority: int
    idle_timeout: int
    limit: int
    terms: tuple[tuple[str, int], ...]
    same: tuple[str, ...]
    then: tuple[ParsedSet, ...]


class ParsedToGroup(msgspec.Struct, frozen=True):
    """Let a group choose a bucket."""

    group: int


class ParsedResubmit(msgspec.Struct, frozen=True):
    """Look up another table, then go on with the next action."""

    table: int


class ParsedGoto(msgspec.Struct, frozen=True):
    """Go on in a later table."""

    table: int


class ParsedConjunction(msgspec.Struct, frozen=True):
    """One clause of the conjunctive match ``id``, which has ``clauses`` of them."""

    id: int
    clause: int
    clauses: int


class ParsedOutput(msgspec.Struct, frozen=True):
    """Send out of a port, or of the port that a run of bits holds; None: back out of the port of arrival."""

    port: FieldBits | int | None


class ParsedReport(msgspec.Struct, frozen=True):
    """Report the packet to the controllers; the packet itself goes nowhere by this."""


class UnknownAction(msgspec.Struct, frozen=True):
    """An action that is not understood."""

    text: str


Action = (
    ParsedSet
    | ParsedMove
    | ParsedPush
    | ParsedPop
    | ParsedDecTtl
    | ParsedTrack
    | ParsedLearn
    | ParsedToGroup
    | ParsedResubmit
    | ParsedGoto
    | ParsedConjunction
    | ParsedOutput
    | ParsedReport
    | UnknownAction
)


def split(text: str) -> list[str]:
    """The parts between the commas outside parentheses; empty parts are left out."""
    parts, depth, start = [], 0, 0
    for position, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and not depth:
            parts.append(text[start:position].strip())
            start = position + 1
    return [part for part in (*parts, text[start:].strip()) if part]


def read_actions(text: str) -> tuple[Action, ...]:
    """The actions of a list that commas separate; ``drop`` gives none."""
    return tuple(action for part in split(text.strip()) for action in _read(part))


def _read(text: str) -> Iterator[Action]:
    try:
        yield from _known(text)
    except (ValueError, KeyError, IndexError, TypeError):
        yield UnknownAction(text)


def _known(text: str) -> Iterator[Action]:
    name, colon, rest = text.partition(":")
    if text == "drop":
        return
    if name == "set_field" and colon:
        yield _set(*rest.rsplit("->", 1))
    elif name == "load" and colon:
        value, target = rest.split("->")
        where = _place(target)
        yield ParsedSet(where.base, int(value, 0) << where.lsb, where.mask)
    elif name == "move" and colon:
        source, target = rest.split("->")
        yield ParsedMove(_place(source), _place(target))
    elif name in ("push", "pop") and colon:
        yield ParsedPush(_place(rest)) if name == "push" else ParsedPop(_place(rest))
    elif text == "dec_ttl":
        yield ParsedDecTtl()
    elif name == "group":
        yield ParsedToGroup(int(rest))
    elif name == "goto_table":
        yield ParsedGoto(int(rest))
    elif found := re.fullmatch(r"resubmit\(,(\d+)\)", text):
        yield ParsedResubmit(int(found[1]))
    elif found := re.fullmatch(r"conjunction\((\d+),(\d+)/(\d+)\)", text):
        yield ParsedConjunction(*map(int, found.groups()))
    elif found := re.fullmatch(r"ct\((.*)\)", text):
        yield _track(split(found[1]))
    elif found := re.fullmatch(r"learn\((.*)\)", text):
        yield _learn(split(found[1]))
    elif _REPORT.fullmatch(text):
        yield ParsedReport()
    elif text == "IN_PORT":
        yield ParsedOutput(None)
    elif name == "output":
        yield ParsedOutput(int(rest) if rest.isdigit() else _place(rest))
    elif text.isdigit():
        yield ParsedOutput(int(text))
    else:
        yield UnknownAction(text)


def _place(text: str) -> FieldBits:
    found = re.fullmatch(r"(\w+)(?:\[(?:(\d+)(?:\.\.(\d+))?)?\])?", text.strip())
    whole = place(found[1]) if found else None
    if found is None or whole is None:
        raise ValueError(text)
    if found[2] is None:
        return whole
    first, last = int(found[2]), int(found[3] or found[2])
    if not first <= last < whole.bits:
        raise ValueError(text)
    return FieldBits(whole.base, whole.lsb + first, last - first + 1)


def _set(value: str, target: str) -> ParsedSet:
    where = _place(target)
    number, mask = read_value(value, where.bits)
    if is_option(where.base):
        return ParsedSet(where.base, number | 1 << OPTION_BITS, mask | 1 << OPTION_BITS)
    return ParsedSet(where.base, number << where.lsb, mask << where.lsb)


def _track(parts: list[str]) -> ParsedTrack:
    track = ParsedTrack(0)
    for part in parts:
        name, _, value = part.partition("=")
        if part == "commit":
            track = replace(track, commit=True)
        elif name in ("zone", "table"):
            track = replace(track, **{name: int(value)})
        elif part == "nat":
            track = replace(track, nat=True)
        elif found := re.fullmatch(r"nat\((src|dst)=(?:\[([^]]+)\]|([0-9.]+))(?::(\d+)(?:-(\d+))?)?\)", part):
            ports = (int(found[4]), int(found[5] or found[4])) if found[4] else None
            track = replace(track, nat=ParsedNat(found[1], parse_address(found[2] or found[3]), ports))
        elif found := re.fullmatch(r"exec\((.*)\)", part):
            writes = read_actions(found[1])
            memory = tuple(each for each in writes if isinstance(each, ParsedSet | ParsedMove))
            if len(memory) != len(writes):
                raise ValueError(part)
            track = replace(track, memory=memory)
        else:
            raise ValueError(part)
    if isinstance(track.nat, ParsedNat) != track.commit and track.nat:
        raise ValueError("nat without commit undoes, with commit it says what to write")
    return track


def _learn(parts: list[str]) -> ParsedLearn:
    numbers = {"table": 1, "priority": 32768, "idle_timeout": 0, "limit": 0, "cookie": 0}
    terms: list[tuple[str, int]] = []
    same: list[str] = []
    then: list[ParsedSet] = []
    for part in parts:
        name, equals, value = part.partition("=")
        if name in numbers:
            numbers[name] = int(value, 0)
        elif equals:
            where = _place(name)
            terms.append((where.base, read_value(value, where.bits)[0]))
        elif part.startswith("load:"):
            then += [action for action in _known(part) if isinstance(action, ParsedSet)]
        else:
            where = _place(part)
            if where.mask != place_mask(where.base):
                raise ValueError(part)
            same.append(where.base)
    return ParsedLearn(
        numbers["table"],
        numbers["priority"],
        numbers["idle_timeout"],
        numbers["limit"],
        tuple(terms),
        tuple(same),
        tuple(then),
    )
