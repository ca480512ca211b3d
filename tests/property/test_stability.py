"""The flows do not depend on the order or notation of the input, and a change of the input changes few of them."""

import copy
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from random import Random

import msgspec
import pytest
import yaml

from ovsnp.compiler import compile_cluster, local_pods
from ovsnp.flows.action import Conjunction, SetField
from ovsnp.flows.flow import Flow
from ovsnp.manifests import load_objects
from ovsnp.model.address import Prefix, host_prefix
from ovsnp.model.bridge import BridgePorts
from ovsnp.model.cluster import Cluster
from ovsnp.model.options import Options
from ovsnp.model.policy import Direction
from ovsnp.pipeline import fields as f
from ovsnp.pipeline import registers as r
from ovsnp.pipeline.fields import Field
from ovsnp.render import bundle_line
from tests.support.applying import ovsnp
from tests.support.clusters import Object, random_cluster
from tests.support.resolved import resolved
from tests.support.traced import offline_ports

SEEDS = range(80)
NODE = "node-0"
RULES = {"EgressRule": r.EGRESS_SUBJECT, "IngressRule": r.INGRESS_SUBJECT}
PEERS = {"EgressPeer": r.EGRESS_PEER, "IngressPeer": r.INGRESS_PEER}
SIDES = {
    Direction.EGRESS: ("EgressPeer", "EgressRule", r.EGRESS_SUBJECT, r.EGRESS_PEER, f.IP_DST),
    Direction.INGRESS: ("IngressPeer", "IngressRule", r.INGRESS_SUBJECT, r.INGRESS_PEER, f.IP_SRC),
}


def flows_of(cluster: Cluster, ports: BridgePorts, options: Options = Options(node=NODE)) -> list[Flow]:  # noqa: B008
    return list(compile_cluster(cluster, ports, options).flows)


def ports_of(cluster: Cluster) -> BridgePorts:
    return offline_ports(local_pods(cluster, NODE))


def shown(flows: Iterable[Flow]) -> set[str]:
    """The flows as lines, with their notes and rules."""
    return {f"{bundle_line(flow)} # {flow.note} {flow.rules}" for flow in flows}


# Order and notation


@pytest.fixture
def no_open_vswitch(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`compile` finds no database of Open vSwitch, even if one runs on this machine."""
    monkeypatch.setenv("OVS_RUNDIR", str(tmp_path / "none"))
    monkeypatch.chdir(tmp_path)


def as_yaml(objects: list[Object]) -> str:
    return yaml.safe_dump_all(objects, sort_keys=False)


def as_list(objects: list[Object]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})


def as_json_documents(objects: list[Object]) -> str:
    return "\n---\n".join(map(json.dumps, objects))


def reordered(value: object, random: Random) -> object:
    """The same object with the keys of its mappings in another order."""
    if isinstance(value, dict):
        return {key: reordered(value[key], random) for key in random.sample(sorted(value), len(value))}
    return [reordered(item, random) for item in value] if isinstance(value, list) else value


def ports_file(objects: list[Object]) -> list[str]:
    """Arguments for `compile`: none, or a ports file where a pod has no IPv4 address to derive a MAC address from."""
    pods = local_pods(load_objects(objects), NODE)
    if all(any(len(address) == 4 for address in pod.addresses) for pod in pods):
        return []
    lines = [f'{pod.key}: {{ofport: {index}, mac: "02:00:00:00:00:{index:02x}"}}' for index, pod in enumerate(pods, 9)]
    own = ["ovsnp-tun0: {ofport: 1}", 'ovsnp-gw0: {ofport: 2, mac: "02:00:00:00:00:02"}']
    Path("ports.yaml").write_text("\n".join((*own, *lines)))
    return ["--ports", "ports.yaml"]


def compiled(directory: Path, output: str, *more: str) -> str:
    answer = ovsnp("compile", "-f", directory, "--node", NODE, "-o", output, *more)
    assert answer.code == 0, answer
    return answer.out


@pytest.mark.usefixtures("no_open_vswitch")
@pytest.mark.parametrize("seed", range(24))
@pytest.mark.parametrize("output", ["text", "json"])
def test_shuffled_input_in_any_notation_gives_the_same_bytes(tmp_path: Path, seed: int, output: str) -> None:
    random = Random(seed)
    objects = random_cluster(random)
    (tmp_path / "once").mkdir()
    (tmp_path / "once" / "all.json").write_text(as_list(objects))
    more = ports_file(objects)
    expected = compiled(tmp_path / "once", output, *more)
    notations: list[tuple[str, Callable[[list[Object]], str]]] = [
        ("json", as_list),
        ("yaml", as_yaml),
        ("yaml", as_list),
        ("yml", as_json_documents),
    ]
    for number, (suffix, write) in enumerate(notations):
        directory = tmp_path / str(number)
        (directory / "deeper").mkdir(parents=True)
        shuffled = [reordered(each, random) for each in random.sample(objects, len(objects))]
        cut = random.randrange(len(shuffled))
        (directory / f"b.{suffix}").write_text(write(shuffled[:cut]))
        (directory / "deeper" / f"a.{suffix}").write_text(write(shuffled[cut:]))
        assert compiled(directory, output, *more) == expected


@pytest.mark.parametrize("seed", SEEDS)
def test_order_within_lists_that_mean_sets_changes_no_flow_but_of_rules_places(seed: int) -> None:
    random = Random(seed)
    objects = random_cluster(random)
    changed = copy.deepcopy(objects)
    for spec in (each["spec"] for each in changed if each["kind"] == "NetworkPolicy"):
        for rule in [*(spec.get("ingress") or ()), *(spec.get("egress") or ())]:
            for name in ("from", "to", "ports"):
                random.shuffle(rule.get(name) or [])
    before, after = load_objects(objects), load_objects(changed)
    assert shown(flows_of(before, ports_of(before))) == shown(flows_of(after, ports_of(after)))


# One more policy


class Added:
    """A cluster's flows without and with its last policy, and the local pods and the prefixes of that policy."""

    def __init__(self, objects: list[Object], cluster: Cluster) -> None:
        self.name = objects[-1]["metadata"]["name"]
        ports = ports_of(cluster)
        self.before = flows_of(load_objects(objects[:-1]), ports)
        self.after = flows_of(cluster, ports)
        self.pods: dict[Direction, set[str]] = {}
        self.prefixes: dict[Direction, set[Prefix]] = {}
        self.numbers: set[int] = set()
        others = resolved(load_objects(objects[:-1]), Options(node=NODE))
        for direction, rule_set in resolved(cluster, Options(node=NODE)).items():
            rules = [rule for rule in rule_set.rules if rule.ref.policy == self.name]
            self.pods[direction] = {pod for rule in rules for pod in rule.subjects} | (
                {*rule_set.isolated} - {*others[direction].isolated}
            )
            sets = [rule.peers for rule in rules if rule.peers]
            self.prefixes[direction] = {
                *(host_prefix(address) for peers in sets for address in peers.addresses),
                *(block.cidr for peers in sets for block in peers.blocks),
            }
        self.numbers = {
            _value(flow, f.CONJ_ID) for flow in self.after if self._is_mine(flow) and _value(flow, f.CONJ_ID)
        }

    def _is_mine(self, flow: Flow) -> bool:
        return bool(flow.rules) and all(ref.policy == self.name for ref in flow.rules)

    def others_part(self, flow: Flow) -> Flow | None:
        """A flow of the rule tables without the policy's part in it; None if the flow belongs to the policy alone."""
        if self._is_mine(flow):
            return None
        actions = tuple(
            each for each in flow.actions if not (isinstance(each, Conjunction) and each.id in self.numbers)
        )
        refs = tuple(ref for ref in flow.rules if ref.policy != self.name)
        return msgspec.structs.replace(flow, actions=actions, rules=refs)

    def within(self, direction: Direction, prefix: Prefix) -> bool:
        """True if the policy's peers hold all of a prefix."""
        return any(each.contains(prefix) for each in self.prefixes[direction])


def _value(flow: Flow, field: Field) -> int:
    return next((term.value for term in flow.match.terms if term.field is field), 0)


def _prefix(flow: Flow, address: dict[int, Field]) -> Prefix:
    (term,) = flow.match.terms
    (family,) = [family for family, field in address.items() if field is term.field]
    return Prefix(family, term.value, term.mask.bit_count())


def changes(before: Iterable[Flow], after: Iterable[Flow]) -> Iterator[tuple[Flow, bool]]:
    """The flows that are on one side only, each with True if that is the new side."""
    first, second = ({bundle_line(flow): flow for flow in flows} for flows in (before, after))
    yield from ((first[line], False) for line in first.keys() - second.keys())
    yield from ((second[line], True) for line in second.keys() - first.keys())


def in_table(flows: Iterable[Flow], *names: str) -> list[Flow]:
    return [flow for flow in flows if flow.table in names]


@pytest.fixture(params=[seed for seed in SEEDS if random_cluster(Random(seed))[-1]["kind"] == "NetworkPolicy"])
def added(request: pytest.FixtureRequest) -> Added:
    """A cluster to which its last policy is added."""
    objects = random_cluster(Random(request.param))
    return Added(objects, load_objects(objects))


def test_another_policy_leaves_all_but_policy_tables_as_they_are_but_for_its_subjects(added: Added) -> None:
    subjects = set().union(*added.pods.values())
    policy_tables = {name for side in SIDES.values() for name in side[:2]}
    for flow, _ in changes(added.before, added.after):
        if flow.table not in policy_tables:
            assert flow.table in ("Origin", "Forward")
            assert {*flow.note.names} <= subjects


def test_another_policy_changes_identities_only_of_its_peers_addresses(added: Added) -> None:
    for direction, (table, _, _, _, address) in SIDES.items():
        for flow, _ in changes(in_table(added.before, table), in_table(added.after, table)):
            assert added.within(direction, _prefix(flow, address))


def test_another_policy_leaves_rules_alone_whose_subjects_and_peers_are_others(added: Added) -> None:
    """A flow of the rule tables, without the new policy's part, changes only if it matches a subject that the policy
    selects, or an identity of addresses that the policy's peers hold."""
    for direction, (peers, table, subject, peer, address) in SIDES.items():
        before = in_table(added.before, table)
        after = [rest for flow in in_table(added.after, table) if (rest := added.others_part(flow))]
        for flow, is_new in changes(before, after):
            program = added.after if is_new else added.before
            if _value(flow, subject):
                assert {*flow.note.names} & added.pods[direction]
            else:
                entries = [each for each in in_table(program, peers) if _number(each) == _value(flow, peer)]
                assert _value(flow, peer)
                assert any(added.within(direction, _prefix(entry, address)) for entry in entries)


def _number(entry: Flow) -> int:
    (action,) = entry.actions
    assert isinstance(action, SetField)
    return action.value


# One more pod

_CONTAINERS = {"containers", "initContainers"}


def _nodes(objects: list[Object]) -> list[str]:
    return [each["metadata"]["name"] for each in objects if each["kind"] == "Node"]


SEVERAL_NODES = [seed for seed in SEEDS if len(_nodes(random_cluster(Random(seed)))) > 1]


def _key(pod: Object) -> str:
    return f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"


def new_pod(random: Random, objects: list[Object], node: str) -> Object:
    """A copy of an existing pod at free addresses; on this node, a copy of a pod on this node.

    The first local pod that a policy selects adds the policy's rules and their peers, which is more than one more peer.
    """
    nodes = {each["metadata"]["name"]: each for each in objects if each["kind"] == "Node"}
    here = {pod.key for pod in local_pods(load_objects(objects), node)} if node == NODE else None
    pods = [each for each in objects if each["kind"] == "Pod"]
    model = random.choice([each for each in pods if here is None or _key(each) in here])
    cidrs = [cidr.partition("/")[0] for cidr in nodes[node]["spec"]["podCIDRs"]]
    addresses = [cidr.removesuffix("0") + "12" if "." in cidr else cidr + "12" for cidr in cidrs]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**model["metadata"], "name": "new"},
        "spec": {**{key: model["spec"][key] for key in _CONTAINERS & model["spec"].keys()}, "nodeName": node},
        "status": {"phase": "Running", "podIPs": [{"ip": address} for address in addresses]},
    }


@pytest.mark.parametrize("seed", SEVERAL_NODES)
def test_another_pod_changes_at_most_one_flow_an_address_in_each_peer_table(seed: int) -> None:
    random = Random(seed)
    objects = random_cluster(random)
    node = random.choice(_nodes(objects) if local_pods(load_objects(objects), NODE) else _nodes(objects)[1:])
    pod = new_pod(random, objects, node)
    cluster = load_objects([*objects, pod])
    ports = ports_of(cluster)
    before, after = flows_of(load_objects(objects), ports), flows_of(cluster, ports)
    for table in PEERS:
        slots = {flow.slot for flow, _ in changes(in_table(before, table), in_table(after, table))}
        assert len(slots) <= len(pod["status"]["podIPs"])
    if node != NODE:
        assert {flow.table for flow, _ in changes(before, after)} <= {*PEERS, *RULES}


@pytest.mark.parametrize("seed", SEVERAL_NODES)
def test_replica_on_another_node_changes_no_rule_that_was_there(seed: int) -> None:
    random = Random(seed)
    objects = random_cluster(random)
    first = new_pod(random, objects, _nodes(objects)[1])
    second = copy.deepcopy(first)
    second["metadata"]["name"] = "newer"
    for entry in second["status"]["podIPs"]:
        entry["ip"] = entry["ip"].removesuffix("12") + "11"
    cluster = load_objects([*objects, first, second])
    ports = ports_of(cluster)
    before, after = flows_of(load_objects([*objects, first]), ports), flows_of(cluster, ports)
    for flow, is_new in changes(in_table(before, *RULES), in_table(after, *RULES)):
        assert is_new
        assert _value(flow, r.EGRESS_PEER) or _value(flow, r.INGRESS_PEER)
