"""The needs of a connection through a Service: the client chooses a port of the Service, and policies see the pods'."""

from ovsnp.analysis.explain.needs import Need, RulePort, ToPort
from ovsnp.analysis.explain.query import Query
from ovsnp.analysis.naming.ends import SERVICE
from ovsnp.analysis.wording.ports import range_words
from ovsnp.model.address import family
from ovsnp.model.policy import Direction, NetworkPolicy
from ovsnp.oracle import backends


def behind_service(query: Query, need: Need, policy: NetworkPolicy, direction: Direction, rule: int) -> Need:
    """Turn the need for a port into one about the Service; other needs, and those without a Service, stay as they are.

    The result is another port of the Service, where one leads to a port that the rule names; else the pods' port in the
    rule.
    """
    service, traffic = query.via, query.traffic
    if service is None or not isinstance(need, ToPort) or traffic.protocol is None or traffic.port is None:
        return need
    destination = query.destination.address
    for port in service.ports:
        for backend in backends(query.cluster, service, port, family(destination), None):
            there = backend.address == destination and port.protocol is need.protocol
            if there and need.first <= backend.port <= need.last:
                by = f"{range_words(port.protocol, port.number)} of {SERVICE}{service.key}"
                return ToPort(need.protocol, backend.port, backend.port, by)
    return RulePort(policy.key, direction, rule, traffic.protocol, traffic.port, f"{SERVICE}{service.key}")
