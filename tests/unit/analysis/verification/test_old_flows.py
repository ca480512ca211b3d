"""Flows that ovsnp once compiled, and flows that `ovsnp verify` once took for right: both are found wrong."""

import re

import pytest

from tests.unit.analysis.verification.defects import MASQUERADED, PLAIN
from tests.unit.analysis.verification.test_defects import compiled, verified

_OPTIONS = {"plain": PLAIN, "masquerade": MASQUERADED}
_POD = r"(table=0,priority=200,ip,in_port=100,dl_src=[0-9a-f:]+),nw_src=10\.20\.1\.11 (actions=\S*->reg1)"
_POD_6 = r"(table=0,priority=200,ipv6,in_port=100,dl_src=[0-9a-f:]+),ipv6_src=fd00:20:1::11 (actions=\S*->reg1)"


def kinds(text: str, name: str) -> set[str]:
    """The kinds of questions that find something wrong with flows."""
    return {each.question.kind for each in verified(text, _OPTIONS[name]).findings}


def without_the_mark(text: str) -> str:
    """The text with a table Origin that finds packets with a carrier by the tunnel option alone, not by the VNI."""
    text = re.sub(r"(table=0,priority=)206(,tun_src=\S+),tun_id=0 ", r"\g<1>204\2 ", text)
    return re.sub(r"(table=0,priority=205,\S+),tun_id=0x1(,tun_metadata)", r"\1\2", text)


@pytest.mark.parametrize("name", _OPTIONS)
def test_flows_that_match_the_absence_of_an_option_are_wrong_on_the_kernel_datapath(name: str) -> None:
    text = without_the_mark(compiled(name))
    assert text.count("tun_id=0x1,tun_metadata") + text.count("tun_id=0 ") == 0
    assert "megaflow" in kinds(text, name)


@pytest.mark.parametrize("name", _OPTIONS)
def test_so_are_flows_that_do_not_write_the_mark_either(name: str) -> None:
    text = without_the_mark(compiled(name)).replace("set_field:0x1->tun_id,", "")
    assert "->tun_id" not in text
    assert "megaflow" in kinds(text, name)


@pytest.mark.parametrize("source", ["", ",nw_src=10.20.1.11/31", ",nw_src=10.20.1.0/24"])
def test_a_pod_whose_egress_is_isolated_sends_in_no_other_name(source: str) -> None:
    text, count = re.subn(_POD, rf"\1{source} \2", compiled("plain"))
    assert count == 1
    assert "spoofing" in kinds(text, "plain")


@pytest.mark.parametrize("source", ["", ",ipv6_src=fd00:20:1::10/127", ",ipv6_src=fd00:20:1::/64"])
def test_nor_by_ipv6(source: str) -> None:
    text, count = re.subn(_POD_6, rf"\1{source} \2", compiled("plain"))
    assert count == 1
    assert "spoofing" in kinds(text, "plain")
