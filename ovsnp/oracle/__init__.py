"""The semantics of NetworkPolicy as the API's documentation gives it: an oracle without flows and without a compiler.

``judge`` says whether a connection is allowed and which rules admit it; ``judge_service`` says the same of a connection
to a cluster IP, for each backend. ``who`` finds the holder of an address. The questions that these are made of
(``selects``, ``affects``, ``peer_matches``, ``port_matches``) are exported too.
Correctness and legibility come before speed: every answer is worked out from the objects, and nothing is kept. A caller
with many questions gives ``judge`` an `indexed_oracle.IndexedOracle` in place of the cluster. `relation.Relation`
answers for all pairs of classes. Tests compare both with ``judge`` of the cluster itself.
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
