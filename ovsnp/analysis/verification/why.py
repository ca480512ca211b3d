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
    "unknown port": "Packets that come in by a port of no pod, and not by the gateway or the tunnel, are dropped.",
    "unknown tunnel": "Packets that come by the tunnel are dropped unless a node has their outer source address.",
    "other protocol": "Packets other than ARP and the IP families of the node are dropped.",
    "VLAN tag": "Packets with a VLAN tag are dropped: pods have none.",
    "multicast": "The bridge delivers no multicast and no broadcast.",
    "ARP": "The bridge answers a request only if the sender asks with its own addresses, and about another address.",
    "neighbour discovery": "The bridge answers a solicitation only if the sender asks with its own addresses, and about"
    " another address. It drops all other neighbour discovery.",
    "masquerade": "An answer to a connection with the gateway's address as its source goes to the pod that opened it.",
    "returning": "An answer goes back by the tunnel that its connection came through.",
}
_STATES = (
    "Packets of an admitted connection, and errors about it, pass. Invalid packets are dropped, except TCP packets of"
    " admitted connections."
)
_MEGAFLOW = (
    "The kernel datapath cannot match that a tunnel option is absent: a packet without the option makes a megaflow, and"
    " a packet with the option takes it."
)
_FORGED = "Packets that come in by this port may not have an address of a pod, or of this node, as their source."
_WAYS = "The holder of the destination decides where a packet goes: a local pod, the node, another node, or nobody."


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
