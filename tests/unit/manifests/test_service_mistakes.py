"""Mistakes in Services and ServiceCIDRs, with their whole lines."""

import json
from collections.abc import Callable

import pytest
import yaml

Mistakes = Callable[..., list[str]]

PORT = """\
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  clusterIP: 10.96.0.10
  ports:
  - %s
"""
NO_PORT_NAME = (
    "cannot be the name of a port; use at most 15 lower-case letters, digits and single '-' "
    "inside, at least one of them a letter"
)
NO_LABEL_NAME = "is no valid name; use at most 63 lower-case letters, digits and '-'"
NO_NUMBER = "is no port; write 1 to 65535"


@pytest.mark.parametrize(
    ("port", "message"),
    [
        ("{}", ".port: missing; write 1 to 65535"),
        ("port: 0", f".port: the number 0 {NO_NUMBER}"),
        ("port: 65536", f".port: the number 65536 {NO_NUMBER}"),
        ("{port: 65536, targetPort: 80}", f".port: the number 65536 {NO_NUMBER}"),
        ("port: -1", f".port: the number -1 {NO_NUMBER}"),
        ("port: '80'", ".port: must be a whole number, not the text '80'; write it as digits without quotes"),
        ("port: true", ".port: must be a whole number, not the boolean true; write it as digits without quotes"),
        ("{port: 80, targetPort: 65536}", f".targetPort: the number 65536 {NO_NUMBER}"),
        ("{port: 80, targetPort: -1}", f".targetPort: the number -1 {NO_NUMBER}"),
        ("{port: 80, targetPort: HTTP}", f".targetPort: 'HTTP' {NO_PORT_NAME}"),
        ("{port: 80, targetPort: a23456789b123456}", f".targetPort: 'a23456789b123456' {NO_PORT_NAME}"),
        ("{port: 80, targetPort: '8080'}", ".targetPort: '8080' in quotes is a name, and a name of a port has a "
         "letter; write 8080 without quotes"),
        ("{port: 80, targetPort: [1]}", ".targetPort: must be a whole number or text, not a list; "
         "write one of the two"),
        ("{port: 80, protocol: 6}", ".protocol: must be text, not the number 6; write it in quotes"),
        ("{port: 80, name: Web}", f".name: 'Web' {NO_LABEL_NAME}"),
        ("{port: 80, name: a.b}", f".name: 'a.b' {NO_LABEL_NAME}"),
        ("{port: 80, name: [a]}", ".name: must be text, not a list; write it in quotes"),
        ("null", ": null is no port; write port, or remove it"),
        ("80", ": must be a mapping, not the number 80; write its fields as KEY: VALUE"),
    ],
)  # fmt: skip
def test_port(mistakes: Mistakes, port: str, message: str) -> None:
    assert mistakes(PORT % port) == [f"in.yaml:7: Service default/web: spec.ports[0]{message}"]


def test_all_mistakes_of_a_port(mistakes: Mistakes) -> None:
    where = "in.yaml:7: Service default/web: spec.ports[0]"
    assert mistakes(PORT % "{port: 0, targetPort: X, protocol: x, name: X}") == [
        f"{where}.name: 'X' {NO_LABEL_NAME}",
        f"{where}.port: the number 0 {NO_NUMBER}",
        f"{where}.targetPort: 'X' {NO_PORT_NAME}",
    ]


def test_several_ports(mistakes: Mistakes) -> None:
    text = """\
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  clusterIP: 10.96.0.10
  ports:
  - {name: a, port: 80}
  - {name: b, port: 80, protocol: UDP}
  - {name: c, port: 80, targetPort: 81}
  - {name: a, port: 82}
  - {port: 83}
  - {port: 83}
"""
    unnamed = "missing; a Service with several ports has a name for each"
    expected = [
        "9: Service default/web: spec.ports[2].port: TCP port 80 is written twice; keep one of the two",
        "10: Service default/web: spec.ports[3].name: 'a' is the name of another port too; give each its own",
        f"11: Service default/web: spec.ports[4].name: {unnamed}",
        f"12: Service default/web: spec.ports[5].name: {unnamed}",
        "12: Service default/web: spec.ports[5].port: TCP port 83 is written twice; keep one of the two",
    ]
    assert mistakes(text) == [f"in.yaml:{line}" for line in expected]


NO_ADDRESS = "is no IP address; write it like 10.0.0.1 or fd00::1"
BESIDE = "None stands beside another cluster IP; write it alone, or remove it"


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("clusterIP: web", [f"clusterIP: 'web' {NO_ADDRESS}"]),
        ("clusterIP: 010.96.0.10", ["clusterIP: '010.96.0.10' has leading zeros; write 10.96.0.10"]),
        ("clusterIP: none", [f"clusterIP: 'none' {NO_ADDRESS}"]),
        ("clusterIP: '::ffff:10.96.0.1'", ["clusterIP: '::ffff:10.96.0.1' is an IPv4 address inside an IPv6 one; "
                                           "write it as IPv4"]),
        ("clusterIP: [10.96.0.1]", ["clusterIP: must be text, not a list; write it in quotes"]),
        ("clusterIPs: 10.96.0.1", ["clusterIPs: must be a list, not the text '10.96.0.1'; "
                                   "write its items in [] or each after a dash"]),
        ("clusterIPs: ['']", [f"clusterIPs[0]: '' {NO_ADDRESS}"]),
        ("clusterIPs: [null]", [f"clusterIPs[0]: '' {NO_ADDRESS}"]),
        ("clusterIPs: [10.96.0.1, 5]", ["clusterIPs[1]: must be text, not the number 5; write it in quotes"]),
        ("clusterIPs: [10.96.0.1, 10.96.0.2]", ["clusterIPs[1]: 10.96.0.2 is the Service's second IPv4 address; "
                                                "a Service has one of each family"]),
        ("clusterIPs: ['fd00::1', 10.96.0.1, 'fd00::1']", ["clusterIPs[2]: fd00::1 is the Service's second IPv6 "
                                                           "address; a Service has one of each family"]),
        ("clusterIPs: [None, 10.96.0.1]", [f"clusterIPs[0]: {BESIDE}"]),
        ("clusterIPs: [10.96.0.1, None]", [f"clusterIPs[1]: {BESIDE}"]),
        ("{clusterIP: 10.96.0.1, clusterIPs: [10.96.0.2]}", [
            "clusterIP: '10.96.0.1' is not the first of clusterIPs, '10.96.0.2'; "
            "write the same in both, or only one of the two"]),
        ("{clusterIP: None, clusterIPs: [10.96.0.2]}", ["clusterIP: 'None' is not the first of clusterIPs, "
                                                        "'10.96.0.2'; write the same in both, or only one of the two"]),
        ("type: 1", ["type: must be text, not the number 1; write it in quotes"]),
        ("ports: {port: 80}", ["ports: must be a list, not a mapping; write its items in [] or each after a dash"]),
        ("sessionAffinity: 1", ["sessionAffinity: must be text, not the number 1; write it in quotes"]),
        ("sessionAffinityConfig: 60", ["sessionAffinityConfig: must be a mapping, not the number 60; "
                                       "write its fields as KEY: VALUE"]),
        ("publishNotReadyAddresses: 'true'", ["publishNotReadyAddresses: must be true or false, not the text 'true'; "
                                              "write one of the two without quotes"]),
        ("selector: [a]", ["selector: must be a mapping, not a list; write it as KEY: VALUE"]),
        ("selector: {a: 1}", ["selector.a: must be text, not the number 1; write it in quotes"]),
        ("selector: {a: b c, d/: e}", [
            "selector.a: 'b c' cannot be the value of a label; use at most 63 letters, digits, '-', '_' and '.', "
            "with a letter or digit at both ends",
            "selector[d/]: 'd/' cannot be the key of a label; use at most 63 letters, digits, '-', '_' and '.', "
            "after a DNS domain and '/' if need be"]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("notation", ["yaml", "json"])
def test_spec(mistakes: Mistakes, field: str, expected: list[str], notation: str) -> None:
    """All on one line, so that the line is the same in both formats."""
    written = yaml.safe_load(field)
    spec = {"clusterIP": "10.96.0.1", "ports": [{"port": 80}], **written}
    if "clusterIPs" in written and "clusterIP" not in written:
        del spec["clusterIP"]
    item = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": spec}
    text = json.dumps(item) if notation == "json" else yaml.safe_dump(item, default_flow_style=True, width=10_000)
    assert mistakes(text) == [f"in.yaml:1: Service default/web: spec.{message}" for message in expected]


@pytest.mark.parametrize("seconds", [0, -1, 86_401])
def test_timeout(mistakes: Mistakes, seconds: int) -> None:
    text = f"""\
apiVersion: v1
kind: Service
metadata: {{name: web}}
spec:
  clusterIP: None
  sessionAffinity: ClientIP
  sessionAffinityConfig:
    clientIP:
      timeoutSeconds: {seconds}
"""
    assert mistakes(text) == [
        "in.yaml:9: Service default/web: spec.sessionAffinityConfig.clientIP.timeoutSeconds: "
        f"the number {seconds} is no timeout; write 1 to 86400 seconds"
    ]


def _service(name: str, addresses: str, namespace: str = "default") -> str:
    return (
        f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}, namespace: {namespace}}}\n"
        f"spec:\n  ports: [{{port: 80}}]\n  clusterIPs: [{addresses}]\n"
    )


NODE = """\
apiVersion: v1
kind: Node
metadata: {name: n1}
spec: {podCIDRs: [10.0.1.0/24, 'fd00:1::/64']}
status: {addresses: [{type: InternalIP, address: 192.168.0.1}]}
"""
CIDR = """\
apiVersion: networking.k8s.io/v1
kind: ServiceCIDR
metadata: {name: c}
spec:
  cidrs: [%s]
"""


@pytest.mark.parametrize(
    ("cidrs", "expected"),
    [
        ("", ": missing; write the block that cluster IPs are in"),
        ("10.96.0.0", "[0]: '10.96.0.0' is no CIDR block; write ADDRESS/LENGTH, such as 10.0.0.0/8 or fd00::/64"),
        ("null", "[0]: '' is no CIDR block; write ADDRESS/LENGTH, such as 10.0.0.0/8 or fd00::/64"),
        ("5", "[0]: must be text, not the number 5; write it in quotes"),
        ("10.96.0.0/16, 10.97.0.0/16", "[1]: 10.97.0.0/16 is the ServiceCIDR's second IPv4 block; "
         "a ServiceCIDR has one of each family"),
    ],
)  # fmt: skip
def test_service_cidr(mistakes: Mistakes, cidrs: str, expected: str) -> None:
    assert mistakes("---\n".join([CIDR % cidrs, NODE])) == [f"in.yaml:5: ServiceCIDR c: spec.cidrs{expected}"]


def test_names(mistakes: Mistakes) -> None:
    texts = [
        _service("a.b", "10.96.0.1", "gone"),
        _service("''", "None"),
        CIDR.replace("name: c", "name: C") % "'fd00::/8'",
    ]
    assert mistakes("---\n".join(texts)) == [
        f"in.yaml:3: Service gone/a.b: metadata.name: 'a.b' {NO_LABEL_NAME}",
        "in.yaml:10: Service default/?: metadata.name: missing; give the object a name",
        "in.yaml:17: ServiceCIDR C: metadata.name: 'C' is no valid name; "
        "use at most 253 lower-case letters, digits, '-' and '.'",
    ]


@pytest.mark.parametrize(
    ("first", "second", "subject"),
    [
        (_service("a", "10.96.0.1"), _service("a", "10.96.0.2"), "Service default/a"),
        (_service("a", "10.96.0.1"), _service("a", "None"), "Service default/a"),
        (CIDR % "10.96.0.0/16", CIDR % "10.97.0.0/16", "ServiceCIDR c"),
    ],
)
def test_two_objects_of_one_name(mistakes: Mistakes, first: str, second: str, subject: str) -> None:
    line = len(first.splitlines()) + 4
    message = "metadata.name: another object of this name, in in.yaml, differs; keep one of the two"
    for texts in ([first, second], [first, first, second]):
        expected = line + (len(first.splitlines()) + 1) * (len(texts) - 2)
        assert mistakes("---\n".join(texts)) == [f"in.yaml:{expected}: {subject}: {message}"]
