"""Which addresses have a new holder, and which connections belong to these addresses."""

import pytest

from ovsnp.apply.holders import ChangedHolders, Holders, changed, record, record_changes
from ovsnp.model.address import parse_address
from ovsnp.switch.conntrack import Tracked

A, B, C, SIX = map(parse_address, ("10.0.0.1", "10.0.0.2", "10.0.0.3", "fd00::1:2"))
BEFORE: Holders = {A: "a", B: "b", SIX: "a"}
CARRIED = "0a000001" + "0" * 24


def tracked(*ends: str, label: str = "") -> Tracked:
    source, destination, answers, answered = ends
    return Tracked("tcp", source, destination, "sport=1,dport=2", answers, answered, "sport=2,dport=1", "", label)


@pytest.mark.parametrize(
    ("now", "found"),
    [
        (BEFORE, set()),
        ({SIX: "a", B: "b", A: "a"}, set()),
        ({A: "a", B: "b"}, {SIX}),
        ({**BEFORE, C: "c"}, {C}),
        ({**BEFORE, A: "c"}, {A}),
        ({A: "b", B: "a", SIX: "a"}, {A, B}),
        ({C: "a", B: "b", SIX: "a"}, {A, C}),
        ({}, {A, B, SIX}),
    ],
)
def test_changes(now: Holders, found: set[bytes]) -> None:
    assert changed(record(BEFORE), now) == ChangedHolders(frozenset(found))


@pytest.mark.parametrize("content", [None, b"", b"rubbish", record(BEFORE)[:-1], b"\x92\x00\x80", b"\x92\x01\x90"])
def test_what_is_not_understood_is_nothing_known(content: bytes | None) -> None:
    assert changed(content, BEFORE) == ChangedHolders(None)
    assert changed(content, BEFORE)


def test_appended_changes_count_up_to_the_last_that_was_written_to_its_end() -> None:
    now: Holders = {A: "c", B: "b"}
    appended = [record_changes({A: "c"}), record_changes({SIX: None})]
    assert changed(record(BEFORE) + b"".join(appended), now) == ChangedHolders(frozenset())
    for lost in range(1, len(appended[1]) + 1):
        written = (record(BEFORE) + b"".join(appended))[:-lost]
        assert changed(written, now) == ChangedHolders(frozenset({SIX}))


def test_the_record_is_small() -> None:
    uid = "0b2c9f4e-6f0a-4a0e-9a6e-0c8d2f6b1a77"
    many: Holders = {parse_address(f"10.{one}.{other}.1"): uid for one in range(40) for other in range(250)}
    assert len(record(many)) < 45 * len(many)


@pytest.mark.parametrize(
    ("connection", "concerned"),
    [
        (tracked("10.0.0.1", "10.0.0.9", "10.0.0.9", "10.0.0.1"), True),
        (tracked("10.0.0.9", "10.0.0.1", "10.0.0.1", "10.0.0.9"), True),
        (tracked("10.0.0.9", "10.96.0.1", "10.0.0.1", "10.0.0.9"), True),
        (tracked("10.0.0.9", "10.0.0.8", "10.0.0.8", "10.0.0.1"), True),
        (tracked("10.0.0.10", "10.0.0.8", "10.0.0.8", "10.0.0.10"), False),
        (tracked("10.0.1.1", "10.0.0.8", "10.0.0.8", "10.0.1.1", label=CARRIED), True),
        (tracked("10.0.1.1", "10.0.0.8", "10.0.0.8", "10.0.1.1", label="a000001"), False),
    ],
)
def test_whose_connection_it_is(connection: Tracked, concerned: bool) -> None:
    assert ChangedHolders(frozenset({A, SIX})).concerned(4)(connection) is concerned
    assert not ChangedHolders(frozenset({SIX})).concerned(4)(connection)
    assert ChangedHolders(None).concerned(4)(connection)


def test_a_carried_source_counts_in_its_own_family_only() -> None:
    connection = tracked("fd00::9", "fd00::8", "fd00::8", "fd00::9", label="10002" + "0" * 24)
    assert ChangedHolders(frozenset({SIX})).concerned(6)(connection)
    assert not ChangedHolders(frozenset({parse_address("0.1.0.2")})).concerned(6)(connection)
