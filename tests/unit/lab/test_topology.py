"""The topology file: the parts that are read, and errors with their places."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from ovsnp.errors import InputError
from ovsnp.lab.topology import DEFAULT_MTU, Link, LinkEnd, Topology, read
from tests.support.checkout import ROOT

SHIPPED = ROOT / "containerlab" / "ovsnp.clab.yml"
SCHEMA = ROOT.parent / "shared" / "containerlab" / "clab.schema.json"

SMALL = """\
name: small
topology:
  kinds:
    linux:
      labels: {a: kind, b: kind}
      sysctls: {net.ipv4.ip_forward: 0}
  groups:
    router:
      labels: {b: group, c: group}
      sysctls: {net.ipv4.ip_forward: 1}
  nodes:
    one:
      kind: linux
      group: router
      labels: {c: node, ovsnp.node: node-1}
      exec:
        - ip link set eth1 up
        - ovs-vsctl set interface eth1 'external_ids:mac="00:00"'
    two:
      kind: linux
      labels: {ovsnp.pod: default/a}
  links:
    - endpoints: ["one:eth1", "two:eth1"]
    - type: veth
      mtu: 1400
      endpoints:
        - {node: one, interface: eth2}
        - {node: two, interface: eth2, mac: "0a:58:0a:14:01:0b"}
"""


def topology(tmp_path: Path, text: str) -> Topology:
    file = tmp_path / "x.clab.yml"
    file.write_text(text)
    return read(file)


def refusal(tmp_path: Path, text: str) -> str:
    with pytest.raises(InputError) as caught:
        topology(tmp_path, text)
    return str(caught.value).replace(f"{tmp_path}/x.clab.yml", "FILE")


def test_nodes_inherit_labels_and_sysctls_from_group_and_kind(tmp_path: Path) -> None:
    one, two = topology(tmp_path, SMALL).nodes
    assert one.labels == {"a": "kind", "b": "group", "c": "node", "ovsnp.node": "node-1"}
    assert one.sysctls == {"net.ipv4.ip_forward": "1"}
    assert two.sysctls == {"net.ipv4.ip_forward": "0"}
    assert (one.cluster_node, one.pod, two.cluster_node, two.pod) == ("node-1", None, None, "default/a")


def test_commands_are_split_into_words_without_a_shell(tmp_path: Path) -> None:
    one, two = topology(tmp_path, SMALL).nodes
    assert one.commands == (
        ("ip", "link", "set", "eth1", "up"),
        ("ovs-vsctl", "set", "interface", "eth1", 'external_ids:mac="00:00"'),
    )
    assert two.commands == ()


def test_both_notations_of_links_are_read(tmp_path: Path) -> None:
    brief, extended = topology(tmp_path, SMALL).links
    assert brief == Link((LinkEnd("one", "eth1"), LinkEnd("two", "eth1")), DEFAULT_MTU)
    assert extended == Link((LinkEnd("one", "eth2"), LinkEnd("two", "eth2", "0a:58:0a:14:01:0b")), 1400)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("name: small", "name: a/b", "FILE:1: name: 'a/b' cannot be a lab's name"),
        ("name: small", "{", "FILE:3: not valid YAML"),
        ("name: small", "name: small\n---", "FILE: holds 2 YAML documents"),
        ("name: small", "name: small\nname: big", "FILE:2: name: written twice"),
        (
            "    two:\n      kind: linux",
            "    two:\n      kind: bridge",
            "topology.nodes.two.kind: 'bridge' is not a kind",
        ),
        ("group: router", "group: rooter", "FILE:14: topology.nodes.one.group: there is no group 'rooter'"),
        (
            "      labels: {b: group",
            "      exec: [ls]\n      labels: {b: group",
            "topology.groups.router.exec: commands",
        ),
        (
            "- ip link set eth1 up",
            "- ip link set $ETH up",
            "FILE:17: topology.nodes.one.exec[0]: 'ip link set $ETH up'",
        ),
        ("- ip link set eth1 up", "- ip 'link", 'topology.nodes.one.exec[0]: "ip \'link" cannot be split into words'),
        ("- ip link set eth1 up", "- [ip, link]", "topology.nodes.one.exec[0]: must be a command"),
        ("- type: veth", "- type: macvlan", "topology.links[1].type: 'macvlan' is not a type of link"),
        ("mtu: 1400", "mtu: many", "FILE:25: topology.links[1].mtu: 'many' is not an MTU"),
        ('"two:eth1"]', '"three:eth1"]', "topology.links[0].endpoints[1]: there is no node 'three'"),
        ('"two:eth1"]', '"two:0123456789abcdef"]', "'0123456789abcdef' cannot be an interface's name"),
        ('"two:eth1"]', '"two"]', "'' cannot be an interface's name"),
        ('"two:eth1"]', '"two:eth1", "two:eth3"]', "topology.links[0].endpoints: a link has two endpoints"),
        ("interface: eth2, mac", "interface: eth1, mac", "topology.links: two:eth1 is the end of 2 links"),
        ('"0a:58:0a:14:01:0b"', "0a58", "'0a58' is not a MAC address"),
        ("{ovsnp.pod: default/a}", "{ovsnp.node: node-1}", "topology.nodes: 2 nodes have the label ovsnp.node: node-1"),
        ("{ovsnp.pod: default/a}", "[a]", "topology.nodes.two.labels: must be a mapping"),
    ],
)
def test_a_file_that_the_lab_cannot_build_is_refused_at_its_place(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert SMALL.count(old) == 1
    assert message in refusal(tmp_path, SMALL.replace(old, new))


def test_everything_wrong_is_told_at_once(tmp_path: Path) -> None:
    text = SMALL.replace("mtu: 1400", "mtu: 0").replace("group: router", "group: none-such")
    assert len(refusal(tmp_path, text).splitlines()) == 2


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.yml: cannot be read: No such file"):
        read(tmp_path / "none.yml")


def test_the_shipped_topology_has_every_role_in_every_namespace_on_both_nodes() -> None:
    shipped = read(SHIPPED)
    pods = {node.pod for node in shipped.nodes if node.pod}
    assert pods == {
        f"{namespace}/{role}-{node}"
        for namespace in ("default", "myproject", "other")
        for role in ("db", "frontend", "web", "plain")
        for node in (1, 2)
    }
    assert [node.cluster_node for node in shipped.nodes if node.cluster_node] == ["node-1", "node-2"]


@pytest.mark.skipif(not SCHEMA.exists(), reason="containerlab's schema is not beside this checkout")
def test_the_shipped_topology_is_valid_for_containerlab() -> None:
    schema = json.loads(SCHEMA.read_text())
    jsonschema.validators.validator_for(schema)(schema).validate(yaml.safe_load(SHIPPED.read_text()))
