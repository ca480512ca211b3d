"""``ovsnp matrix`` on the command line: formats, filters, exit codes, streams."""

import csv
import io
import json
from pathlib import Path

import pytest

from tests.support.applying import Answer, ovsnp, policy

pytestmark = pytest.mark.usefixtures("workdir")

TEXT = """\
FROM                  PORTS   TO
default/db            all     default/frontend[+1], nodes, outside/0.0.0.0/0
default/frontend[+1]  all     default/frontend[+1], nodes, outside/0.0.0.0/0
default/frontend[+1]  80/tcp  default/db
nodes                 all     default/*
outside/0.0.0.0/0     all     default/frontend[+1]
outside/0.0.0.0/0     none    default/db
"""


def matrix(*arguments: object) -> Answer:
    answer = ovsnp("matrix", "-f", "manifests", *arguments)
    assert "Traceback" not in answer.err
    return answer


def reached(*arguments: object) -> list[tuple[str, str, str]]:
    """The columns from, to and ports of each record of the CSV."""
    answer = matrix("-o", "csv", *arguments)
    assert (answer.code, answer.err) == (0, "")
    return [(each["from"], each["to"], each["ports"]) for each in csv.DictReader(io.StringIO(answer.out))]


def test_text_is_a_table_of_sources() -> None:
    answer = matrix()
    assert answer == (0, TEXT, "")


def test_rows_are_workloads_or_pods() -> None:
    assert {source for source, _, _ in reached("--by", "workload")} == {
        "default/db",
        "default/frontend[+1]",
        "nodes",
        "outside/0.0.0.0/0",
    }
    assert {source for source, _, _ in reached("--by", "pod")} == {
        "default/db",
        "default/frontend",
        "default/remote",
        "node/node-1",
        "node/node-2",
        "outside/0.0.0.0/0",
    }


def test_from_to_and_port_narrow_it() -> None:
    assert reached("--from", "remote", "--to", "db") == [("default/frontend[+1]", "default/db", "80/tcp")]
    assert reached("--by", "pod", "--from", "remote", "--to", "db", "--to", "node/node-2") == [
        ("default/remote", "default/db", "80/tcp"),
        ("default/remote", "node/node-2", "all"),
    ]
    assert reached("--from", "frontend", "--to", "default/db") == [("default/frontend[+1]", "default/db", "80/tcp")]
    assert reached("--from", "outside/", "--to", "frontend[+1]") == reached("--from", "192.0.2.1")
    assert reached("--from", "192.0.2.1", "--to", "default/") == [("outside/0.0.0.0/0", "default/frontend[+1]", "all")]
    assert reached("--from", "frontend", "--to", "db", "--port", "81") == []
    assert reached("--from", "frontend", "--to", "db", "--port", "80") == [
        ("default/frontend[+1]", "default/db", "80/tcp")
    ]
    assert reached("--from", "nodes", "--to", "db", "--port", "icmp") == [("nodes", "default/db", "icmp")]


def test_name_without_brackets_means_all_parts_of_that_name() -> None:
    for number, tier in enumerate("ab", 20):
        Path(f"manifests/{tier}.yaml").write_text(
            f"{{apiVersion: v1, kind: Pod, metadata: {{name: {tier}, labels: {{app: shop, tier: {tier}}}}},"
            f" spec: {{nodeName: node-1}}, status: {{podIPs: [{{ip: 10.20.1.{number}}}]}}}}"
        )
    both = [("default/shop[a]", "default/db", "80/tcp"), ("default/shop[b]", "default/db", "80/tcp")]
    Path("manifests/policy.yaml").write_text(policy("to-db", 80).replace("matchLabels: {role: frontend}", ""))
    assert reached("--from", "default/shop", "--to", "db") == both
    assert reached("--from", "shop", "--to", "db") == both
    assert reached("--from", "shop[b]", "--to", "db") == both[1:]


def test_strict_nodes_counts() -> None:
    assert ("nodes", "default/db", "all") in reached()
    strict = {(source, to): ports for source, to, ports in reached("--strict-nodes", "--by", "pod")}
    assert strict["node/node-1", "default/db"] == "all"
    assert ("node/node-2", "default/db") not in strict


def test_graph_has_namespaces_and_arrows() -> None:
    lines = matrix("-o", "dot").out.splitlines()
    assert (lines[0], lines[-1]) == ("digraph ovsnp {", "}")
    assert '  subgraph "cluster_default" {' in lines
    assert '  "default/frontend[+1]" -> "default/db" [label="80/tcp"]' in lines
    assert '  "nodes" -> "default/db"' in lines
    assert not any('"default/db" -> "default/db"' in line for line in lines)


def test_json_and_html_are_whole_documents() -> None:
    assert json.loads(matrix("-o", "json", "--port", "80/TCP").out)["port"] == "80/tcp"
    page = matrix("-o", "html").out
    assert page.startswith("<!DOCTYPE html>")
    assert page.endswith("</html>\n")


def test_same_input_in_another_order_is_the_same_output(workdir: Path) -> None:
    before = {notation: matrix("-o", notation).out for notation in ("text", "json", "csv", "dot", "html")}
    cluster = workdir / "manifests" / "cluster.yaml"
    cluster.write_text("\n---\n".join(reversed(cluster.read_text().split("\n---\n"))))
    assert {notation: matrix("-o", notation).out for notation in before} == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--from", "frontened"), "did you mean default/frontend?"),
        (("--to", "defautl/"), "namespace defautl has no pods; did you mean default/?"),
        (("--port", "htp"), "no pod has a port of the name htp; there are no names of ports"),
        (("--port", "70000"), "70000: 70000 is no port; write a number from 1 to 65535"),
        (("--to", "10.20.1.99"), "10.20.1.99 is not in the matrix: nobody is there"),
        (("--to", "224.0.0.1"), "224.0.0.1 is not in the matrix: nobody is there"),
        (("--to", "10.0.0.0/8"), "10.0.0.0/8 is a block of addresses; name one address of it"),
        (("-o", "svg"), "svg"),
    ],
)
def test_usage_is_2_and_says_what_is_there(arguments: tuple[str, ...], said: str) -> None:
    answer = matrix(*arguments)
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err


def service(selected: str) -> str:
    return (
        "{apiVersion: v1, kind: Service, metadata: {name: db}, spec: {clusterIP: 10.96.0.1,"
        f" selector: {{role: {selected}}}, ports: [{{port: 8080, targetPort: 80}}]}}}}"
    )


def test_service_as_a_destination_means_its_endpoints() -> None:
    Path("manifests/service.yaml").write_text(service("db"))
    for word in ("svc/db", "10.96.0.1"):
        assert reached("--from", "frontend", "--to", word) == [("default/frontend[+1]", "default/db", "80/tcp")]
        answer = matrix("--from", word)
        assert answer.code == 2
        assert f"{word} is a cluster IP, which opens no connections" in answer.err
    assert matrix("--to", "10.96.0.2").code == 0
    assert "10.96.0.2 is not in the matrix" in matrix("--to", "10.96.0.2", "--service-cidr", "10.96.0.0/24").err
    Path("manifests/service.yaml").write_text(service("nobody"))
    assert "svc/default/db has no endpoints" in matrix("--to", "svc/db").err


def test_bad_input_is_3_and_nothing_on_stdout() -> None:
    Path("manifests/policy.yaml").write_text(policy("to-db", 70000))
    assert matrix()[:2] == (3, "")


def test_without_pods_it_says_so() -> None:
    Path("manifests/cluster.yaml").unlink()
    answer = matrix()
    assert (answer.code, answer.out.splitlines()) == (0, ["FROM  PORTS  TO"])
    assert answer.err == "note: the manifests have no pods, so no policy applies\n"
    assert matrix("--quiet").err == ""


def test_options_of_its_own_may_stand_in_the_configuration() -> None:
    Path("ovsnp.yaml").write_text("manifests: manifests\nfrom: frontend\nto: [db]\nby: pod\nport: 80\noutput: csv\n")
    answer = ovsnp("matrix")
    assert answer.code == 0, answer.err
    assert answer.out.splitlines()[1:] == ["default/frontend,default/db,80/tcp,,,default/to-db ingress[0]"]
