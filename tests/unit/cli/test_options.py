"""The effect of the options that all commands share, on the command line and in a file."""

import json
import socket
from pathlib import Path

import pytest

from tests.support.applying import CLUSTER, Answer, ovsnp, policy

PORTS = """
ovsnp-tun0: {ofport: 31}
ovsnp-gw0: {ofport: 32, mac: "0a:58:00:00:00:02"}
default/db: {ofport: 33, mac: "02:00:00:00:00:03"}
"""
ONE_NODE = CLUSTER.replace("192.168.50.2", "192.168.50.9")

pytestmark = pytest.mark.usefixtures("workdir")


def write(name: str, text: str) -> None:
    path = Path(name)
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


def compiled(*arguments: object) -> dict[str, object]:
    """The output of `compile` for these arguments, as JSON."""
    answer = ovsnp("compile", "-o", "json", *arguments)
    assert answer.code == 0, answer
    document: dict[str, object] = json.loads(answer.out)
    return document


def refused(because: str, *arguments: object) -> None:
    """The command fails with a usage error that has this reason, and prints nothing on stdout."""
    answer = ovsnp("compile", *arguments)
    assert (answer.code, answer.out) == (2, ""), answer
    assert because in answer.err
    assert "Traceback" not in answer.err


# Manifests


def test_no_manifests_are_an_error_that_says_how_to_name_them() -> None:
    refused("no manifests; name them with -f")


def test_several_manifests_are_taken_together() -> None:
    document = compiled("-f", "manifests/cluster.yaml", "-f", "manifests/policy.yaml", "--node", "node-1")
    assert document == compiled("-f", "manifests", "--node", "node-1")
    assert document != compiled("-f", "manifests/cluster.yaml", "--node", "node-1")


def test_unknown_kinds_of_policy_pass_where_they_are_named() -> None:
    write("manifests/other.yaml", "apiVersion: crd.example/v1\nkind: ClusterNetworkPolicy\nmetadata: {name: x}\n")
    assert ovsnp("compile", "-f", "manifests", "--node", "node-1").code == 3
    assert compiled("-f", "manifests", "--node", "node-1", "--ignore-kind", "ClusterNetworkPolicy")


# The node


def test_only_node_is_the_node() -> None:
    write("manifests/cluster.yaml", CLUSTER.partition("---\n")[0])
    write("manifests/policy.yaml", policy("to-db", 80))
    assert compiled("-f", "manifests")["node"] == "node-1"


def test_this_hosts_name_chooses_among_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "node-2")
    assert compiled("-f", "manifests")["node"] == "node-2"
    assert compiled("-f", "manifests", "--node", "node-1")["node"] == "node-1"


def test_several_nodes_and_none_named_is_an_error_with_the_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "elsewhere")
    refused("Name one with --node: node-1, node-2", "-f", "manifests")


def test_unknown_node_is_an_error_with_the_names() -> None:
    refused("there is no node node-3; there are node-1, node-2", "-f", "manifests", "--node", "node-3")


def test_without_node_objects_there_is_no_node() -> None:
    pods = [part.replace("nodeName: node-1, ", "") for part in CLUSTER.split("---") if "nodeName: node-1" in part]
    write("manifests/cluster.yaml", "---".join(pods))
    document = compiled("-f", "manifests")
    assert document["node"] is None
    assert document == compiled("-f", "manifests", "--node", "any")


# The configuration


CONFIG = "manifests: manifests\nnode: node-1\n"


def test_configuration_in_the_working_directory_is_taken() -> None:
    write("ovsnp.yaml", f"{CONFIG}encap: vxlan\nbridge: br-x\n")
    document = compiled()
    assert (document["bridge"], document["node"], document["encap"]) == ("br-x", "node-1", "vxlan")


def test_command_line_goes_before_the_configuration() -> None:
    write("ovsnp.yaml", f"{CONFIG}encap: vxlan\nbridge: br-x\n")
    document = compiled("--encap", "geneve", "--bridge", "br-y", "--node", "node-2")
    assert (document["bridge"], document["node"], document["encap"]) == ("br-y", "node-2", "geneve")


def test_manifests_of_the_command_line_are_taken_instead() -> None:
    write("ovsnp.yaml", CONFIG)
    assert compiled("-f", "manifests/cluster.yaml") != compiled()


def test_named_configuration_is_taken_instead_and_names_files_from_where_it_is(tmp_path: Path) -> None:
    write("ovsnp.yaml", "bridge: br-x\n")
    write("elsewhere/settings.yaml", "manifests: [../manifests/cluster.yaml]\nnode: node-1\nports: ports.yaml\n")
    write("elsewhere/ports.yaml", PORTS)
    document = compiled("--config", tmp_path / "elsewhere" / "settings.yaml")
    assert document["bridge"] == "br-int"
    assert "in_port=33," in json.dumps(document)


def test_every_option_may_stand_in_the_configuration() -> None:
    write("ovsnp.yaml", f"{CONFIG}strict-nodes: true\nquiet: true\nverbose: false\noutput: json\nports: ports.yaml\n")
    write("ports.yaml", PORTS)
    answer = ovsnp("compile")
    assert json.loads(answer.out)["node"] == "node-1"
    assert answer.err == ""
    always = [flow["match"] for flow in json.loads(answer.out)["flows"] if flow["table"] == "SourceNode"]
    assert "ip,nw_src=192.168.50.1" in always
    assert "ip,nw_src=192.168.50.2" not in always


def test_lists_may_be_written_as_one_word() -> None:
    write("manifests/other.yaml", "apiVersion: crd.example/v1\nkind: ClusterNetworkPolicy\nmetadata: {name: x}\n")
    write("ovsnp.yaml", f"{CONFIG}ignore-kind: ClusterNetworkPolicy\n")
    one = compiled()
    write("ovsnp.yaml", f"{CONFIG}ignore-kind: [ClusterNetworkPolicy]\n")
    assert compiled() == one


def test_long_name_of_f_means_manifests() -> None:
    write("settings/one.yaml", "filename: ../manifests\nnode: node-1\n")
    assert compiled("--config", "settings/one.yaml") == compiled("-f", "manifests", "--node", "node-1")


@pytest.mark.parametrize(
    ("text", "because"),
    [
        ("nodes: node-1\n", "ovsnp.yaml:1: nodes: there is no such option; there are "),
        ("config: other.yaml\n", "ovsnp.yaml:1: config: there is no such option"),
        ("help: true\n", "ovsnp.yaml:1: help: there is no such option"),
        ("encap: gre\n", "ovsnp.yaml:1: encap: 'gre' is not one of "),
        ("output: xml\n", "ovsnp.yaml:1: output: 'xml' is not one of "),
        ("strict-nodes: perhaps\n", "ovsnp.yaml:1: strict-nodes: 'perhaps' is not "),
        ("- node\n", "ovsnp.yaml: holds no mapping"),
        ("node: [\n", "ovsnp.yaml:2: not valid YAML: "),
        ("manifests:\n", "ovsnp.yaml:1: manifests: "),
        ("manifests: {a: b}\n", "ovsnp.yaml:1: manifests: "),
        ("ports: [3]\n", "ovsnp.yaml:1: ports: "),
        ("bridge: [br-int]\n", "ovsnp.yaml:1: bridge: "),
        ("node: {a: b}\n", "ovsnp.yaml:1: node: "),
    ],
)
def test_configuration_that_is_not_understood_is_a_usage_error(text: str, because: str) -> None:
    write("ovsnp.yaml", text)
    refused(because)
    if "manifests" not in text:
        refused(because, "-f", "manifests")


def test_configuration_that_is_not_there_is_a_usage_error() -> None:
    refused("none.yaml: cannot be read", "--config", "none.yaml", "-f", "manifests")


def test_two_geneve_types_of_one_number_are_a_usage_error() -> None:
    refused("--geneve-types: both types are the same", "--geneve-types", "1", "1", "-f", "manifests")


# Ports


def test_ports_file_gives_the_ports_and_names_the_pods_it_leaves_out() -> None:
    write("ports.yaml", PORTS)
    answer = ovsnp("compile", "-f", "manifests", "--node", "node-1", "--ports", "ports.yaml")
    assert answer.code == 0
    assert "in_port=33,dl_src=02:00:00:00:00:03,nw_src=10.20.1.10" in answer.out
    assert "ports are numbered" not in answer.out
    assert answer.err.startswith("default/frontend: left out: ")
    assert ovsnp("compile", "-f", "manifests", "--node", "node-1", "--ports", "ports.yaml", "--quiet").err == ""


def test_ports_file_that_is_none_is_a_usage_error() -> None:
    write("ports.yaml", "default/db: 3\n")
    refused("ports.yaml: default/db: write", "-f", "manifests", "--node", "node-1", "--ports", "ports.yaml")


def test_without_database_ports_are_numbered_from_100_and_the_text_says_so() -> None:
    answer = ovsnp("compile", "-f", "manifests", "--node", "node-1")
    assert "# No database was asked: pods' ports are numbered from 100 in the order of namespace/pod.\n" in answer.out
    assert "in_port=100,dl_src=0a:58:0a:14:01:0a,nw_src=10.20.1.10" in answer.out
    assert "in_port=101,dl_src=0a:58:0a:14:01:0b,nw_src=10.20.1.11" in answer.out
    assert answer.err == ""


def test_without_database_an_ipv6_only_pod_needs_a_ports_file() -> None:
    write(
        "manifests/cluster.yaml",
        ONE_NODE.replace('"10.20.1.0/24"', '"fd00:20::/64"').replace("10.20.1.1", "fd00:20::1"),
    )
    refused("the MAC address of default/db, default/frontend is unknown", "-f", "manifests", "--node", "node-1")


def test_named_database_that_is_not_there_is_not_passed_over() -> None:
    answer: Answer = ovsnp("compile", "-f", "manifests", "--node", "node-1", "--db", "none.sock")
    assert (answer.code, answer.out) == (4, "")
    assert "none.sock" in answer.err


def test_several_databases_are_for_trace_alone() -> None:
    refused(
        "--db is given 2 times; this command is about one bridge",
        *("-f", "manifests", "--node", "node-1", "--db", "a", "--db", "b"),
    )
