"""Mistakes in EndpointSlices, with their whole lines."""

from collections.abc import Callable

import pytest

Mistakes = Callable[..., list[str]]

SLICE = """\
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-a, labels: {kubernetes.io/service-name: web}}
addressType: %s
endpoints:
- %s
ports:
- %s
"""
ENDPOINT = "addresses: [10.0.0.1]"
PORT = "{name: http, port: 80}"
SUBJECT = "EndpointSlice default/web-a"
NO_ADDRESS = "is no IP address; write it like 10.0.0.1 or fd00::1"
REMEDY = "write the address that the endpoint is reached at"


def test_address_type(mistakes: Mistakes) -> None:
    assert mistakes(SLICE % (4, ENDPOINT, PORT)) == [
        f"in.yaml:4: {SUBJECT}: addressType: must be text, not the number 4; write it in quotes"
    ]


@pytest.mark.parametrize(
    ("endpoint", "message"),
    [
        ("null", ": null is no endpoint; write addresses, or remove it"),
        ("10.0.0.1", ": must be a mapping, not the text '10.0.0.1'; write its fields as KEY: VALUE"),
        ("nodeName: n1", f".addresses: missing; {REMEDY}"),
        ("addresses: []", f".addresses: missing; {REMEDY}"),
        ("addresses: 10.0.0.1", ".addresses: must be a list, not the text '10.0.0.1'; "
         "write its items in [] or each after a dash"),
        ("addresses: [null]", f".addresses[0]: '' {NO_ADDRESS}"),
        ("addresses: [web.example.com]", f".addresses[0]: 'web.example.com' {NO_ADDRESS}"),
        ("addresses: [10.0.0.1, 10.0.0]", f".addresses[1]: '10.0.0' {NO_ADDRESS}"),
        ("addresses: [10.0.0.1, 'fd00::1']", ".addresses[1]: fd00::1 is IPv6, and the slice is of addressType IPv4; "
         "move it to a slice of IPv6"),
        ("addresses: [0.0.0.0]", f".addresses[0]: 0.0.0.0 is the unspecified address; {REMEDY}"),
        ("addresses: [127.0.0.1]", f".addresses[0]: 127.0.0.1 is a loopback address; {REMEDY}"),
        ("addresses: [10.0.0.1, 169.254.169.254]", f".addresses[1]: 169.254.169.254 is a link-local address; {REMEDY}"),
        ("addresses: [224.0.0.1]", f".addresses[0]: 224.0.0.1 is a multicast address; {REMEDY}"),
        ("addresses: [239.255.255.255]", f".addresses[0]: 239.255.255.255 is a multicast address; {REMEDY}"),
        ("{addresses: [10.0.0.1], nodeName: 5}", ".nodeName: must be text, not the number 5; write it in quotes"),
        ("{addresses: [10.0.0.1], conditions: true}", ".conditions: must be a mapping, not the boolean true; "
         "write its fields as KEY: VALUE"),
        ("{addresses: [10.0.0.1], conditions: {ready: 'true'}}", ".conditions.ready: must be true or false, "
         "not the text 'true'; write one of the two without quotes"),
        ("{addresses: [10.0.0.1], conditions: {serving: 1}}", ".conditions.serving: must be true or false, "
         "not the number 1; write one of the two without quotes"),
        ("{addresses: [10.0.0.1], conditions: {terminating: []}}", ".conditions.terminating: must be true or false, "
         "not a list; write one of the two without quotes"),
    ],
)  # fmt: skip
def test_endpoint(mistakes: Mistakes, endpoint: str, message: str) -> None:
    assert mistakes(SLICE % ("IPv4", endpoint, PORT)) == [f"in.yaml:6: {SUBJECT}: endpoints[0]{message}"]


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("10.0.0.1", "10.0.0.1 is IPv4, and the slice is of addressType IPv6; move it to a slice of IPv4"),
        ("'::ffff:10.0.0.1'", "'::ffff:10.0.0.1' is an IPv4 address inside an IPv6 one; write it as IPv4"),
        ("'::'", f":: is the unspecified address; {REMEDY}"),
        ("'::1'", f"::1 is the loopback address; {REMEDY}"),
        ("'fe80::1'", f"fe80::1 is a link-local address; {REMEDY}"),
        ("'febf::1'", f"febf::1 is a link-local address; {REMEDY}"),
        ("'ff02::1'", f"ff02::1 is a multicast address; {REMEDY}"),
        ("'ff0e::1'", f"ff0e::1 is a multicast address; {REMEDY}"),
    ],
)
def test_ipv6_endpoint(mistakes: Mistakes, address: str, message: str) -> None:
    text = SLICE % ("IPv6", f"addresses: [{address}]", PORT)
    assert mistakes(text) == [f"in.yaml:6: {SUBJECT}: endpoints[0].addresses[0]: {message}"]


@pytest.mark.parametrize(
    ("port", "message"),
    [
        ("null", ": null is no port; write name and port, or remove it"),
        ("80", ": must be a mapping, not the number 80; write its fields as KEY: VALUE"),
        ("port: 0", ".port: the number 0 is no port; write 1 to 65535"),
        ("port: 65536", ".port: the number 65536 is no port; write 1 to 65535"),
        ("port: http", ".port: must be a whole number, not the text 'http'; write it as digits without quotes"),
        ("{port: 80, name: Http}", ".name: 'Http' is no valid name; use at most 63 lower-case letters, "
         "digits and '-'"),
        ("{port: 80, name: 1}", ".name: must be text, not the number 1; write it in quotes"),
    ],
)  # fmt: skip
def test_port(mistakes: Mistakes, port: str, message: str) -> None:
    assert mistakes(SLICE % ("IPv4", ENDPOINT, port)) == [f"in.yaml:8: {SUBJECT}: ports[0]{message}"]


def test_two_ports_of_one_name(mistakes: Mistakes) -> None:
    text = SLICE % ("IPv4", ENDPOINT, f"{PORT}\n- {{name: http, protocol: UDP, port: 80}}\n- {{port: 1}}\n- {{}}")
    expected = [
        "9: EndpointSlice default/web-a: ports[1].name: 'http' is the name of another port too; give each its own",
        "11: EndpointSlice default/web-a: ports[3].name: '' is the name of another port too; give each its own",
    ]
    assert mistakes(text) == [f"in.yaml:{line}" for line in expected]


def test_all_mistakes_of_a_slice(mistakes: Mistakes) -> None:
    """The mistakes of one part hide none of another."""
    text = """\
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: Web
  namespace: gone
  labels:
    kubernetes.io/service-name: -web
addressType: IPv4
endpoints:
- addresses: {}
- addresses:
  - 10.0.0.1
  - x
- addresses: [127.0.0.1]
ports:
- port: 0
"""
    expected = [
        "4: EndpointSlice gone/Web: metadata.name: 'Web' is no valid name; "
        "use at most 253 lower-case letters, digits, '-' and '.'",
        "7: EndpointSlice gone/Web: metadata.labels[kubernetes.io/service-name]: '-web' cannot be the value of a "
        "label; use at most 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends",
        "10: EndpointSlice gone/Web: endpoints[0].addresses: must be a list, not a mapping; "
        "write its items in [] or each after a dash",
        f"13: EndpointSlice gone/Web: endpoints[1].addresses[1]: 'x' {NO_ADDRESS}",
        f"14: EndpointSlice gone/Web: endpoints[2].addresses[0]: 127.0.0.1 is a loopback address; {REMEDY}",
        "16: EndpointSlice gone/Web: ports[0].port: the number 0 is no port; write 1 to 65535",
    ]
    assert mistakes(text) == [f"in.yaml:{line}" for line in expected]


@pytest.mark.parametrize(("old", "new"), [("10.0.0.1", "10.0.0.2"), ("IPv4", "FQDN"), ("http", "web")])
def test_two_slices_of_one_name(mistakes: Mistakes, old: str, new: str) -> None:
    text = SLICE % ("IPv4", ENDPOINT, PORT)
    assert mistakes("---\n".join([text, text, text.replace(old, new)])) == [
        f"in.yaml:21: {SUBJECT}: metadata.name: another object of this name, in in.yaml, differs; keep one of the two"
    ]
