"""Says why a packet must pass or must be dropped: by the policies, or by a guard that no policy changes."""

from collections.abc import Sequence

from ovsnp.analysis.explain.explanation_text import lines
from ovsnp.analysis.explain.reasons import explain_connection
from ovsnp.analysis.naming.questions import Written, read_question
from ovsnp.analysis.naming.roster import Roster
from ovsnp.analysis.verification.counterexample import Counterexample
from ovsnp.analysis.verification.questions.bridge_question import FORBIDDEN
from ovsnp.analysis.wording.places import Places
from ovsnp.analysis.wording.ports import PORTLESS
from ovsnp.errors import UsageError
from ovsnp.model.address import parse_address
from ovsnp.model.cluster import Cluster
from ovsnp.model.options import Options
from ovsnp.oracle import who
from ovsnp.oracle.terms import Terms

_GUARDS = {
    "spoofing": "A pod may send only by its own port, with its own MAC and addresses.",
    "unknown port": "What comes in by a port that is no pod's, nor gateway nor tunnel, is dropped.",
    "unknown tunnel": "What comes by the tunnel from an address that is no node's is dropped.",
    "other protocol": "Of Ethernet types only ARP and IP of the node's families go on.",
    "VLAN tag": "Packets with a VLAN tag are dropped: pods have none.",
    "multicast": "Multicast and broadcast are delivered to nobody.",
    "ARP": "The bridge answers requests that are made in the asker's own name, about any address but the asker's own.",
    "neighbour discovery": "The bridge answers solicitations that are made in the asker's own name, about any address"
    " but the asker's own, and lets no other neighbour discovery pass.",
    "masquerade": "An answer to a connection with the gateway's address as its source goes to the pod that opened it.",
    "returning": "An answer goes back by the tunnel that its connection came through.",
}
_STATES = (
    "What is part of a connection that was admitted, or an error about one, passes; what is invalid is dropped, but for"
    " TCP of admitted connections."
)
_MEGAFLOW = (
    "The kernel datapath cannot match that a tunnel option is absent: a packet without the option makes a megaflow, and"
    " a packet with the option takes it."
)
_FORGED = "Nobody may send in the name of pods, or of this node, by this port."
_WAYS = "Where a packet goes follows from who has its destination: a local pod, the node, another node, nobody."


def why(example: Counterexample, cluster: Cluster, options: Options) -> Sequence[str]:
    """The reasons, in one or more lines; where policies judge, the lines of `ovsnp explain`."""
    if example.kind in _GUARDS:
        return [_GUARDS[example.kind]]
    if example.kind == "connection state":
        return [_STATES]
    if example.kind == "megaflow":
        return [_MEGAFLOW]
    if example.source is None or example.destination is None:
        return [_FORGED if example.what.endswith(FORBIDDEN) else _WAYS]
    written = Written(example.source, example.destination, example.traffic or PORTLESS)
    return _explained(written, cluster, options) or [_WAYS]


def _explained(written: Written, cluster: Cluster, options: Options) -> list[str]:
    try:
        question = read_question(Roster(cluster, options.service_cidrs), written)
    except UsageError:
        return []
    if any(who(cluster, parse_address(written.destination)) == each.source for each in question.connections):
        return []
    terms = Terms(options.strict_nodes, options.service_blocks, options.node)
    answers = [explain_connection(cluster, connection, terms) for connection in question.connections]
    return [line.plain for line in lines(question, answers, Places())]
