"""The verdict on a connection: whether it is allowed, and which rules or which exemption allow it."""

from enum import StrEnum

import msgspec

from ovsnp.model.address import Address, family
from ovsnp.model.cluster import Cluster
from ovsnp.model.policy import Direction, IPBlock, NetworkPolicy, Rule
from ovsnp.model.service import Service
from ovsnp.model.unassigned import is_placeholder
from ovsnp.oracle.endpoints import Endpoint, NodeEnd, OutsideEnd, PodEnd
from ovsnp.oracle.lookups import Lookups, lookups
from ovsnp.oracle.peers import block_holds
from ovsnp.oracle.services import ServingBackend, service_at
from ovsnp.oracle.traffic import Traffic, port_matches


class Exemption(StrEnum):
    """The reason why no policy can forbid a connection: an end is a node, or both ends are one pod."""

    NODE = "node"
    SELF = "self"


class Admission(msgspec.Struct, frozen=True):
    """A rule that admits a connection: ``rule`` is its index in the policy's section of this direction."""

    policy: NetworkPolicy
    direction: Direction
    rule: int

    def __str__(self) -> str:
        return f"{self.policy.key} {self.direction.section}[{self.rule}]"


class Side(msgspec.Struct, frozen=True):
    """The answer of one end: the policies that isolate it in this direction, and all their rules that admit.

    Both are listed even where an exemption decides. A node or an outside address has no policies: all fields are empty.
    """

    isolated_by: tuple[NetworkPolicy, ...] = ()
    admitted_by: tuple[Admission, ...] = ()
    exempt: Exemption | None = None

    @property
    def allowed(self) -> bool:
        """True if this end allows the connection."""
        # "Traffic is allowed to a pod if there are no NetworkPolicies selecting the pod [...], OR if the traffic
        # source is the pod's local node, OR if the traffic matches at least one ingress rule across all of the
        # NetworkPolicy objects whose podSelector matches the pod."
        return not self.isolated_by or self.exempt is not None or bool(self.admitted_by)


class Verdict(msgspec.Struct, frozen=True):
    """The answers of both ends; ``undelivered``: the destination is a multicast or broadcast address."""

    egress: Side
    ingress: Side
    undelivered: bool = False

    @property
    def allowed(self) -> bool:
        """True if both ends allow the connection and the destination is one receiver."""
        # "both the egress policy on the source pod and the ingress policy on the destination pod need to allow the
        # connection. If either side does not allow the connection, it will not happen."
        return self.egress.allowed and self.ingress.allowed and not self.undelivered


class _Connection(msgspec.Struct, frozen=True):
    """The first packet of a connection, and the exemption between the ends, if there is one."""

    source: Endpoint
    destination: Endpoint
    traffic: Traffic
    exempt: Exemption | None
    opened_to: tuple[Address, Traffic] | None


def judge(
    cluster: Cluster | Lookups,
    source: Endpoint,
    destination: Endpoint,
    traffic: Traffic,
    *,
    strict_nodes: bool = False,
    via: Service | None = None,
    opened_to: tuple[Address, Traffic] | None = None,
) -> Verdict:
    """Judge the first packet of a connection.

    A connection through a Service (``via``) is judged by its original source and by its backend and target port,
    whatever addresses the packets have on the way. The cluster IP does not count, unless ``opened_to`` gives it and the
    Service's port: then an egress rule also admits if one of its blocks holds the cluster IP and its ports match the
    Service's port. Replies to an allowed connection, and ICMP errors about it, are allowed and never judged. With
    ``strict_nodes`` a pod's own node is the only exempt node. Raises ValueError where the address families of the two
    ends differ.
    """
    if family(source.address) != family(destination.address):
        raise ValueError("the two ends of a connection have addresses of one family")
    exempt = exemption(source, destination, strict_nodes=strict_nodes, via=via is not None)
    connection, known = _Connection(source, destination, traffic, exempt, opened_to), lookups(cluster)
    return Verdict(
        egress=_side(known, Direction.EGRESS, connection),
        ingress=_side(known, Direction.INGRESS, connection),
        undelivered=known.is_group(destination),
    )


def judge_service(
    cluster: Cluster | Lookups,
    source: Endpoint,
    address: Address,
    traffic: Traffic,
    *,
    entry: str | None = None,
    strict_nodes: bool = False,
    service_blocks: bool = False,
) -> dict[ServingBackend, Verdict]:
    """Judge the first packet of a connection to a cluster IP and port, for each backend that the connection may get.

    Empty where no backend serves, or no Service has the address and port: the packet is dropped. ``entry`` is the node
    whose gateway a connection from outside the cluster comes in by. With ``service_blocks`` an egress rule also admits
    if one of its blocks holds the cluster IP and its ports match the Service's port.
    """
    known = lookups(cluster)
    found = service_at(known.cluster, address, traffic)
    if found is None:
        return {}
    service, port = found
    return {
        backend: judge(
            known,
            source,
            known.who(backend.address),
            Traffic(port.protocol, backend.port),
            strict_nodes=strict_nodes,
            via=service,
            opened_to=(address, traffic) if service_blocks else None,
        )
        for backend in sorted(known.backends(service, port, family(address), begins_on(source, entry)))
    }


def begins_on(source: Endpoint, entry: str | None) -> str | None:
    """The node where a connection begins; ``entry`` where its source is neither a pod nor a node."""
    match source:
        case PodEnd(pod=pod):
            return pod.node
        case NodeEnd(node=node):
            return node.name
        case _:
            return entry


def exemption(source: Endpoint, destination: Endpoint, *, strict_nodes: bool, via: bool = False) -> Exemption | None:
    """The exemption between two ends, which may connect via a Service; None where policies decide."""
    match source, destination:
        case PodEnd(), PodEnd():
            # "exception: a pod cannot block access to itself"
            # A connection through a Service is no such access: it may get another backend just as well. A template
            # stands for several pods, and one of them is not the other.
            same = source.pod.key == destination.pod.key and not source.pod.template
            return Exemption.SELF if same and not via else None
        case (PodEnd(pod=pod), NodeEnd(node=node)) | (NodeEnd(node=node), PodEnd(pod=pod)):
            # "exception: traffic to and from the node where a Pod is running is always allowed,
            # regardless of the IP address of the Pod or the node"
            return Exemption.NODE if pod.node == node.name or not strict_nodes else None
        case _:
            return None


def _side(known: Lookups, direction: Direction, connection: _Connection) -> Side:
    """The answer of one end: the source for egress, the destination for ingress."""
    source, destination = connection.source, connection.destination
    near, far = (source, destination) if direction is Direction.EGRESS else (destination, source)
    if not isinstance(near, PodEnd):
        return Side()
    isolating = known.isolating(direction, near.pod)
    admitting = tuple(
        Admission(policy, direction, index)
        for policy in isolating
        for index, rule in enumerate(policy.rules(direction))
        # "The traffic must match both ports and from." For egress too it is "a list of destination ports".
        if (
            known.names(policy.namespace, rule.peers, far) and port_matches(rule.ports, connection.traffic, destination)
        )
        or (direction is Direction.EGRESS and holds_cluster_ip(rule, connection.opened_to))
    )
    return Side(isolating, admitting, connection.exempt)


def holds_cluster_ip(rule: Rule, opened_to: tuple[Address, Traffic] | None) -> bool:
    """True if a block of the rule holds the cluster IP, and the rule's ports match the Service's port (no names).

    "Cluster ingress and egress mechanisms often require rewriting the source or destination IP of packets. In cases
    where this happens, it is not defined whether this happens before or after NetworkPolicy processing [...]. For
    egress, this means that connections from pods to Service IPs that get rewritten to cluster-external IPs may or may
    not be subject to ipBlock-based policies."
    """
    if opened_to is None:
        return False
    address, traffic = opened_to
    blocks = [peer for peer in rule.peers if isinstance(peer, IPBlock)]
    return any(_holds_service(block, address) for block in blocks) and port_matches(
        rule.ports, traffic, OutsideEnd(address)
    )


def _holds_service(block: IPBlock, address: Address) -> bool:
    if block.unassigned and is_placeholder(address):
        return block.unassigned.services and block.cidr.family == family(address)
    return block_holds(block, address)
