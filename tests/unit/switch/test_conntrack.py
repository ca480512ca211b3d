"""Connections as Open vSwitch prints them, and as it takes them in a command to forget them."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

import pytest

from ovsnp.errors import SwitchError
from ovsnp.switch import conntrack
from ovsnp.switch.conntrack import Conntrack
from ovsnp.switch.datapath import Datapath
from ovsnp.switch.location import Location

DUMP = """\
tcp,orig=(src=10.0.0.1,dst=10.96.0.1,sport=4,dport=80,packets=5,bytes=300),reply=(src=10.0.0.2,dst=10.0.0.1,sport=8080,dport=4,packets=4,bytes=280),timestamp=(start=2026-11-29T21:00:00.000),zone=2654,timeout=86380,mark=3,labels=0xa00000100000000000000070000000100000002,protoinfo=(state=ESTABLISHED)
udp,orig=(src=fd00::1,dst=fd00::2,sport=4,dport=53),reply=(src=fd00::2,dst=fd00::1,sport=53,dport=4),zone=2655,timeout=27
icmp,orig=(src=10.0.0.1,dst=10.0.0.2,id=7,type=8,code=0),reply=(src=10.0.0.2,dst=10.0.0.1,id=7,type=0,code=0),zone=2654
icmpv6,orig=(src=fd00::1,dst=fd00::2,id=0,type=128,code=0),reply=(src=fd00::2,dst=fd00::1,id=0,type=129,code=0),zone=2655
sctp,orig=(src=10.0.0.1,dst=10.0.0.2,sport=0,dport=0),reply=(src=10.0.0.2,dst=10.0.0.1,sport=0,dport=0),zone=2654
47,orig=(src=10.0.0.1,dst=10.0.0.2),reply=(src=10.0.0.2,dst=10.0.0.1),zone=2654,labels=0x1
"""
TUPLES = [
    "ct_nw_src=10.0.0.1,ct_nw_dst=10.96.0.1,ct_nw_proto=6,ct_tp_src=4,ct_tp_dst=80",
    "ct_ipv6_src=fd00::1,ct_ipv6_dst=fd00::2,ct_nw_proto=17,ct_tp_src=4,ct_tp_dst=53",
    "ct_nw_src=10.0.0.1,ct_nw_dst=10.0.0.2,ct_nw_proto=1,icmp_id=7,icmp_type=8,icmp_code=0",
    "ct_ipv6_src=fd00::1,ct_ipv6_dst=fd00::2,ct_nw_proto=58,icmp_id=0,icmp_type=128,icmp_code=0",
    "ct_nw_src=10.0.0.1,ct_nw_dst=10.0.0.2,ct_nw_proto=132",
    "ct_nw_src=10.0.0.1,ct_nw_dst=10.0.0.2,ct_nw_proto=47",
]


class Told:
    """A connection to ovs-vswitchd that records the commands, and refuses to flush if ``refusal`` is given."""

    def __init__(self, refusal: str = "") -> None:
        self.commands: list[tuple[str, ...]] = []
        self._refusal = refusal

    def command(self, *words: str) -> str:
        if words[0] == "dpctl/dump-dps":
            return "system@ovs-system\n"
        self.commands.append(words)
        if words[0] == "dpctl/flush-conntrack" and self._refusal:
            raise SwitchError(self._refusal)
        return DUMP


@contextmanager
def tracking(told: Told, below: Datapath) -> Iterator[Conntrack]:
    with mock.patch.object(conntrack, "control") as control:
        control.return_value.__enter__.return_value = told
        with conntrack.conntrack(Location("", ""), "br-int", below) as tracker:
            yield tracker


KERNEL, OLD, MENDED = Datapath("system", (3, 1, 0)), Datapath("netdev", (3, 1, 0)), Datapath("netdev", (3, 1, 5))


def test_entries() -> None:
    with tracking(Told(), KERNEL) as tracker:
        entries = list(tracker.entries(2654))
    assert [entry.tuple for entry in entries] == TUPLES
    assert [(entry.port, entry.answers, entry.answering_port) for entry in entries[:2]] == [
        (80, "10.0.0.2", 8080),
        (53, "fd00::2", 53),
    ]
    assert [entry.label for entry in entries[:2]] == [0xA00000100000000000000070000000100000002, 0]
    assert entries[-1].label == 1
    assert [entry.timeout for entry in entries] == ["86380", "27", "", "", "", ""]
    assert entries[0].state == "ESTABLISHED"


@pytest.mark.parametrize(
    ("refusal", "flushed"),
    [
        ("", True),
        ("failed to flush conntrack (No such file or directory)", True),
        ("failed to flush conntrack (Operation not supported)", False),
    ],
)
def test_flushing(refusal: str, flushed: bool) -> None:
    told = Told(refusal)
    with tracking(told, KERNEL) as tracker:
        entries = list(tracker.entries(2654))
        assert [tracker.flush(2654, entry) for entry in entries] == [flushed] * len(entries)
    assert told.commands[1:] == [("dpctl/flush-conntrack", "zone=2654", each) for each in TUPLES]


@pytest.mark.parametrize(
    ("below", "asked"),
    [
        (KERNEL, True),
        (OLD, False),
        (MENDED, True),
        (Datapath("netdev", (3, 1, 4)), False),
        (Datapath("netdev", (3, 2, 2)), False),
        (Datapath("netdev", (3, 3, 0)), False),
        (Datapath("netdev", (3, 3, 1)), True),
        (Datapath("netdev", (3, 4, 0)), True),
        (Datapath("netdev", (4, 0, 0)), True),
        (Datapath("netdev", (2, 17, 9)), False),
    ],
)
def test_icmpv6_is_not_asked_for_where_that_ends_open_vswitch(below: Datapath, asked: bool) -> None:
    told = Told()
    with tracking(told, below) as tracker:
        (echo,) = [entry for entry in tracker.entries(2655) if entry.protocol == "icmpv6"]
        assert tracker.flush(2655, echo) is asked
    assert ("dpctl/flush-conntrack", "zone=2655", echo.tuple) in told.commands or not asked
