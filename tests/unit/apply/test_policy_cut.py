"""Which entries of conntrack are connections that the policies forbid, and which changes may forbid a connection."""

from collections.abc import Mapping
from typing import Any

import pytest

from ovsnp.apply.connection_verdicts import forbidden_among
from ovsnp.apply.judged_objects import JudgedObjects
from ovsnp.apply.open_connection import OpenConnection, read_connection
from ovsnp.manifests import load_objects
from ovsnp.model.changes import Changes, all_objects, changes_between
from ovsnp.model.cluster import Cluster
from ovsnp.model.options import Options
from ovsnp.pipeline.registers import ADMITTED, CARRIED_LABEL, ORIGIN_LABEL, SERVICE_LABEL, Origin
from ovsnp.switch.conntrack import Tracked

DB, WEB, FAR, GATEWAY = "10.20.1.10", "10.20.1.11", "10.20.2.11", "10.20.2.1"
DB6, FAR6, ALIKE6, GATEWAY6 = "fd00:20:1::10", "fd00:20:2::1:0:11", "fd00:20:2::2:0:11", "fd00:20:2::1"
NODES = {"node-1": ("10.20.1.0/24", "fd00:20:1::/64"), "node-2": ("10.20.2.0/24", "fd00:20:2::/64")}
PODS = {
    "db": ("node-1", {"app": "db"}, DB, DB6),
    "web": ("node-1", {"app": "web"}, WEB, "fd00:20:1::11"),
    "far": ("node-2", {"app": "web"}, FAR, FAR6),
    "alike": ("node-2", {"app": "other"}, "10.20.2.12", ALIKE6),
}
NOBODY: dict[str, Any] = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
FROM_WEB: dict[str, Any] = {
    "podSelector": {"matchLabels": {"app": "db"}},
    "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "web"}}}], "ports": [{"port": 80}]}],
}
TO_CLUSTER_IP: dict[str, Any] = {
    "podSelector": {"matchLabels": {"app": "web"}},
    "policyTypes": ["Egress"],
    "egress": [{"to": [{"ipBlock": {"cidr": "10.96.0.0/16"}}]}],
}

PLAIN = Options(node="node-1")


def made(kind: str, name: str, spec: Mapping[str, object], labels: Mapping[str, str], **more: object) -> dict[str, Any]:
    version = "networking.k8s.io/v1" if kind == "NetworkPolicy" else "v1"
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "labels": labels}, "spec": spec, **more}


def cluster(*policies: Mapping[str, object], web: str = "web") -> Cluster:
    objects = [made("Namespace", "default", {}, {})]
    for number, (name, cidrs) in enumerate(NODES.items(), 1):
        status = {"addresses": [{"type": "InternalIP", "address": f"192.168.50.{number}"}]}
        objects.append(made("Node", name, {"podCIDRs": list(cidrs)}, {}, status=status))
    for name, (node, labels, *addresses) in PODS.items():
        status = {"phase": "Running", "podIPs": [{"ip": each} for each in addresses]}
        spec = {"nodeName": node, "containers": [{"name": "main"}]}
        objects.append(made("Pod", name, spec, {"app": web} if name == "web" else labels, status=status))
    service = {"clusterIPs": ["10.96.0.10"], "ports": [{"port": 8000, "targetPort": 80}], "selector": {"app": "db"}}
    objects.append(made("Service", "front", service, {}))
    objects += [made("NetworkPolicy", f"policy-{number}", spec, {}) for number, spec in enumerate(policies)]
    return load_objects(objects)


def tracked(
    source: str,
    server: str,
    port: int = 80,
    *,
    protocol: str = "tcp",
    front: str = "",
    origin: Origin = Origin.POD,
    carried: int = 0,
    admitted: bool = True,
) -> Tracked:
    label = admitted << ADMITTED.lsb | bool(front) << SERVICE_LABEL.lsb
    label |= origin << ORIGIN_LABEL.lsb | carried << CARRIED_LABEL.lsb
    ports = "id=1,type=8,code=0" if protocol == "icmp" else f"sport=4,dport={8000 if front else port}"
    back = "id=1,type=0,code=0" if protocol == "icmp" else f"sport={port},dport=4"
    return Tracked(protocol, source, front or server, ports, server, source, back, "", f"{label:x}")


def forbids(entry: Tracked, *policies: Mapping[str, object], options: Options = PLAIN) -> bool:
    objects = JudgedObjects()
    objects.update(Changes(came=all_objects(cluster(*policies))))
    connection = read_connection(entry)
    assert connection
    return forbidden_among({connection}, objects, options) == {connection}


TUNNEL = Origin.TUNNEL


@pytest.mark.parametrize(
    ("entry", "forbidden"),
    [
        (tracked(WEB, DB), False),
        (tracked(WEB, DB, 81), True),
        (tracked(WEB, DB, protocol="udp"), True),
        (tracked(WEB, DB, protocol="icmp"), True),
        (tracked(WEB, DB, protocol="47"), True),
        (tracked(DB, WEB, 81), False),
        (tracked(WEB, DB, front="10.96.0.10"), False),
        (tracked(DB, DB), False),
        (tracked(DB, DB, front="10.96.0.10"), True),
        (tracked("10.20.1.1", DB, 81, origin=Origin.GATEWAY), False),
        (tracked("192.168.50.2", DB, 81, origin=TUNNEL), False),
        (tracked("198.51.100.1", DB, origin=Origin.GATEWAY), True),
        (tracked(FAR, DB, origin=TUNNEL), False),
        (tracked("10.20.2.12", DB, origin=TUNNEL), True),
        (tracked(GATEWAY, DB, origin=TUNNEL, carried=0x0A14020B), False),
        (tracked(GATEWAY, DB, origin=TUNNEL, carried=0x0A14020C), True),
        (tracked(GATEWAY, DB, origin=TUNNEL, carried=0x0A140263), True),
        (tracked(GATEWAY, DB, 81, origin=TUNNEL), False),
        (tracked(FAR6, DB6, origin=TUNNEL, carried=0x11), False),
        (tracked(GATEWAY6, DB6, origin=TUNNEL, carried=0x11), True),
        (tracked(GATEWAY6, DB6, origin=TUNNEL, carried=0x99), True),
        (tracked(GATEWAY6, DB6, 81, origin=TUNNEL), False),
    ],
)
def test_what_the_server_accepts(entry: Tracked, forbidden: bool) -> None:
    assert forbids(entry, FROM_WEB) == forbidden
    assert not forbids(entry)


def test_addresses_outside_are_told_apart_by_blocks() -> None:
    block = {"cidr": "198.51.100.0/24", "except": ["198.51.100.64/26", "198.51.100.8/32"]}
    admitting = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "ingress": [{"from": [{"ipBlock": block}]}],
                 "egress": [{"to": [{"ipBlock": block}]}]}  # fmt: skip
    objects = JudgedObjects()
    objects.update(Changes(came=all_objects(cluster(admitting))))
    allowed = {f"198.51.100.{host}" for host in range(256) if host != 8 and host // 64 != 1}
    others = {f"198.51.{net}.{host}" for net in (99, 100, 101) for host in range(256)} - allowed
    for ends in (lambda outside: (outside, DB), lambda outside: (DB, outside)):
        asked = {read_connection(tracked(*ends(each), origin=Origin.GATEWAY)): each for each in (*allowed, *others)}
        found = forbidden_among([each for each in asked if each], objects, PLAIN)
        assert {asked[each] for each in found} == others


def test_strict_nodes_are_judged_by_their_address() -> None:
    strict = Options(node="node-1", strict_nodes=True)
    assert forbids(tracked("192.168.50.2", DB, origin=TUNNEL), FROM_WEB, options=strict)
    assert not forbids(tracked("192.168.50.1", DB, 81, origin=Origin.GATEWAY), FROM_WEB, options=strict)


def test_a_block_may_hold_the_cluster_ip_which_only_the_clients_node_knows() -> None:
    blocks = Options(node="node-1", service_blocks=True)
    assert forbids(tracked(WEB, DB, front="10.96.0.10"), TO_CLUSTER_IP)
    assert not forbids(tracked(WEB, DB, front="10.96.0.10"), TO_CLUSTER_IP, options=blocks)
    assert forbids(tracked(WEB, DB), TO_CLUSTER_IP, options=blocks)
    assert not forbids(tracked(FAR, DB, origin=TUNNEL, carried=0x0A14020B), TO_CLUSTER_IP, options=blocks)
    assert forbids(tracked(FAR, DB, origin=TUNNEL, carried=0x0A14020B), TO_CLUSTER_IP)


@pytest.mark.parametrize("entry", [tracked(WEB, DB, admitted=False), tracked(WEB, DB, 0, protocol="sctp")])
def test_entries_that_let_nothing_pass_unjudged(entry: Tracked) -> None:
    assert read_connection(entry) is None


def test_sctp_with_ports() -> None:
    assert forbids(tracked(WEB, DB, protocol="sctp"), FROM_WEB)


@pytest.mark.parametrize(
    ("before", "after", "may_forbid"),
    [
        (cluster(), cluster(FROM_WEB), True),
        (cluster(FROM_WEB), cluster(NOBODY), True),
        (cluster(FROM_WEB), cluster(), True),
        (cluster(FROM_WEB), cluster(FROM_WEB, web="other"), True),
        (cluster(FROM_WEB), cluster(FROM_WEB), False),
    ],
)
def test_changes_that_may_forbid(before: Cluster, after: Cluster, may_forbid: bool) -> None:
    objects, fresh = JudgedObjects(), JudgedObjects()
    objects.update(Changes(came=all_objects(before)))
    assert objects.update(changes_between(before, after)) == may_forbid
    fresh.update(Changes(came=all_objects(after)))
    connections = [read_connection(tracked(WEB, DB)), read_connection(tracked(FAR, DB, front="10.96.0.10"))]
    named: list[OpenConnection] = [each for each in connections if each]
    assert objects.part(named) == fresh.part(named)


def test_pods_that_come_and_go_forbid_nothing() -> None:
    whole = cluster(NOBODY)
    objects = JudgedObjects()
    objects.update(Changes(came=all_objects(whole)))
    less = changes_between(whole, load_objects([]))
    assert not objects.update(Changes(went=type(less.went)(pods=less.went.pods)))
    assert not objects.update(Changes(came=type(less.went)(pods=less.went.pods)))
