"""Questions about the golden cases: between all pods, nodes, Services and two addresses outside, at some ports."""

from itertools import product

from ovsnp.analysis.naming.questions import Question, Written, read_question
from ovsnp.analysis.naming.roster import Roster
from ovsnp.model.cluster import Cluster

OUTSIDE = ("192.0.2.1", "2001:db8::1")
PORTS = (None, "6379", "80", "53/udp", "9899/sctp", "8080")


def questions(cluster: Cluster) -> list[Question]:
    """Questions between all pods, nodes, Services and two outsiders, at some ports."""
    pods = [pod.key for pod in cluster.pods]
    others = [*(f"node/{name}" for name in cluster.nodes), *OUTSIDE]
    services = [f"svc/{service.key}" for service in cluster.services]
    found = []
    for source, destination in [*product(pods, [*pods, *others, *services]), *product(others, pods)]:
        for port in PORTS:
            if (source not in OUTSIDE and destination not in OUTSIDE) or port in PORTS[:2]:
                found += asked(cluster, Written(source, destination, port))
    return found


def asked(cluster: Cluster, written: Written) -> list[Question]:
    """The question; an empty list where the ends share no address family, which is an error of its own."""
    try:
        return [read_question(Roster(cluster), written)]
    except Exception as error:
        if "nothing connects the two" in str(error):
            return []
        raise
