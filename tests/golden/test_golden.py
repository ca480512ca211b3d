"""Golden cases: each folder has a configuration that says what the case shows, policies, and their compiled flows.

Some also have expectations of who reaches whom. ovsnp's own pytest plugin tests the cases, as it does those of users.

Every golden file is tested in two more ways: Open vSwitch stores the flows as they are written, and traced packets go
where the oracle says.
"""

import pytest

from ovsnp.apply.plan import plan
from ovsnp.pytest_plugin import ovsnp_golden
from ovsnp.switch.drop_meter import make_meter
from ovsnp.switch.dump import parse_dump, parse_group
from ovsnp.yaml_reader.yaml_text import yaml_documents
from tests.support.clusters import interesting_traffic
from tests.support.disagreements import disagreements
from tests.support.golden_cases import CASES, GOLDEN, cluster_of, manifests, options_of
from tests.support.instance import DummySwitch
from tests.support.traced import OPTION_MAP, TracedCluster

PROBES = 400


def added(text: str, kind: str) -> list[str]:
    """The flows or groups that a bundle adds."""
    return [line.removeprefix(f"{kind} add ") for line in text.splitlines() if line.startswith(f"{kind} add ")]


test_compiles_as_written = ovsnp_golden(".")


def test_every_case_has_its_configuration() -> None:
    assert sorted(flows.parent.name for flows in GOLDEN.glob("*/flows.txt")) == CASES


@pytest.mark.parametrize("case", CASES)
def test_open_vswitch_stores_them_as_written(case: str, dummy_switch: DummySwitch) -> None:
    bridge = "golden"
    dummy_switch.add_bridge(bridge, {})
    dummy_switch.run(["ovs-ofctl", "-O", "OpenFlow15", "add-tlv-map", bridge, OPTION_MAP])
    make_meter(dummy_switch.location, bridge)
    try:
        text = (GOLDEN / case / "flows.txt").read_text()
        said = dummy_switch.run(["ovs-ofctl", "-O", "OpenFlow15", "bundle", bridge, "-"], text)
        assert said == ""
        flows, groups = (
            dummy_switch.run(["ovs-ofctl", "-O", "OpenFlow15", "--no-names", *command, bridge]).splitlines()
            for command in (["--no-stats", "dump-flows"], ["dump-groups"])
        )
    finally:
        dummy_switch.delete_bridge(bridge)
    assert {parse_dump(line)[:5] for line in flows} == {parse_dump(line)[:5] for line in added(text, "flow")}
    stored = [parse_group(line.strip()) for line in groups if "group_id=" in line]
    written = [parse_group(line) for line in added(text, "group")]
    assert {group.id: group.buckets for group in stored} == {group.id: group.buckets for group in written}


@pytest.mark.parametrize("case", CASES)
def test_traced_packets_go_where_the_oracle_says(case: str, dummy_switch: DummySwitch) -> None:
    objects = [document.value for path in manifests(case) for document in yaml_documents(path.read_bytes())]
    objects = [value for value in objects if value]
    traced = TracedCluster(dummy_switch, cluster_of(case), options_of(case))
    try:
        for node, program in traced.programs.items():
            flows = [parse_dump(line) for line in traced.dump(node).splitlines()]
            groups = [parse_group(line.strip()) for line in traced.dump_groups(node).splitlines() if "group_id" in line]
            assert not plan(flows, groups, program)
        assert disagreements(traced, cluster_of(case), interesting_traffic(objects, PROBES), options_of(case)) == []
    finally:
        traced.close()
