"""Random defects in compiled flows, like mistakes of a compiler, a person or another program: one place each."""

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from random import Random
from typing import NamedTuple

from tests.planted.written import Line, WrittenFlow, WrittenGroup

_NUMBER = re.compile(r"0x[0-9a-f]+|\d+")
_KINDS = ("ip", "tcp", "udp", "sctp", "icmp", "ipv6", "tcp6", "udp6", "sctp6", "icmp6", "arp")
_ADDRESS = re.compile(
    r"(nw_src|nw_dst|ipv6_src|ipv6_dst|ct_nw_dst|ct_ipv6_dst|arp_spa|arp_tpa|nd_target)=([^/]+)(/\d+)?"
)
_VALUE = re.compile(
    r"(?<=[=:,(/\[])(?:[0-9a-f]{2}(?::[0-9a-f]{2}){5}|\d+\.\d+\.\d+\.\d+|0x[0-9a-f]+|\d+)(?=$|[-,:/)\]])"
)


class Planted(NamedTuple):
    """All lines with a defect, its table (None: it is in a group), and the lines before and after that it is about."""

    kind: str
    what: str
    table: int | None
    lines: tuple[Line, ...]
    changed: tuple[Line, ...]


class Planter:
    """Plants defects into the lines of one bridge."""

    def __init__(self, lines: Sequence[Line], random: Random) -> None:
        self._lines, self._random = tuple(lines), random
        self._flows = [line for line in lines if isinstance(line, WrittenFlow)]
        self._by_table: dict[int, list[WrittenFlow]] = defaultdict(list)
        for flow in self._flows:
            self._by_table[flow.table].append(flow)
        self._groups = [line for line in lines if isinstance(line, WrittenGroup)]

    def plant(self) -> Planted:
        """One defect, in a table that is chosen first: small tables get as many as large ones."""
        while True:
            make = self._random.choice(_MAKERS)
            if self._groups and self._random.random() < 0.08:
                planted = self._in_group(self._random.choice(self._groups))
            else:
                table = self._random.choice(sorted(self._by_table))
                flow = self._random.choice(self._by_table[table])
                planted = self._in_flow(make, flow)
            if planted is not None and planted.lines != self._lines:
                return planted

    def _in_flow(self, make: "Maker", flow: WrittenFlow) -> Planted | None:
        others = [each for each in self._by_table[flow.table] if each is not flow]
        made = make(self._random, flow, others)
        if made is None or made == (flow,):
            return None
        rest = tuple(line for line in self._lines if line is not flow)
        # Of two flows with the same match and priority the last one stays.
        slots = {(each.table, each.priority, frozenset(each.terms)) for each in made}
        rest = tuple(
            line
            for line in rest
            if not (isinstance(line, WrittenFlow) and (line.table, line.priority, frozenset(line.terms)) in slots)
        )
        what = f"{flow} -> {'; '.join(map(str, made)) or 'nothing'}"
        return Planted(make.__name__.strip("_"), what, flow.table, (*rest, *made), (flow, *made))

    def _in_group(self, group: WrittenGroup) -> Planted | None:
        buckets = list(group.buckets)
        index = self._random.randrange(len(buckets))
        kind = self._random.choice(("bucket removed", "bucket changed", "bucket copied"))
        if kind == "bucket removed":
            del buckets[index]
        elif kind == "bucket copied":
            buckets[index] = re.sub(r"bucket_id:\d+", lambda found: found[0], self._random.choice(buckets))
            identity = re.search(r"bucket_id:\d+", group.buckets[index])
            buckets[index] = re.sub(r"bucket_id:\d+", identity[0] if identity else "", buckets[index])
        else:
            head, _, actions = buckets[index].partition("actions=")
            buckets[index] = f"{head}actions={_number_changed(self._random, actions)}"
        if set(map(_actions, buckets)) == set(map(_actions, group.buckets)):
            return None  # the endpoints are the same, only their shares differ
        made = group._replace(buckets=tuple(buckets))
        lines = tuple(made if line is group else line for line in self._lines)
        return Planted(f"group: {kind}", f"{group} -> {made}", None, lines, (group, made))


Maker = Callable[[Random, WrittenFlow, list[WrittenFlow]], tuple[WrittenFlow, ...] | None]


def _removed(random: Random, flow: WrittenFlow, others: list[WrittenFlow]) -> tuple[WrittenFlow, ...] | None:
    del random, others
    return ()


def _term_removed(random: Random, flow: WrittenFlow, others: list[WrittenFlow]) -> tuple[WrittenFlow, ...] | None:
    del others
    chosen = [term for term in flow.terms if term not in _KINDS]
    if not chosen:
        return None
    gone = random.choice(chosen)
    return (flow._replace(terms=tuple(term for term in flow.terms if term != gone)),)


def _kind_changed(random: Random, flow: WrittenFlow, others: list[WrittenFlow]) -> tuple[WrittenFlow, ...] | None:
    """Another protocol of the family, without ports if it has none; or a protocol for a flow without one."""
    del others
    kind = next((term for term in flow.terms if term in _KINDS), None)
    if kind is None:
        return (flow._replace(terms=(random.choice(_KINDS), *flow.terms)),)
    family = [each for each in _KINDS if each.endswith("6") == kind.endswith("6")]
    new = random.choice(family)
    terms = [new if term == kind else term for term in flow.terms]
    if new in ("ip", "ipv6", "icmp", "icmp6"):
        terms = [term for term in terms if not term.startswith("tp_dst")]
    return (flow._replace(terms=tuple(terms)),)


def _term_added(random: Random, flow: WrittenFlow, others: list[WrittenFlow]) -> tuple[WrittenFlow, ...] | None:
    """One more field, with a value that another flow of the table has."""
    there = {term.partition("=")[0] for term in flow.terms}
    found = [term for other in others for term in other.terms if "=" in term and term.partition("=")[0] not in there]
    if not found:
        return None
    return (flow._replace(terms=(*flow.terms, random.choice(found))),)


def _value_changed(random: Random, flow: WrittenFlow, others: list[WrittenFlow]) -> tuple[WrittenFlow, ...] | None:
    """Another value of a field: that of another flow, or the old one with a small change."""
    chosen = [index for index, term in enumerate(flow.terms) if "=" in term]
    if not chosen:
        return None
    index = random.choice(chosen)
    name, _, value = flow.terms[index].partition("=")
    if random.random() < 0.5:
        found = [term for other in others for term in other.terms if term.startswith(f"{name}=")]
        if not found:
            return None
        term = random.choice(found)
    elif name == "ct_state":
        term = f"{name}={_state_changed(random, value)}"
    else:
        term = f"{name}={_changed(random, value)}"
    return (flow._replace(terms=(*flow.terms[:index], term, *flow.terms[index + 1 :])),)


def _state_changed(random: Random, value: str) -> str:
    flags = re.findall(r"[+-]\w+", value)
    flag = random.choice(("new", "est", "rel", "rpl", "inv"))
    kept = [each for each in flags if each[1:] != flag]
    return "".join([*kept, *random.choice(((f"+{flag}",), (f"-{flag}",), ()))]) or "+trk"


def _mask_loosened(random: Random, flow: WrittenFlow, others: list[WrittenFlow]) -> tuple[WrittenFlow, ...] | None:
    """A shorter prefix, such as /31 or /24 for /32; other masks lose one bit."""
    del others
    chosen = [index for index, term in enumerate(flow.terms) if "=" in term and not term.startswith("ct_state")]
    if not chosen:
        return None
    index = random.choice(chosen)
    term = _loosened(random, flow.terms[index])
    return (flow._replace(terms=(*flow.terms[:index], term, *flow.terms[index + 1 :])),) if term else None


def _loosened(random: Random, term: str) -> str | None:
    if found := _ADDRESS.fullmatch(term):
        name, address, length = found.groups()
        most = 128 if ":" in address else 32
        before = int(length[1:]) if length else most
        lengths = [
            each for each in (before - 1, before - random.randint(1, 8), most - 8, before // 2) if 0 < each < before
        ]
        return f"{name}={address}/{random.choice(lengths)}" if lengths else None
    name, _, value = term.partition("=")
    number, slash, mask = value.partition("/")
    if not _NUMBER.fullmatch(number):
        if ":" in number and name in ("dl_src", "dl_dst", "arp_sha", "nd_sll"):
            bit = random.randrange(48)
            full = mask or "ff:ff:ff:ff:ff:ff"
            left = int(full.replace(":", ""), 16) & ~(1 << bit)
            return f"{name}={number}/{':'.join(f'{left >> shift & 0xFF:02x}' for shift in range(40, -1, -8))}"
        return None
    full = int(mask, 0) if slash else _full(name)
    if full is None:
        return None
    bits = [bit for bit in range(full.bit_length()) if full >> bit & 1]
    return f"{name}={number}/{full & ~(1 << random.choice(bits)):#x}"


def _full(name: str) -> int | None:
    """The full mask of a field; None if the field has no mask."""
    widths = {"tp_dst": 16, "tun_id": 64, "ct_mark": 32, "ct_tp_dst": 16, "vlan_tci": 16, "tun_metadata0": 32}
    width = 32 if re.fullmatch(r"reg\d+", name) else 128 if name == "tun_metadata1" else widths.get(name)
    return (1 << width) - 1 if width else None


def _mask_narrowed(random: Random, flow: WrittenFlow, others: list[WrittenFlow]) -> tuple[WrittenFlow, ...] | None:
    """A prefix that is one bit longer."""
    del others
    chosen = [index for index, term in enumerate(flow.terms) if _ADDRESS.fullmatch(term) and "/" in term]
    if not chosen:
        return None
    index = random.choice(chosen)
    found = _ADDRESS.fullmatch(flow.terms[index])
    assert found
    term = f"{found[1]}={found[2]}/{int(found[3][1:]) + 1}"
    return (flow._replace(terms=(*flow.terms[:index], term, *flow.terms[index + 1 :])),)


def _priority_changed(random: Random, flow: WrittenFlow, others: list[WrittenFlow]) -> tuple[WrittenFlow, ...] | None:
    """A priority just above or below that of another flow of the table, or the same."""
    if not others:
        return None
    priority = random.choice(others).priority + random.choice((-1, 0, 1))
    return (flow._replace(priority=max(priority, 0)),)


def _shadowed(random: Random, flow: WrittenFlow, others: list[WrittenFlow]) -> tuple[WrittenFlow, ...] | None:
    """One more flow with the same match, one priority higher, and the actions of another flow."""
    if not others:
        return None
    return (flow, flow._replace(priority=flow.priority + 1, actions=random.choice(others).actions))


def _action_removed(random: Random, flow: WrittenFlow, others: list[WrittenFlow]) -> tuple[WrittenFlow, ...] | None:
    del others
    if not flow.actions:
        return None
    index = random.randrange(len(flow.actions))
    return (flow._replace(actions=(*flow.actions[:index], *flow.actions[index + 1 :])),)


def _actions_of_another(random: Random, flow: WrittenFlow, others: list[WrittenFlow]) -> tuple[WrittenFlow, ...] | None:
    return (flow._replace(actions=random.choice(others).actions),) if others else None


def _action_changed(random: Random, flow: WrittenFlow, others: list[WrittenFlow]) -> tuple[WrittenFlow, ...] | None:
    """Another number in an action: a register's value, a zone, an address, a port, a clause."""
    del others
    chosen = [index for index, action in enumerate(flow.actions) if not action.startswith(("goto_table", "resubmit"))]
    if not chosen:
        return None
    index = random.choice(chosen)
    action = _number_changed(random, flow.actions[index])
    return (flow._replace(actions=(*flow.actions[:index], action, *flow.actions[index + 1 :])),)


def _goes_elsewhere(random: Random, flow: WrittenFlow, others: list[WrittenFlow]) -> tuple[WrittenFlow, ...] | None:
    """Another later table to go on in, or to look up."""
    del others
    later = [table for table in _TABLES if table > flow.table]
    indexes = [
        index for index, action in enumerate(flow.actions) if action.startswith(("goto_table", "resubmit", "ct("))
    ]
    if not indexes or not later:
        return None
    index = random.choice(indexes)
    put = rf"\g<1>{random.choice(later)}"
    action = re.sub(r"(goto_table:|resubmit\(,|[(,]table=)\d+", put, flow.actions[index])
    return (flow._replace(actions=(*flow.actions[:index], action, *flow.actions[index + 1 :])),)


_TABLES = (10, 20, 30, 40, 50, 60, 66, 70, 80, 90, 95, 100, 110, 120, 130, 140, 150, 160, 170, 180)
_MAKERS: tuple[Maker, ...] = (
    *(_removed, _term_removed, _term_removed, _kind_changed, _term_added, _value_changed, _value_changed),
    *(_mask_loosened, _mask_loosened, _mask_loosened, _mask_narrowed, _priority_changed, _shadowed),
    *(_action_removed, _action_removed, _actions_of_another, _action_changed, _action_changed, _goes_elsewhere),
)


def _number_changed(random: Random, text: str) -> str:
    """The text with one of its values changed a little, if it has any."""
    found = list(_VALUE.finditer(text))
    if not found:
        return text
    where = random.choice(found)
    return text[: where.start()] + _changed(random, where[0]) + text[where.end() :]


def _changed(random: Random, value: str) -> str:
    """The value with a small change, for example of one bit or of one octet; the mask stays."""
    head, slash, tail = value.partition("/")
    if re.fullmatch(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}", head):
        octets = head.split(":")
        octets[random.choice((1, 5))] = f"{random.randrange(256):02x}"
        head = ":".join(octets)
    elif re.fullmatch(r"\d+\.\d+\.\d+\.\d+", head):
        *first, last = head.split(".")
        head = ".".join((*first, str(int(last) ^ (1 << random.randrange(4)))))
    elif ":" in head:
        head = (
            f"{head}{random.randrange(1, 9)}" if head.endswith(":") else head[:-1] + random.choice("0123456789abcdef")
        )
    elif _NUMBER.fullmatch(head):
        number = int(head, 0)
        size = max(number.bit_length(), 1)
        changed = random.choice((number ^ 1 << random.randrange(size), number + 1, 0))
        head = f"{changed:#x}" if head.startswith("0x") else str(changed)
    return f"{head}{slash}{tail}"


def _actions(bucket: str) -> str:
    return bucket.partition("actions=")[2]
