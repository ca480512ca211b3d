"""A connection in its cluster, and the same connection and cluster after changes."""

from collections.abc import Callable, Iterable, Mapping

import msgspec

from ovsnp.analysis.explain.needs import Change, Holder, InNamespace, Label, PortName, RulePort, ToPort
from ovsnp.model.address import Address
from ovsnp.model.cluster import Cluster, Namespace, Pod
from ovsnp.model.policy import Direction, NetworkPolicy
from ovsnp.model.ports import ContainerPort, PortEntry
from ovsnp.model.service import Service
from ovsnp.oracle import Endpoint, PodEnd, Traffic, Verdict, judge


class Query(msgspec.Struct, frozen=True):
    """The arguments of the oracle's `judge`."""

    cluster: Cluster
    source: Endpoint
    destination: Endpoint
    traffic: Traffic
    strict_nodes: bool = False
    via: Service | None = None
    opened_to: tuple[Address, Traffic] | None = None

    def verdict(self) -> Verdict:
        """The oracle's answer."""
        return judge(
            self.cluster,
            self.source,
            self.destination,
            self.traffic,
            strict_nodes=self.strict_nodes,
            via=self.via,
            opened_to=self.opened_to,
        )

    def ends(self, direction: Direction) -> tuple[Endpoint, Endpoint]:
        """The end whose policies of this direction apply, and the far end that they judge."""
        if direction is Direction.EGRESS:
            return self.source, self.destination
        return self.destination, self.source


def after(query: Query, changes: Iterable[Change]) -> Query:
    """The query after all of these changes."""
    # A pod that moves gets another key, so it moves last.
    for change in sorted(changes, key=lambda each: isinstance(each, InNamespace)):
        query = _after(query, change)
    return query


def _after(query: Query, change: Change) -> Query:
    match change:
        case Label(holder=Holder.NAMESPACE, name=name):
            namespaces = query.cluster.namespaces
            labelled = Namespace(name, _relabelled(namespaces[name].labels, change))
            cluster = msgspec.structs.replace(query.cluster, namespaces={**namespaces, name: labelled})
            return msgspec.structs.replace(query, cluster=cluster)
        case Label(name=key):
            return _replacing(query, key, lambda pod: {"labels": _relabelled(pod.labels, change)})
        case InNamespace(pod=key, namespace=namespace):
            return _replacing(query, key, lambda _: {"namespace": namespace})
        case PortName(pod=key):
            port = ContainerPort(change.name, change.protocol, change.number)
            return _replacing(query, key, lambda pod: {"ports": (*pod.ports, port)})
        case RulePort():
            policies = tuple(
                _naming(each, change) if each.key == change.policy else each for each in query.cluster.policies
            )
            return msgspec.structs.replace(query, cluster=msgspec.structs.replace(query.cluster, policies=policies))
        case ToPort():
            return msgspec.structs.replace(query, traffic=Traffic(change.protocol, _number(change, query.traffic)))


def _naming(policy: NetworkPolicy, change: RulePort) -> NetworkPolicy:
    """The policy with one more port in the rule of the change."""
    rules = list(policy.rules(change.direction))
    ports = (*rules[change.rule].ports, PortEntry(change.protocol, change.number))
    rules[change.rule] = msgspec.structs.replace(rules[change.rule], ports=ports)
    return msgspec.structs.replace(policy, **{change.direction.section: tuple(rules)})


def _relabelled(labels: Mapping[str, str], change: Label) -> dict[str, str]:
    others = {key: value for key, value in labels.items() if key != change.key}
    return others if change.value is None else {**others, change.key: change.value}


def _number(change: ToPort, traffic: Traffic) -> int:
    """The port of the traffic where it is one of the needed ports, else the first needed port."""
    if traffic.port is not None and change.first <= traffic.port <= change.last:
        return traffic.port
    return change.first


def _replacing(query: Query, key: str, fields: Callable[[Pod], dict[str, object]]) -> Query:
    """The query with the pod ``key`` (a title) changed in these fields, in the cluster and at the ends."""
    old = next(pod for pod in query.cluster.pods if pod.title == key)
    new = msgspec.structs.replace(old, **fields(old))

    def end(given: Endpoint) -> Endpoint:
        return PodEnd(new, given.address) if isinstance(given, PodEnd) and given.pod.title == key else given

    pods = tuple(new if pod is old else pod for pod in query.cluster.pods)
    return msgspec.structs.replace(
        query,
        cluster=msgspec.structs.replace(query.cluster, pods=pods),
        source=end(query.source),
        destination=end(query.destination),
    )
