"""The semantics of NetworkPolicy as the API's documentation has it: an oracle that knows no flow and no compiler.

``judge`` says whether a connection is allowed and which rules say so, ``judge_service`` says it of a connection to a
cluster IP, for each backend; ``who`` says whose an address is. The questions they are made of (``selects``,
``affects``, ``peer_matches``, ``port_matches``) are there for those who ask about parts.
Correctness and legibility come before speed: every question is answered from the objects, nothing is kept. Who asks
many questions gives ``judge`` the cluster as `prepared.Prepared`; `relation.Relation` answers for all pairs of classes.
Tests hold both to ``judge`` of the cluster itself.
Quotations are from the documentation of networking.k8s.io/v1, of metav1.LabelSelector and from the concepts pages
"Network Policies" and "Labels and Selectors".
"""

from ovsnp.oracle.endpoints import Endpoint, NodeEnd, OutsideEnd, PodEnd, who
from ovsnp.oracle.isolation import affects
from ovsnp.oracle.judge import Admission, Exemption, Side, Verdict, judge, judge_service
from ovsnp.oracle.peers import peer_matches
from ovsnp.oracle.selectors import selects
from ovsnp.oracle.services import ServingBackend, backends, service_at
from ovsnp.oracle.traffic import ICMP, Traffic, port_matches

__all__ = [
    "ICMP",
    "Admission",
    "Endpoint",
    "Exemption",
    "NodeEnd",
    "OutsideEnd",
    "PodEnd",
    "ServingBackend",
    "Side",
    "Traffic",
    "Verdict",
    "affects",
    "backends",
    "judge",
    "judge_service",
    "peer_matches",
    "port_matches",
    "selects",
    "service_at",
    "who",
]
