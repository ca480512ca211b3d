"""Each mistake in a NetworkPolicy, with its whole line."""

from collections.abc import Callable

import pytest

POLICY = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: x}
spec:
  podSelector: {}
  ingress:
  - ports:
    - %s
"""
PORT = "NetworkPolicy default/x: spec.ingress[0].ports[0]"


@pytest.mark.parametrize(
    ("port", "message"),
    [
        ("port: 0", "port: the number 0 is no port; write 1 to 65535"),
        ("port: 65536", "port: the number 65536 is no port; write 1 to 65535"),
        ("port: -1", "port: the number -1 is no port; write 1 to 65535"),
        ("port: " + "9" * 30, f"port: the number {'9' * 30} is no port; write 1 to 65535"),
        ('port: "80"', "port: '80' in quotes is a name, and a name of a port has a letter; write 80 without quotes"),
        ("port: true", "port: must be a whole number or text, not the boolean true; write one of the two"),
        ("port: 80.0", "port: must be a whole number or text, not the number 80.0; write one of the two"),
        ("port: [80]", "port: must be a whole number or text, not a list; write one of the two"),
        *(
            (
                f"port: {name}",
                f"port: '{name}' cannot be the name of a port; use at most 15 lower-case letters, digits and single "
                "'-' inside, at least one of them a letter",
            )
            for name in ("HTTP", "-http", "http-", "a--b", "a_b", "a23456789b123456", "1-2")
        ),
        ('port: ""', "port: '' cannot be the name of a port; use at most 15 lower-case letters, digits and single "
         "'-' inside, at least one of them a letter"),
        ("{port: 80, endPort: 79}", "endPort: endPort 79 is below port 80; write the last port of the range"),
        ("{port: 80, endPort: 65536}", "endPort: the number 65536 is no port; write 1 to 65535"),
        ("{port: 80, endPort: '90'}", "endPort: must be a whole number, not the text '90'; "
         "write it as digits without quotes"),
        ("{port: web, endPort: 90}", "endPort: endPort stands beside the name of a port; "
         "a range needs a number as port"),
        ("endPort: 90", "endPort: endPort stands without port; write the first port of the range as port"),
        ("protocol: tcp", "protocol: 'tcp' is no protocol for ports; write TCP, UDP or SCTP"),
        ("protocol: ICMP", "protocol: 'ICMP' is no protocol for ports; write TCP, UDP or SCTP"),
        ('protocol: ""', "protocol: '' is no protocol for ports; write TCP, UDP or SCTP"),
        ("ports: 80", "ports: unknown field; remove it, or write one of endPort, port, protocol"),
    ],
)  # fmt: skip
def test_port(mistakes: Callable[..., list[str]], port: str, message: str) -> None:
    assert mistakes(POLICY % port) == [f"in.yaml:8: {PORT}.{message}"]


def test_null_port(mistakes: Callable[..., list[str]]) -> None:
    assert mistakes(POLICY % "null") == [f"in.yaml:8: {PORT}: null is no port; write {{}} for all of TCP, or remove it"]


PEER = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: x}
spec:
  egress:
  - to:
    - %s
"""
TO = "NetworkPolicy default/x: spec.egress[0].to[0]"
NO_CIDR = "is no CIDR block; write ADDRESS/LENGTH, such as 10.0.0.0/8 or fd00::/64"
MAPPED = "is an IPv4 address inside an IPv6 one; write it as IPv4"
NO_KEY = (
    "cannot be the key of a label; use at most 63 letters, digits, '-', '_' and '.', "
    "after a DNS domain and '/' if need be"
)
NO_VALUE = (
    "cannot be the value of a label; use at most 63 letters, digits, '-', '_' and '.', "
    "with a letter or digit at both ends"
)


@pytest.mark.parametrize(
    ("peer", "message"),
    [
        ("{}", ": an empty peer names nobody; write podSelector, namespaceSelector or ipBlock"),
        ("podSelector: null", ": an empty peer names nobody; write podSelector, namespaceSelector or ipBlock"),
        ("null", ": null is no peer; write podSelector, namespaceSelector or ipBlock, or remove it"),
        ("podselector: {}", ".podselector: unknown field; remove it, or write one of "
         "ipBlock, namespaceSelector, podSelector"),
        ("everyone", ": must be a mapping, not the text 'everyone'; write its fields as KEY: VALUE"),
        ("{ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}}", ": ipBlock stands beside a selector; "
         "make them two items of the list"),
        ("ipBlock: {}", ".ipBlock.cidr: missing; write a CIDR block such as 10.0.0.0/8"),
        ("ipBlock: {cidr: 10.0.0.0}", f".ipBlock.cidr: '10.0.0.0' {NO_CIDR}"),
        ("ipBlock: {cidr: 10.0.0.0/33}", f".ipBlock.cidr: '10.0.0.0/33' {NO_CIDR}"),
        ("ipBlock: {cidr: 10.0.0/8}", f".ipBlock.cidr: '10.0.0/8' {NO_CIDR}"),
        ("ipBlock: {cidr: 10.0.0.0/-1}", f".ipBlock.cidr: '10.0.0.0/-1' {NO_CIDR}"),
        ("ipBlock: {cidr: 010.44.002.0/24}", ".ipBlock.cidr: '010.44.002.0/24' has leading zeros; write 10.44.2.0/24"),
        ("ipBlock: {cidr: 10.0.0.0/8, except: [10.1.08.000/24]}", ".ipBlock.except[0]: '10.1.08.000/24' has "
         "leading zeros; write 10.1.8.0/24"),
        ("ipBlock: {cidr: 010.0.0.0/33}", f".ipBlock.cidr: '010.0.0.0/33' {NO_CIDR}"),
        ("ipBlock: {cidr: 0300.0.0.0/8}", f".ipBlock.cidr: '0300.0.0.0/8' {NO_CIDR}"),
        ("ipBlock: {cidr: 'fd00::/129'}", f".ipBlock.cidr: 'fd00::/129' {NO_CIDR}"),
        ("ipBlock: {cidr: 'fe80::1%eth0/64'}", f".ipBlock.cidr: 'fe80::1%eth0/64' {NO_CIDR}"),
        ("ipBlock: {cidr: '::ffff:10.0.0.0/104'}", f".ipBlock.cidr: '::ffff:10.0.0.0/104' {MAPPED}"),
        ("ipBlock: {cidr: 10}", ".ipBlock.cidr: must be text, not the number 10; write it in quotes"),
        ("ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/8]}", ".ipBlock.except[0]: 10.0.0.0/8 is the whole block; "
         "remove the peer, or except less"),
        ("ipBlock: {cidr: 10.0.0.0/8, except: [10.1.2.3/8]}", ".ipBlock.except[0]: 10.0.0.0/8 is the whole block; "
         "remove the peer, or except less"),
        ("ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/7]}", ".ipBlock.except[0]: 10.0.0.0/7 is not inside "
         "10.0.0.0/8; except only parts of the block"),
        ("ipBlock: {cidr: 10.0.0.0/8, except: [11.0.0.0/9]}", ".ipBlock.except[0]: 11.0.0.0/9 is not inside "
         "10.0.0.0/8; except only parts of the block"),
        ("ipBlock: {cidr: '::/0', except: [11.0.0.0/9]}", ".ipBlock.except[0]: 11.0.0.0/9 is IPv4 and its block "
         "::/0 IPv6; an exception is of its block's family"),
        ("ipBlock: {cidr: 10.0.0.0/8, except: [x]}", f".ipBlock.except[0]: 'x' {NO_CIDR}"),
        ("ipBlock: {cidr: 10.0.0.0/8, except: [null]}", ".ipBlock.except[0]: null is no CIDR block; "
         "write one such as 10.1.0.0/16, or remove it"),
        ("ipBlock: {cidr: 10.0.0.0/8, except: 10.0.0.0/9}", ".ipBlock.except: must be a list, not the text "
         "'10.0.0.0/9'; write its items in [] or each after a dash"),
        ("podSelector: {matchLabels: {a: yes}}", ".podSelector.matchLabels.a: must be text, not the boolean true; "
         "write it in quotes"),
        ("podSelector: {matchLabels: {a: 1}}", ".podSelector.matchLabels.a: must be text, not the number 1; "
         "write it in quotes"),
        ("podSelector: {matchLabels: {a: null}}", ".podSelector.matchLabels.a: must be text, not null; "
         'write "" if it is meant to be empty'),
        ("podSelector: {matchLabels: {1: a}}", '.podSelector.matchLabels["1"]: a key must be text, not the number 1; '
         "write it in quotes"),
        ("podSelector: {matchLabels: {a b: c}}", f'.podSelector.matchLabels["a b"]: \'a b\' {NO_KEY}'),
        ("podSelector: {matchLabels: {/a: c}}", f'.podSelector.matchLabels["/a"]: \'/a\' {NO_KEY}'),
        ("podSelector: {matchLabels: {A.io/a: c}}", f".podSelector.matchLabels[A.io/a]: 'A.io/a' {NO_KEY}"),
        ("podSelector: {matchLabels: {a: c/d}}", f".podSelector.matchLabels.a: 'c/d' {NO_VALUE}"),
        ("podSelector: {matchLabels: {a: -d}}", f".podSelector.matchLabels.a: '-d' {NO_VALUE}"),
        (f"podSelector: {{matchLabels: {{a: {'d' * 64}}}}}", f".podSelector.matchLabels.a: '{'d' * 64}' {NO_VALUE}"),
        ("podSelector: {app: web}", ".podSelector.app: unknown field; remove it, or write one of "
         "matchExpressions, matchLabels"),
        ("podSelector: [app]", ".podSelector: must be a mapping, not a list; write its fields as KEY: VALUE"),
        ("podSelector: {matchExpressions: [null]}", ".podSelector.matchExpressions[0]: null is no requirement; "
         "write key, operator and values, or remove it"),
        *(
            (f"podSelector: {{matchExpressions: [{expression}]}}", f".podSelector.matchExpressions[0].{message}")
            for expression, message in (
                ("{operator: Exists}", "key: missing; name the label's key"),
                ("{key: a}", "operator: missing; write In, NotIn, Exists, DoesNotExist"),
                ("{key: a, operator: in}", "operator: 'in' is no operator; write In, NotIn, Exists, DoesNotExist"),
                ("{key: a, operator: In}", "values: In needs values; list at least one, or use Exists or DoesNotExist"),
                ("{key: a, operator: NotIn, values: []}", "values: NotIn needs values; list at least one, "
                 "or use Exists or DoesNotExist"),
                ("{key: a, operator: Exists, values: [b]}", "values: Exists takes no values; remove them, "
                 "or use In or NotIn"),
                ("{key: a, operator: DoesNotExist, values: [b]}", "values: DoesNotExist takes no values; "
                 "remove them, or use In or NotIn"),
                ("{key: a, operator: In, values: [b c]}", f"values[0]: 'b c' {NO_VALUE}"),
                ("{key: a, operator: In, values: [null]}", 'values[0]: null is no value; write "" for an empty one'),
                ("{key: a, operator: In, values: [true]}", "values[0]: must be text, not the boolean true; "
                 "write it in quotes"),
                ("{key: a, operator: In, values: b}", "values: must be a list, not the text 'b'; "
                 "write its items in [] or each after a dash"),
                ("{key: a, operator: Exists, value: b}", "value: unknown field; remove it, or write one of "
                 "key, operator, values"),
            )
        ),
    ],
)  # fmt: skip
def test_peer(mistakes: Callable[..., list[str]], peer: str, message: str) -> None:
    assert mistakes(PEER % peer) == [f"in.yaml:7: {TO}{message}"]


SPEC = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: x}
spec:
  %s
"""


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("policyTypes: [ingress]", "spec.policyTypes[0]: 'ingress' is no policy type; write Ingress or Egress"),
        ("policyTypes: [null]", "spec.policyTypes[0]: null is no policy type; write Ingress or Egress"),
        ("policyTypes: [Ingress, Egress, Ingress]", "spec.policyTypes: 3 types; write each of Ingress and Egress "
         "at most once"),
        ("policyTypes: Ingress", "spec.policyTypes: must be a list, not the text 'Ingress'; "
         "write its items in [] or each after a dash"),
        ("ingress: {}", "spec.ingress: must be a list, not a mapping; write its items in [] or each after a dash"),
        ("ingress: [null]", "spec.ingress[0]: null is no rule; write {} to allow everything, or remove it"),
        ("ingress: [{to: []}]", "spec.ingress[0].to: unknown field; remove it, or write one of from, ports"),
        ("egress: [{from: []}]", "spec.egress[0].from: unknown field; remove it, or write one of ports, to"),
        ("egress: [{ports: {port: 80}}]", "spec.egress[0].ports: must be a list, not a mapping; "
         "write its items in [] or each after a dash"),
        ("order: 5", "spec.order: unknown field; remove it, or write one of egress, ingress, podSelector, policyTypes"),
        ("{podSelector: {}, podSelector: {matchLabels: {a: b}}}", "spec.podSelector: written twice in one mapping; "
         "keep one of the two"),
        ("[]", "spec: must be a mapping, not a list; write its fields as KEY: VALUE"),
    ],
)  # fmt: skip
def test_spec(mistakes: Callable[..., list[str]], field: str, message: str) -> None:
    line = 4 if message.startswith("spec: ") else 5
    assert mistakes(SPEC % field) == [f"in.yaml:{line}: NetworkPolicy default/x: {message}"]


@pytest.mark.parametrize(
    ("metadata", "subject", "message"),
    [
        ("{}", "default/?", "metadata.name: missing; give the object a name"),
        ("{name: a b}", "default/'a b'", "metadata.name: 'a b' is no valid name; "
         "use at most 253 lower-case letters, digits, '-' and '.'"),
        ("{name: a/b}", "default/'a/b'", "metadata.name: 'a/b' is no valid name; "
         "use at most 253 lower-case letters, digits, '-' and '.'"),
        ("{name: a, namespace: B}", "B/a", "metadata.namespace: 'B' is no valid name; "
         "use at most 63 lower-case letters, digits and '-'"),
        ("{name: 5}", "default/?", "metadata.name: must be text, not the number 5; write it in quotes"),
    ],
)  # fmt: skip
def test_metadata(mistakes: Callable[..., list[str]], metadata: str, subject: str, message: str) -> None:
    text = f"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {metadata}\n"
    assert mistakes(text) == [f"in.yaml:3: NetworkPolicy {subject}: {message}"]


def test_misspelt_spec(mistakes: Callable[..., list[str]]) -> None:
    assert mistakes("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: x}\nspecs: {}\n") == [
        "in.yaml:4: NetworkPolicy default/x: specs: unknown field; "
        "remove it, or write one of apiVersion, kind, metadata, spec, status"
    ]


def test_all_at_once(mistakes: Callable[..., list[str]]) -> None:
    text = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: x}
spec:
  typo: 1
  ingress:
  - from:
    - ipBlock: {cidr: 10.0.0.0/8, except: [11.0.0.0/8, 10.0.0.0/8]}
    - podSelector: {matchLabels: {a: 1}}
    ports:
    - port: 0
      endPort: high
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: y}
spec: {egress: [null]}
"""
    x, y = "NetworkPolicy default/x: spec", "NetworkPolicy default/y: spec"
    assert mistakes(text) == [
        f"in.yaml:5: {x}.typo: unknown field; remove it, or write one of egress, ingress, podSelector, policyTypes",
        f"in.yaml:8: {x}.ingress[0].from[0].ipBlock.except[0]: 11.0.0.0/8 is not inside 10.0.0.0/8; "
        "except only parts of the block",
        f"in.yaml:8: {x}.ingress[0].from[0].ipBlock.except[1]: 10.0.0.0/8 is the whole block; "
        "remove the peer, or except less",
        f"in.yaml:9: {x}.ingress[0].from[1].podSelector.matchLabels.a: must be text, not the number 1; "
        "write it in quotes",
        f"in.yaml:11: {x}.ingress[0].ports[0].port: the number 0 is no port; write 1 to 65535",
        f"in.yaml:12: {x}.ingress[0].ports[0].endPort: must be a whole number, not the text 'high'; "
        "write it as digits without quotes",
        f"in.yaml:17: {y}.egress[0]: null is no rule; write {{}} to allow everything, or remove it",
    ]
