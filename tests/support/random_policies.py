"""Random NetworkPolicies as objects of the API, in all spellings, some with fields of later servers."""

import copy
from random import Random
from typing import Any

Object = dict[str, Any]

_KEYS = ("app", "role", "example.com/tier", "kubernetes.io/metadata.name", "x1")
_VALUES = ("db", "web", "", "1", "true", "v1.2_3", "1e3", "y")
_BLOCKS = (("10.0.0.0/8", "10.1.0.0/16", "10.2.0.0/16"), ("172.17.0.0/16", "172.17.1.0/24"), ("fd00::/8", "fd01::/16"))
_PORTS: tuple[Object, ...] = (
    {"port": 80},
    {"port": "http"},
    {"port": 8000, "endPort": 8100},
    {"port": 53, "protocol": "UDP"},
    {"protocol": "SCTP"},
    {"protocol": "TCP", "port": 6379},
    {},
)
_ANY = [{"protocol": protocol, "port": 53} for protocol in ("TCP", "UDP", "SCTP")]


def random_policy(random: Random) -> Object:
    """A valid policy, or one with fields that ovsnp does not know yet."""
    metadata: Object = {"name": f"policy-{random.randrange(100)}"}
    _maybe(random, metadata, "namespace", lambda: random.choice(("default", "shop")))
    _maybe(random, metadata, "labels", lambda: _labels(random))
    _maybe(random, metadata, "annotations", lambda: {"note": random.choice(("a: b # c", "two\nlines\n", " ", "é"))})
    _maybe(random, metadata, "ownerReferences", lambda: [{"kind": "App", "name": "a", "uid": "1", "controller": True}])
    spec: Object = {}
    _maybe(random, spec, "podSelector", lambda: _selector(random), 0.9)
    _maybe(random, spec, "policyTypes", lambda: random.choice((["Ingress"], ["Egress"], ["Egress", "Ingress"], [])))
    for direction, peers in (("ingress", "from"), ("egress", "to")):
        _maybe(random, spec, direction, lambda peers=peers: _list(random, lambda: _rule(random, peers)), 0.7)
    found: Object = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}
    if random.random() < 0.2:
        _add_unknown(random, found)
    return shuffled(random, found)


def random_edit(random: Random, policy: Object) -> Object:
    """A policy with another part in one place, or with parts of another policy."""
    edited, other = copy.deepcopy(policy), random_policy(random)
    if random.random() < 0.3:
        edited["spec"] = other["spec"]
        return edited
    for _ in range(random.randint(1, 3)):
        _edit(random, edited, other)
    return edited


def shuffled(random: Random, value: Any) -> Any:
    """The same value with its keys in another order."""
    if isinstance(value, list):
        return [shuffled(random, item) for item in value]
    if not isinstance(value, dict):
        return value
    keys = list(value)
    if random.random() < 0.5:
        random.shuffle(keys)
    return {key: shuffled(random, value[key]) for key in keys}


def _edit(random: Random, edited: Any, other: Object) -> None:
    """Go down to a random place, and change, remove or add a value there."""
    place: Any = edited
    while True:
        keys = range(len(place)) if isinstance(place, list) else list(place)
        if not keys:
            return
        key = random.choice(keys)
        inner = place[key]
        if isinstance(inner, dict | list) and inner and random.random() < 0.8:
            place = inner
            continue
        break
    match random.randrange(4):
        case 0:
            place[key] = _scalar(random) if not isinstance(inner, dict | list) else shuffled(random, other["spec"])
        case 1 if len(place) > 1 or random.random() < 0.5:
            del place[key]
        case 2 if isinstance(place, list):
            place.insert(random.randint(0, len(place)), copy.deepcopy(random.choice((inner, other["metadata"], 7))))
        case _ if isinstance(place, dict):
            place[f"new{random.randrange(9)}"] = copy.deepcopy(
                random.choice((_scalar(random), other["metadata"], [1, {"a": "b"}]))
            )


def _scalar(random: Random) -> Any:
    return random.choice(
        (1, 65535, True, None, 1.5, "", "text", "a: b", "# no", "two\nlines", "- x", "1e3", "é", "'\"")
    )


def _maybe(random: Random, into: Object, key: str, make: Any, chance: float = 0.5) -> None:
    if random.random() < chance:
        into[key] = make()


def _list(random: Random, make: Any) -> list[Any]:
    return [make() for _ in range(random.choice((0, 1, 1, 2, 3)))]


def _labels(random: Random) -> Object:
    return {random.choice(_KEYS): random.choice(_VALUES) for _ in range(random.randrange(3))}


def _selector(random: Random) -> Object:
    found: Object = {}
    _maybe(random, found, "matchLabels", lambda: _labels(random))
    _maybe(random, found, "matchExpressions", lambda: _list(random, lambda: _expression(random)), 0.2)
    return found


def _expression(random: Random) -> Object:
    if random.random() < 0.5:
        return {"key": random.choice(_KEYS), "operator": random.choice(("Exists", "DoesNotExist"))}
    values = random.sample(_VALUES, random.randint(1, 3))
    return {"key": random.choice(_KEYS), "operator": random.choice(("In", "NotIn")), "values": values}


def _rule(random: Random, peers: str) -> Object:
    found: Object = {}
    _maybe(random, found, peers, lambda: _list(random, lambda: _peer(random)), 0.8)
    _maybe(random, found, "ports", lambda: _ports(random))
    return found


def _ports(random: Random) -> list[Object]:
    found = [dict(random.choice(_PORTS)) for _ in range(random.randrange(3))]
    return [*found, *copy.deepcopy(_ANY)] if random.random() < 0.2 else found


def _peer(random: Random) -> Object:
    if random.random() < 0.4:
        cidr, *inside = random.choice(_BLOCKS)
        block: Object = {"cidr": cidr}
        _maybe(random, block, "except", lambda: random.sample(inside, random.randint(0, len(inside))))
        return {"ipBlock": block}
    found: Object = {}
    _maybe(random, found, "podSelector", lambda: _selector(random))
    if not found or random.random() < 0.5:
        found["namespaceSelector"] = _selector(random)
    return found


def _add_unknown(random: Random, policy: Object) -> None:
    places = [policy, policy["spec"], *policy["spec"].get("ingress", ()), *policy["spec"].get("egress", ())]
    for rule in places[2:]:
        places += [*rule.get("ports", ()), *rule.get("from", ()), *rule.get("to", ())]
    random.choice(places)["later"] = random.choice(("x", {"a": [1]}, None, True))
