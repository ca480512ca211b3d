"""Peers and port entries of policies in a few words."""

from ovsnp.analysis.wording.ports import range_words
from ovsnp.model.policy import IPBlock, Peer, PodPeer
from ovsnp.model.ports import PortEntry
from ovsnp.model.selector import Selector


def peer_words(peer: Peer) -> str:
    """``pods role=db in namespaces project=mine``, ``10.0.0.0/8 except 10.1.0.0/16``."""
    if isinstance(peer, IPBlock):
        excepts = f" except {', '.join(map(str, peer.excepts))}" if peer.excepts else ""
        return f"{peer.cidr}{excepts}"
    pods = f"pods {label_words(peer.pod_selector)}" if peer.pod_selector is not None else "pods"
    if peer.namespace_selector is None:
        return pods
    return f"{pods} in namespaces {peer.namespace_selector}" if str(peer.namespace_selector) else f"{pods} anywhere"


def peer_words_in(namespace: str, peer: Peer) -> str:
    """Like `peer_words`, for a policy of this namespace: an item without namespaceSelector means this namespace."""
    own = isinstance(peer, PodPeer) and peer.namespace_selector is None
    return f"{peer_words(peer)} in namespace {namespace}" if own else peer_words(peer)


def label_words(selector: Selector) -> str:
    """The selector as kubectl writes it, or the meaning of an empty selector."""
    return str(selector) or "of any label"


def port_words(entry: PortEntry) -> str:
    """``6379/tcp``, ``1024-65535/udp``, ``http/tcp``, ``any sctp port``."""
    if entry.port is None:
        return f"any {entry.protocol.lower()} port"
    return range_words(entry.protocol, entry.port, entry.end_port)
