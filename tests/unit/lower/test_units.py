"""A change rebuilds only the units that it concerns, and the result of an update is only the difference."""

from collections.abc import Callable, Iterable

import pytest

from ovsnp.compiler import Compilation
from ovsnp.flows.changes import FlowChanges
from ovsnp.flows.store import FlowStore
from ovsnp.flows.units import Unit, UnitChanges
from ovsnp.model.bridge import BridgePort, BridgePorts
from ovsnp.model.changes import Changes, Objects, all_objects
from ovsnp.model.options import Options
from ovsnp.model.policy import Direction, PodPeer, Rule
from ovsnp.model.ports import PortEntry, Protocol
from ovsnp.pipeline import numbers
from tests.support.model_objects import (
    EVERYTHING,
    cluster,
    endpoint,
    endpoints,
    labelled,
    namespace,
    node,
    pod,
    pods,
    policy,
    port,
    service,
)

HTTP = PortEntry(Protocol.TCP, 80)
FROM_WEB = policy("default/from-web", labelled(app="db"), ingress=[Rule((pods(labelled(app="web")),), (HTTP,))])
FROM_RED = policy(
    "default/from-red", labelled(app="db"), ingress=[Rule((pods(namespaces=labelled(team="red")),), (HTTP,))]
)
TO_DB = policy("default/to-db", labelled(app="web"), egress=[Rule((pods(labelled(app="db")),), (HTTP,))])
WEB, DB = pod("default/web", "10.0.0.2", app="web"), pod("default/db", "10.0.0.3", app="db")
FAR, RED = pod("default/far", "10.0.1.2", on="node-1", app="web"), pod("red/any", "10.0.1.3", on="node-1")
STATE = cluster(
    node("node-0", "172.16.0.10", "10.0.0.0/24"),
    node("node-1", "172.16.0.11", "10.0.1.0/24"),
    namespace("default"),
    namespace("red", team="red"),
    WEB,
    DB,
    FAR,
    RED,
    FROM_WEB,
    FROM_RED,
    TO_DB,
    service("default/db", "10.96.0.1", ports=[port(80, 80)]),
    service("default/web", "10.96.0.2", ports=[port(80, 80)]),
    endpoints("default/db", 80, endpoint("10.0.0.3")),
    endpoints("default/web", 80, endpoint("10.0.0.2")),
)
PORTS = BridgePorts(
    1,
    BridgePort(2, 2),
    {"default/web": BridgePort(10, 10), "default/db": BridgePort(11, 11), "default/new": BridgePort(12, 12)},
)


class Bridge:
    """A compilation of `STATE`, and the units of each later update."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made: list[Unit] = []
        self.compilation = Compilation(Options(node="node-0"))
        self.compilation.update(Changes(all_objects(STATE), ports=PORTS))
        update: Callable[[FlowStore, UnitChanges], FlowChanges] = FlowStore.update

        def watched(store: FlowStore, changes: UnitChanges) -> FlowChanges:
            self.made += changes.flows
            return update(store, changes)

        monkeypatch.setattr(FlowStore, "update", watched)


@pytest.fixture
def bridge(monkeypatch: pytest.MonkeyPatch) -> Bridge:
    return Bridge(monkeypatch)


def kinds(units: Iterable[Unit]) -> list[str]:
    """The kinds and names of units; a pod has one unit for each direction beside its own."""
    return sorted({" ".join(str(part) for part in unit[:2]) for unit in units})


def slots(told: FlowChanges) -> list[str]:
    return sorted(f"{flow.table} {flow.match}" for flow in (*told.added, *told.changed, *told.deleted))


def test_pod_that_no_rule_mentions_makes_nothing(bridge: Bridge) -> None:
    told = bridge.compilation.update(Changes(Objects(pods=(pod("default/x", "10.0.1.9", on="node-1", app="x"),))))
    assert (bridge.made, bool(told)) == ([], False)


def test_policy_that_selects_no_local_pod_makes_nothing(bridge: Bridge) -> None:
    told = bridge.compilation.update(
        Changes(Objects(policies=(policy("red/deny"), policy("default/x", labelled(app="x")))))
    )
    assert (bridge.made, bool(told)) == ([], False)


def test_pod_elsewhere_makes_one_prefix(bridge: Bridge) -> None:
    told = bridge.compilation.update(Changes(Objects(pods=(pod("default/more", "10.0.1.4", on="node-1", app="web"),))))
    assert kinds(bridge.made) == ["IngressPeer 10.0.1.4/32"]
    assert slots(told) == ["IngressPeer ip,nw_src=10.0.1.4"]
    told = bridge.compilation.update(Changes(went=Objects(pods=(FAR,))))
    assert kinds(bridge.made) == ["IngressPeer 10.0.1.2/32", "IngressPeer 10.0.1.4/32"]
    assert slots(told) == ["IngressPeer ip,nw_src=10.0.1.2"]


def test_local_pod_makes_its_own_flows_and_those_of_its_subject(bridge: Bridge) -> None:
    told = bridge.compilation.update(Changes(Objects(pods=(pod("default/new", "10.0.0.4", app="web"),))))
    of_rules = {unit for unit in bridge.made if unit[0] in ("EgressRule", "IngressRule")}
    assert kinds({*bridge.made} - of_rules) == ["IngressPeer 10.0.0.4/32", "pod default/new"]
    assert "default/from-web" not in " ".join(kinds(of_rules))
    # The note of the subject changes, but no flow of a rule does.
    assert {flow.table for flow in told.added} == {"Origin", "AddressResolution", "Forward", "Output", "IngressPeer"}
    assert told.changed == told.deleted == ()
    text = [str(flow.note) for flow in bridge.compilation.program().flows if flow.table == "EgressRule"]
    assert "subject default/new, default/web" in text


def test_policy_makes_only_the_flows_with_the_subject_numbers_of_its_pods(bridge: Bridge) -> None:
    to_web = policy("default/to-web", labelled(app="web"), ingress=[Rule((), (HTTP,))])
    bridge.compilation.update(Changes(Objects(policies=(to_web,))))
    assert [unit for unit in bridge.made if unit[0] == "pod"] == [("pod", "default/web", Direction.INGRESS)]


def test_namespace_that_is_selected_no_longer_takes_its_pods_with_it(bridge: Bridge) -> None:
    told = bridge.compilation.update(Changes(Objects(namespaces=(namespace("red", team="blue"),))))
    assert "IngressPeer ip,nw_src=10.0.1.3" in slots(told)
    assert {unit[0] for unit in bridge.made} == {"IngressPeer", "IngressRule"}


def test_endpoint_makes_the_ports_of_its_service(bridge: Bridge) -> None:
    item = endpoints("default/web", 80, endpoint("10.0.0.2"), endpoint("10.0.1.2", on="node-1"))
    told = bridge.compilation.update(Changes(Objects(slices=(item,))))
    assert kinds(bridge.made) == ["Service default/web"]
    assert (told.added, told.changed, told.deleted) == ((), (), ())
    assert [group.service for group in told.groups_changed] == ["default/web"]


def test_node_makes_its_own_flows_and_the_guard_on_pods_addresses(bridge: Bridge) -> None:
    bridge.compilation.update(Changes(Objects(nodes=(node("node-2", "172.16.0.12", "10.0.9.0/24"),))))
    assert kinds(bridge.made) == ["always pods' sources", "node node-2"]


def test_port_that_has_another_number_makes_its_pod(bridge: Bridge) -> None:
    ports = BridgePorts(1, BridgePort(2, 2), {**PORTS.pods, "default/web": BridgePort(20, 10)})
    bridge.compilation.update(Changes(ports=ports))
    assert kinds(bridge.made) == ["pod default/web"]


def test_same_objects_again_make_nothing_that_differs(bridge: Bridge) -> None:
    assert not bridge.compilation.update(Changes(all_objects(STATE), ports=PORTS))


def test_every_pod_as_a_peer_costs_no_flow_a_pod(bridge: Bridge) -> None:
    everyone = policy("default/all", labelled(app="db"), ingress=[Rule((PodPeer(None, EVERYTHING),))])
    told = bridge.compilation.update(Changes(Objects(policies=(everyone,))))
    assert "IngressPeer ip,nw_src=10.0.0.0/23" in slots(told)
    bridge.made.clear()
    assert not bridge.compilation.update(
        Changes(Objects(pods=(pod("default/more", "10.0.0.77", on="node-1", app="x"),)))
    )


def test_group_that_another_pushed_along_gets_its_own_number_when_that_one_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All names hash to one number; the change does not touch Service default/web itself."""
    monkeypatch.setattr(numbers, "_hash", lambda name, limit: 7)
    bridge = Bridge(monkeypatch)
    before = {group.service: group.id for group in bridge.compilation.program().groups}
    gone = next(each for each in STATE.services if each.name == "db")
    told = bridge.compilation.update(Changes(went=Objects(services=(gone,))))
    assert before == {"default/db": 7, "default/web": 8}
    assert [(group.service, group.id) for group in told.groups_changed] == [("default/web", 7)]
    assert [group.id for group in told.groups_deleted] == [8]
    assert [flow.actions_text for flow in told.changed] == ["group:7"]
    assert kinds(bridge.made) == ["Service default/db", "Service default/web", "always service CIDRs"]
