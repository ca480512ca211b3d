"""Connections through a Service: the backends, and the ends that policy judges (docs/semantics.md)."""

from ovsnp.model.policy import Direction, Rule
from ovsnp.model.ports import PortEntry, Protocol
from ovsnp.model.service import Service
from ovsnp.oracle import Exemption, judge, who
from tests.support.model_objects import (
    addresses,
    block,
    cluster,
    endpoint,
    endpoints,
    labelled,
    node,
    pod,
    pods,
    policy,
    port,
    service,
    tcp,
    through,
    udp,
)

OWN = node("node-0", "172.16.0.10", "10.0.0.0/24")
OTHER = node("node-1", "172.16.0.11", "10.0.1.0/24")
CLIENT = pod("default/client", "10.0.0.9", app="client")
NEAR = pod("default/near", "10.0.0.2", "fd00::2", app="web", ports=[("http", Protocol.TCP, 8080)])
FAR = pod("default/far", "10.0.1.2", on="node-1", app="web", ports=[("http", Protocol.TCP, 9090)])
PODS = (OWN, OTHER, CLIENT, NEAR, FAR)
CLUSTER_IP = "10.96.0.1"


def web(**choices: bool) -> Service:
    return service("default/web", CLUSTER_IP, "fd00:96::1", ports=[port(80, "http")], app="web", **choices)


def test_pods_that_the_selector_selects_serve_at_the_port_that_each_calls_so() -> None:
    state = cluster(*PODS, web(), pod("default/nameless", "10.0.0.3", app="web"))
    assert through(state, "10.0.0.9", CLUSTER_IP) == {"10.0.0.2 8080": True, "10.0.1.2 9090": True}


def test_a_name_is_of_a_protocol() -> None:
    both = pod("default/both", "10.0.0.3", app="dns", ports=[("dns", Protocol.TCP, 54), ("dns", Protocol.UDP, 53)])
    ports = [port(53, "dns", "tcp"), port(53, "dns", "udp", Protocol.UDP)]
    state = cluster(*PODS, both, service("default/dns", CLUSTER_IP, ports=ports, app="dns"))
    assert through(state, "10.0.0.9", CLUSTER_IP, tcp(53)) == {"10.0.0.3 54": True}
    assert through(state, "10.0.0.9", CLUSTER_IP, udp(53)) == {"10.0.0.3 53": True}


def test_backends_are_of_the_family_of_the_cluster_ip() -> None:
    state = cluster(*PODS, web(), pod("default/v6", "fd00::9"))
    assert through(state, "fd00::9", "fd00:96::1") == {"fd00::2 8080": True}


def test_another_namespaces_pods_do_not_serve() -> None:
    stranger = pod("other/web", "10.0.0.4", app="web", ports=[("http", Protocol.TCP, 8080)])
    assert "10.0.0.4 8080" not in through(cluster(*PODS, web(), stranger), "10.0.0.9", CLUSTER_IP)


def test_local_means_the_clients_own_node() -> None:
    state = cluster(*PODS, web(local=True), pod("default/there", "10.0.1.9", on="node-1"))
    assert through(state, "10.0.0.9", CLUSTER_IP) == {"10.0.0.2 8080": True}
    assert through(state, "10.0.1.9", CLUSTER_IP) == {"10.0.1.2 9090": True}
    assert through(state, "172.16.0.11", CLUSTER_IP) == {"10.0.1.2 9090": True}


def test_without_nodes_every_endpoint_is_local() -> None:
    client = pod("default/client", "10.0.0.9", on=None)
    listed = endpoints("default/web", 8080, endpoint("10.0.0.2", "somewhere"))
    state = cluster(client, service("default/web", CLUSTER_IP, ports=[port(80, 80)], local=True), listed)
    assert through(state, "10.0.0.9", CLUSTER_IP) == {"10.0.0.2 8080": True}


def test_slices_count_more_than_the_selector() -> None:
    state = cluster(*PODS, web(), endpoints("default/web", 7070, endpoint("192.0.2.7")))
    assert through(state, "10.0.0.9", CLUSTER_IP) == {"192.0.2.7 7070": True}
    assert through(cluster(*PODS, web(), endpoints("default/web", 7070)), "10.0.0.9", CLUSTER_IP) == {}


def test_a_slices_port_is_that_of_the_same_name() -> None:
    listed = endpoints("default/web", 7070, endpoint("10.0.0.2"), name="admin")
    assert through(cluster(*PODS, web(), listed), "10.0.0.9", CLUSTER_IP) == {}


def test_ready_endpoints_serve_and_only_without_them_those_that_end() -> None:
    ending = endpoint("10.0.0.2", ready=False)
    done = endpoint("10.0.0.3", ready=False, serving=False)
    ready = endpoint("10.0.1.2", "node-1")
    state = cluster(*PODS, web(), endpoints("default/web", 80, ending, done, ready))
    assert through(state, "10.0.0.9", CLUSTER_IP) == {"10.0.1.2 80": True}
    state = cluster(*PODS, web(), endpoints("default/web", 80, ending, done))
    assert through(state, "10.0.0.9", CLUSTER_IP) == {"10.0.0.2 80": True}
    state = cluster(*PODS, web(local=True), endpoints("default/web", 80, ending, done, ready))
    assert through(state, "10.0.0.9", CLUSTER_IP) == {"10.0.0.2 80": True}


def test_other_addresses_and_ports_are_nobodys() -> None:
    state = cluster(*PODS, web())
    assert through(state, "10.0.0.9", CLUSTER_IP, tcp(81)) == {}
    assert through(state, "10.0.0.9", CLUSTER_IP, udp(80)) == {}
    assert through(state, "10.0.0.9", "10.96.0.2") == {}


def test_each_backend_is_judged_on_the_client_and_the_target_port() -> None:
    to_near = policy(
        "default/near",
        labelled(app="web"),
        ingress=[Rule((pods(labelled(app="client")),), (PortEntry(Protocol.TCP, 8080),))],
    )
    state = cluster(*PODS, web(), to_near)
    assert through(state, "10.0.0.9", CLUSTER_IP) == {"10.0.0.2 8080": True, "10.0.1.2 9090": False}


def test_the_cluster_ip_and_its_port_are_not_looked_at() -> None:
    out = policy(
        "default/out",
        labelled(app="client"),
        types=[Direction.EGRESS],
        egress=[Rule((block(f"{CLUSTER_IP}/32"),), (PortEntry(Protocol.TCP, 80),))],
    )
    assert not any(through(cluster(*PODS, web(), out), "10.0.0.9", CLUSTER_IP).values())


def test_a_pod_that_reaches_itself_through_a_service_is_judged() -> None:
    deny = policy("default/deny", types=[Direction.INGRESS])
    state = cluster(*PODS, web(), deny)
    itself = who(state, addresses("10.0.0.2")[0])
    assert judge(state, itself, itself, tcp(8080)).ingress.exempt is Exemption.SELF
    assert through(state, "10.0.0.2", CLUSTER_IP)["10.0.0.2 8080"] is False
    allow = policy("default/allow", ingress=[Rule((pods(labelled(app="web")),))])
    assert through(cluster(*PODS, web(), deny, allow), "10.0.0.2", CLUSTER_IP)["10.0.0.2 8080"] is True


def test_a_backend_that_is_a_node_is_reached_like_the_node() -> None:
    deny = policy("default/deny", types=list(Direction))
    listed = endpoints("default/web", 10250, endpoint("172.16.0.10"))
    assert through(cluster(*PODS, web(), deny, listed), "10.0.0.9", CLUSTER_IP) == {"172.16.0.10 10250": True}


def test_a_node_reaches_every_backend() -> None:
    state = cluster(*PODS, web(), policy("default/deny", types=list(Direction)))
    assert all(through(state, "172.16.0.10", CLUSTER_IP).values())
    assert not any(through(state, "192.0.2.1", CLUSTER_IP).values())
