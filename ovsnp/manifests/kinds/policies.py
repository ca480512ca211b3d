"""NetworkPolicies: from the wire to the model, with the checks of the API server.

The checks are those of ValidateNetworkPolicySpec (kubernetes/kubernetes, pkg/apis/networking/validation). The server
reads null as an empty object (``ingress: [null]`` would allow everything); here null is a mistake.
"""

from collections.abc import Mapping, Sequence

from ovsnp.errors import Place
from ovsnp.manifests.kinds import wire
from ovsnp.manifests.kinds.blocks import read_block
from ovsnp.manifests.kinds.labels import read_selector
from ovsnp.manifests.kinds.protocols import read_protocol
from ovsnp.manifests.kinds.syntax import port_name_fault, port_number_fault
from ovsnp.model.policy import Direction, NetworkPolicy, Peer, PodPeer, Rule
from ovsnp.model.ports import PortEntry
from ovsnp.model.selector import Selector
from ovsnp.yaml_reader.paths import Path
from ovsnp.yaml_reader.report import MistakeReport
from ovsnp.yaml_reader.structure import quote

_DIRECTIONS: Mapping[str, Direction] = {direction.value: direction for direction in Direction}
_PEER_FIELDS = {Direction.INGRESS: "from", Direction.EGRESS: "to"}

_EMPTY_PEER = "an empty peer names nobody; write podSelector, namespaceSelector or ipBlock"
_MIXED_PEER = "ipBlock stands beside a selector; make them two items of the list"
_NULL_PEER = "null is no peer; write podSelector, namespaceSelector or ipBlock, or remove it"
_NULL_PORT = "null is no port; write {} for all of TCP, or remove it"
_NULL_RULE = "null is no rule; write {} to allow everything, or remove it"


def read_policy(
    spec: wire.ApiPolicySpec, namespace: str, name: str, place: Place, report: MistakeReport
) -> NetworkPolicy:
    """A policy, as far as it can be read; reports its mistakes."""
    return NetworkPolicy(
        namespace=namespace,
        name=name,
        pod_selector=_read_optional_selector(spec.pod_selector, ("spec", "podSelector"), report) or Selector(),
        policy_types=_read_types(spec.policy_types or (), report),
        ingress=_read_rules(spec.ingress or (), Direction.INGRESS, report),
        egress=_read_rules(spec.egress or (), Direction.EGRESS, report),
        place=place,
    )


def _read_types(names: Sequence[str | None], report: MistakeReport) -> frozenset[Direction]:
    path = ("spec", "policyTypes")
    if len(names) > len(_DIRECTIONS):
        report.add(path, f"{len(names)} types; write each of Ingress and Egress at most once")
    for index, name in enumerate(names):
        if name is None or name not in _DIRECTIONS:
            what = "null" if name is None else quote(name)
            report.add((*path, index), f"{what} is no policy type; write Ingress or Egress")
    return frozenset(_DIRECTIONS[name] for name in names if name and name in _DIRECTIONS)


def _read_rules(
    rules: Sequence[wire.ApiIngressRule | wire.ApiEgressRule | None], direction: Direction, report: MistakeReport
) -> tuple[Rule, ...]:
    found: list[Rule] = []
    for index, rule in enumerate(rules):
        path = ("spec", direction.section, index)
        if rule is None:
            report.add(path, _NULL_RULE)
        else:
            peers = _read_peers(rule.peers or (), (*path, _PEER_FIELDS[direction]), report)
            found.append(Rule(peers, _read_ports(rule.ports or (), (*path, "ports"), report)))
    return tuple(found)


def _read_peers(peers: Sequence[wire.ApiPeer | None], path: Path, report: MistakeReport) -> tuple[Peer, ...]:
    found = [_read_peer(peer, (*path, index), report) for index, peer in enumerate(peers)]
    return tuple(peer for peer in found if peer is not None)


def _read_peer(peer: wire.ApiPeer | None, path: Path, report: MistakeReport) -> Peer | None:
    if peer is None:
        report.add(path, _NULL_PEER)
        return None
    pods = _read_optional_selector(peer.pod_selector, (*path, "podSelector"), report)
    namespaces = _read_optional_selector(peer.namespace_selector, (*path, "namespaceSelector"), report)
    selects = pods is not None or namespaces is not None
    if peer.ip_block is not None:
        if selects:
            report.add(path, _MIXED_PEER)
        return read_block(peer.ip_block, (*path, "ipBlock"), report)
    if not selects:
        report.add(path, _EMPTY_PEER)
        return None
    return PodPeer(pods, namespaces)


def _read_optional_selector(
    selector: wire.ApiLabelSelector | None, path: Path, report: MistakeReport
) -> Selector | None:
    return None if selector is None else read_selector(selector, path, report)


def _read_ports(ports: Sequence[wire.ApiPort | None], path: Path, report: MistakeReport) -> tuple[PortEntry, ...]:
    found = [_read_port(port, (*path, index), report) for index, port in enumerate(ports)]
    return tuple(port for port in found if port is not None)


def _read_port(port: wire.ApiPort | None, path: Path, report: MistakeReport) -> PortEntry | None:
    if port is None:
        report.add(path, _NULL_PORT)
        return None
    if isinstance(port.port, str):
        report.add((*path, "port"), port_name_fault(port.port))
    elif port.port is not None:
        report.add((*path, "port"), port_number_fault(port.port))
    if port.end_port is not None:
        report.add((*path, "endPort"), _end_port_fault(port.port, port.end_port))
    return PortEntry(read_protocol(port.protocol, (*path, "protocol"), report), port.port, port.end_port)


def _end_port_fault(port: int | str | None, end_port: int) -> str | None:
    if port is None:
        return "endPort stands without port; write the first port of the range as port"
    if isinstance(port, str):
        return "endPort stands beside the name of a port; a range needs a number as port"
    if end_port < port and not port_number_fault(port):
        return f"endPort {end_port} is below port {port}; write the last port of the range"
    return port_number_fault(end_port)
