"""Pods that may open connections, but none to a DNS server."""

from collections.abc import Iterator, Sequence

from ovsnp.analysis.lint.finding import Finding, Severity, of_policy
from ovsnp.analysis.lint.lint_index import LintIndex, PodKind, grouped
from ovsnp.analysis.lint.resolvers import DNS_PORT, NODE_CACHE, USUAL_PORTS, DnsResolver, resolvers
from ovsnp.analysis.lint.wording import first_few, listed, some_pods
from ovsnp.model.address import Address, family, host_prefix, parse_prefix
from ovsnp.model.cluster import Pod
from ovsnp.model.policy import Direction, IPBlock, NetworkPolicy, Rule
from ovsnp.model.ports import PortEntry, Protocol
from ovsnp.oracle import OutsideEnd, PodEnd, Traffic, peer_matches, port_matches
from ovsnp.oracle.judge import exemption

_NOBODY = OutsideEnd(Address(bytes(4)))
_LINK_LOCAL = parse_prefix("169.254.0.0/16")
_ASKED_OVER = (Protocol.UDP, Protocol.TCP)


def egress_without_dns(index: LintIndex) -> Iterator[Finding]:
    """Pods isolated for egress that have rules, but none that admits a DNS server over UDP, or none over TCP.

    Pods that may send nothing at all need no names. If the input has no DNS server, a rule may have any peers.
    """
    asking = _Asking(index)
    lacking: dict[tuple[Protocol, tuple[str, ...]], list[PodKind]] = {}
    by_key = {policy.key: policy for policy in index.cluster.policies}
    for kinds in index.kinds.values():
        for kind in kinds:
            isolating = [policy for policy in index.isolating(kind, Direction.EGRESS) if policy.egress]
            for protocol in _ASKED_OVER if isolating else ():
                if not asking.allowed(kind.pods[0], isolating, protocol):
                    lacking.setdefault((protocol, tuple(policy.key for policy in isolating)), []).append(kind)
                    break
    for (protocol, keys), alike in lacking.items():
        yield _finding([by_key[key] for key in keys], alike, protocol, asking.servers)


class _Asking:
    """Decides which pods may ask a DNS server, once for all pods that the same policies isolate."""

    def __init__(self, index: LintIndex) -> None:
        self.servers = resolvers(index)
        self._index = index
        self._by_rules: dict[tuple[Protocol, frozenset[int], tuple[str, ...]], bool] = {}

    def allowed(self, pod: Pod, isolating: Sequence[NetworkPolicy], protocol: Protocol) -> bool:
        """True if a pod with these policies may ask over a protocol, or if no server of the input answers over it."""
        there = [server for server in self.servers if server.traffic.protocol is protocol]
        if self.servers and not there:
            return True
        families = frozenset(map(family, pod.addresses))
        key = protocol, families, tuple(policy.key for policy in isolating)
        if key not in self._by_rules:
            near = [server for server in there if family(server.end.address) in families]
            self._by_rules[key] = any(
                self._admits(policy, rule, protocol, near) for policy in isolating for rule in policy.egress
            )
        return self._by_rules[key] or any(self._exempt(pod, server) for server in there)

    def _admits(self, policy: NetworkPolicy, rule: Rule, protocol: Protocol, servers: Sequence[DnsResolver]) -> bool:
        if not self.servers:
            return _may_be_dns(rule, protocol)
        return _asks_elsewhere(rule, protocol) or any(
            port_matches(rule.ports, server.traffic, server.end)
            and peer_matches(self._index.cluster, policy.namespace, rule.peers, server.end)
            for server in servers
        )

    def _exempt(self, pod: Pod, server: DnsResolver) -> bool:
        """True if no policy can forbid the pod to reach the server."""
        return any(
            exemption(PodEnd(pod, address), server.end, strict_nodes=self._index.strict_nodes)
            for address in pod.addresses
            if family(address) == family(server.end.address)
        )


def _may_be_dns(rule: Rule, protocol: Protocol) -> bool:
    """True if a rule may admit DNS to someone; a named port may be that of a server that is not in the input."""
    named = any(isinstance(entry.port, str) and entry.protocol is protocol for entry in rule.ports)
    return named or any(port_matches(rule.ports, Traffic(protocol, port), _NOBODY) for port in USUAL_PORTS)


def _asks_elsewhere(rule: Rule, protocol: Protocol) -> bool:
    """True if a rule is about DNS servers outside of the cluster, or caches on nodes.

    Such a rule names port 53 and a block, or admits port 53 to a link-local block: there, only the node itself answers.
    """
    blocks = [peer for peer in rule.peers if isinstance(peer, IPBlock)]
    if PortEntry(protocol, DNS_PORT) in rule.ports and blocks:
        return True
    near = any(_LINK_LOCAL.contains(block.cidr) for block in blocks)
    return near and port_matches(rule.ports, Traffic(protocol, DNS_PORT), _NOBODY)


def _finding(
    policies: Sequence[NetworkPolicy], kinds: Sequence[PodKind], protocol: Protocol, servers: Sequence[DnsResolver]
) -> Finding:
    pods = [pod for kind in kinds for pod in kind.pods]
    whom = "the DNS servers" if servers else "anyone"
    ports = listed(_ports(servers, protocol), "or")
    rules = f"no egress rule of {listed([policy.key for policy in policies])} admits {ports}/{protocol} to {whom}"
    if protocol is Protocol.UDP:
        message = f"{some_pods(pods)} cannot resolve names: {rules}"
        return of_policy(policies[0], ("spec", "egress"), message, _remedy(servers))
    message = f"{some_pods(pods)} cannot get answers that are too long for UDP: {rules}"
    return of_policy(policies[0], ("spec", "egress"), message, _remedy(servers), Severity.NOTICE)


def _ports(servers: Sequence[DnsResolver], protocol: Protocol) -> list[str]:
    """The ports that a rule has to name, in order; none if no server answers over the protocol."""
    if not servers:
        return [str(DNS_PORT)]
    found = {server.traffic.port for server in _of_pods(servers) if server.traffic.protocol is protocol}
    return [str(port) for port in sorted(port for port in found if port)]


def _of_pods(servers: Sequence[DnsResolver]) -> list[DnsResolver]:
    return [server for server in servers if server.end.address != NODE_CACHE]


def _remedy(servers: Sequence[DnsResolver]) -> str:
    words = sorted({server.words for server in _of_pods(servers)}) or ["k8s-app=kube-dns in kube-system"]
    ports = {protocol: _ports(servers, protocol) for protocol in _ASKED_OVER}
    protocols = grouped((protocol for protocol in _ASKED_OVER if ports[protocol]), lambda each: listed(ports[each]))
    named = listed([f"port {numbers} of {listed(of)}" for numbers, of in protocols.items()])
    remedy = f"add an egress rule to the DNS servers ({listed(first_few(words), 'or')}) with {named}"
    if {*protocols} != {str(DNS_PORT)}:
        remedy += f": a policy sees the port of the pods, not port {DNS_PORT} of the Service"
    if len(_of_pods(servers)) < len(servers):
        remedy += f", or one to the cache of the node (ipBlock {host_prefix(NODE_CACHE)}) with port {DNS_PORT}"
    return remedy
