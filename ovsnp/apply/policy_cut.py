"""Ends the open connections that the policies forbid, and touches no other."""

from collections.abc import Callable, Collection, Iterator, Sequence

from ovsnp.apply.judged_objects import JudgedObjects, Senders
from ovsnp.apply.open_connection import OpenConnection, is_answered, read_connection
from ovsnp.errors import SwitchError
from ovsnp.flows.action import Commit, SetField
from ovsnp.flows.modification import AddFlow, DeleteFlow, Modification
from ovsnp.lower.closed import closing_flows
from ovsnp.model.address import parse_address
from ovsnp.model.cluster import Cluster
from ovsnp.model.options import Options
from ovsnp.oracle import judge, service_at
from ovsnp.oracle.indexed_oracle import IndexedOracle
from ovsnp.pipeline.conntrack import ZONE
from ovsnp.pipeline.registers import ADMITTED, ANSWERED
from ovsnp.switch.conntrack import Conntrack, Tracked, conntrack
from ovsnp.switch.datapath import Datapath, await_flows
from ovsnp.switch.icmp_error import icmp_error
from ovsnp.switch.location import Location
from ovsnp.switch.openflow.connection import OpenFlow
from ovsnp.switch.openflow.packet_out import encode_packet_out

_ROUNDS = 4
_UNSPECIFIED = parse_address("0.0.0.0")
_NOT_ADMITTED = (SetField(ADMITTED, 0), SetField(ANSWERED, 0))
_WITHDRAWN = {zone: (Commit(zone, _NOT_ADMITTED),) for zone in ZONE.values()}
"""The actions that change the memory of the connection that a packet belongs to, by zone."""


def cut_forbidden(
    location: Location,
    bridge: str,
    below: Datapath,
    objects: JudgedObjects,
    options: Options,
    carry_out: Callable[[Sequence[Modification]], None],
    *,
    waiting: bool,
) -> int:
    """Cut the open connections of a bridge that the policies forbid; the flows for these policies must be on it.

    ``carry_out`` changes flows, ``waiting`` is the answer of `ovsnp.switch.datapath.waits_for_flows`. Returns the
    number of connections that were cut. Raises SwitchError if conntrack cannot be read, or a connection stays open.
    """
    _await_flows(location, below, carry_out, waiting=waiting)
    with conntrack(location, bridge, below) as tracker:
        remaining = {*_entries(tracker)}
        forbidden = forbidden_among({entry.connection for entry in remaining}, objects, options)
        remaining = {entry for entry in remaining if entry.connection in forbidden}
        # Those without an answer do not count: the node of the server may have refused them from the beginning.
        found = sum(is_answered(entry.tracked) for entry in remaining)
        if remaining:
            with OpenFlow(location, bridge) as openflow:
                _withdraw(openflow, tracker, remaining)
        return found


def _withdraw(openflow: OpenFlow, tracker: Conntrack, remaining: "set[_Entry]") -> None:
    """Withdraw the admission of connections, and read conntrack again until none is admitted.

    Conntrack keeps the connections, with the end that opened each: if it forgot one, the next packet of the server
    would begin a connection of its own, which the policies may allow.
    """
    for _ in range(_ROUNDS):
        openflow.tell(*(encode_packet_out(icmp_error(each.tracked), _WITHDRAWN[each.zone]) for each in remaining))
        remaining &= {*_entries(tracker)}
        if not remaining:
            return
    raise SwitchError(
        f"{len(remaining)} connections stay open (the first is {min(entry.tracked.tuple for entry in remaining)})"
    )


def _await_flows(
    location: Location, below: Datapath, carry_out: Callable[[Sequence[Modification]], None], *, waiting: bool
) -> None:
    """Wait until the datapath has no megaflow of earlier flows: it would admit again what has just been cut.

    The flow that makes Open vSwitch look at its megaflows is about an address that nobody has.
    """
    touched = closing_flows([_UNSPECIFIED])
    try:
        await_flows(location, below, lambda: carry_out([*map(AddFlow, touched)]), waiting=waiting)
    finally:
        carry_out([*map(DeleteFlow, touched)])


class _Entry:
    """A conntrack entry; two are equal if they are of one connection, whatever has become of it meanwhile."""

    def __init__(self, zone: int, tracked: Tracked, connection: OpenConnection) -> None:
        self.zone, self.tracked, self.connection = zone, tracked, connection
        self._same = zone, tracked.tuple, connection

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Entry) and self._same == other._same

    def __hash__(self) -> int:
        return hash(self._same)


def _entries(tracker: Conntrack) -> Iterator[_Entry]:
    for zone in ZONE.values():
        for tracked in tracker.entries(zone):
            if connection := read_connection(tracked):
                yield _Entry(zone, tracked, connection)


def forbidden_among(
    connections: Collection[OpenConnection], objects: JudgedObjects, options: Options
) -> set[OpenConnection]:
    """The connections that the policies of either end forbid.

    Both ends count on the node of either end. If only the node of the server cut a connection, the node of the client
    would take the server's next packets for answers, although the client may accept no connection from the server.
    """
    cluster, senders = objects.part(connections)
    verdicts = _Verdicts(cluster, senders, options)
    return {each for each in connections if verdicts.forbid(each)}


class _Verdicts:
    """The verdicts of the oracle on open connections."""

    def __init__(self, cluster: Cluster, senders: Senders, options: Options) -> None:
        self._known = IndexedOracle(cluster)
        self._senders = senders
        self._options = options

    def forbid(self, connection: OpenConnection) -> bool:
        """True if a policy forbids the connection; of several senders that it may have, to one of them."""
        service = None
        if connection.opened_to:
            service = service_at(self._known.cluster, *connection.opened_to)
        destination = self._known.who(connection.destination)
        for sender in self._senders[connection]:
            verdict = judge(
                self._known,
                self._known.who(sender),
                destination,
                connection.traffic,
                strict_nodes=self._options.strict_nodes,
                via=service[0] if service else None,
                opened_to=connection.opened_to if self._options.service_blocks else None,
            )
            # A block may hold the cluster IP, which the node of the endpoint does not know.
            unknown = connection.by_tunnel and self._options.service_blocks
            if not verdict.ingress.allowed or not (unknown or verdict.egress.allowed):
                return True
        return False
