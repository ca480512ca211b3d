"""Commits changes of flows and groups as one atomic bundle."""

import struct
from collections.abc import Iterable, Sequence
from itertools import count, islice

from ovsnp.errors import SwitchError
from ovsnp.switch.openflow.bundle import MOST, BundleControl, add_to_bundle, control_bundle
from ovsnp.switch.openflow.connection import OpenFlow
from ovsnp.switch.openflow.error import error_name
from ovsnp.switch.openflow.message import LONGEST, Message, MessageType
from ovsnp.switch.openflow.modifications import BridgeChange, change_text, encode_change, is_of_group

_BATCH = 200
"""The number of messages that are made before the connection writes them: ovs-vswitchd reads these meanwhile."""

_SHOWN = 300
"""The number of characters that are shown of a flow or group that is too long."""

_BUNDLES = count(1)


def commit(connection: OpenFlow, changes: Iterable[BridgeChange]) -> None:
    """Carry out changes in their order, all or none; returns when Open vSwitch has confirmed the commit.

    Raises SwitchError with the refused flow or group and Open vSwitch's error; then nothing is changed. Raises
    LostConnectionError if the connection ends; then nothing is changed, or everything. If this process is killed before
    the commit, the connection ends, and Open vSwitch forgets the bundle: nothing is changed.

    Open vSwitch commits a bundle although it refused one of the messages, so the commit waits for a barrier, which
    comes after all refusals (as in ``ovs-ofctl bundle``).
    """
    wanted = list(changes)
    if not wanted:
        return
    bundle = next(_BUNDLES) & 0xFFFFFFFF
    with connection.turn():
        opening = connection.reserve(len(wanted) + 1)
        try:
            connection.send([control_bundle(bundle, BundleControl.OPEN, opening)])
            _fill(connection, bundle, opening + 1, wanted)
            errors = connection.barrier(opening)
            if not errors:
                errors = _finish(connection, bundle, opening)
        except BaseException:
            _discard(connection, bundle)
            raise
        if errors:
            _discard(connection, bundle)
            raise SwitchError(_explain(errors, opening + 1, wanted))


def _fill(connection: OpenFlow, bundle: int, first: int, wanted: Sequence[BridgeChange]) -> None:
    numbered = enumerate(wanted, first)
    while batch := [*islice(numbered, _BATCH)]:
        connection.send([add_to_bundle(bundle, _message(each, xid)) for xid, each in batch])


def _message(change: BridgeChange, xid: int) -> Message:
    try:
        message = encode_change(change)
        fits = len(message.body) <= MOST
    except struct.error:  # a length that has no place in 16 bits
        fits = False
    if not fits:
        line = change_text(change)
        raise SwitchError(
            f"a {_noun(change)} does not fit into a message of OpenFlow ({LONGEST} bytes), and nothing was"
            f" changed: {line[:_SHOWN]}..."
        )
    return message._replace(xid=xid)


def _finish(connection: OpenFlow, bundle: int, opening: int) -> dict[int, str]:
    """Commit the bundle; returns the errors by transaction id: of the message that failed, and of the commit itself."""
    last = connection.reserve(1)
    connection.send([control_bundle(bundle, BundleControl.COMMIT, last)])
    replies = connection.replies(opening, last)
    return {reply.xid: error_name(reply.body) for reply in replies if reply.type == MessageType.ERROR}


def _discard(connection: OpenFlow, bundle: int) -> None:
    """Discard the bundle if it is there; a lost connection has no bundle, and nobody waits for the answer."""
    connection.send([control_bundle(bundle, BundleControl.DISCARD, connection.reserve(1))])


def _explain(errors: dict[int, str], first: int, wanted: Sequence[BridgeChange]) -> str:
    for xid, error in sorted(errors.items()):
        if first <= xid < first + len(wanted):
            refused = wanted[xid - first]
            noun, line = _noun(refused), change_text(refused)
            return f"Open vSwitch refused a {noun}, and nothing was changed: {error}: {line}"
    return f"Open vSwitch refused, and nothing was changed: {next(iter(errors.values()))}"


def _noun(change: BridgeChange) -> str:
    return "group" if is_of_group(change) else "flow"
