"""JSON-RPC with Open vSwitch's daemons: ovsdb-server (RFC 7047), and the control socket of every daemon."""

import errno
import os
from typing import Any

from ovs import jsonrpc, poller, util

from ovsnp.errors import SwitchError
from ovsnp.switch.patience import Patience


def ask(connection: jsonrpc.Connection, method: str, *parameters: str, patience: float) -> Any:
    """The answer to a request; raises SwitchError with the daemon's message, or if none comes in ``patience`` seconds.

    python-ovs has no time limit: a daemon that hangs accepts connections and requests, and answers none.
    """
    request = jsonrpc.Message.create_request(method, list(parameters))
    waited = Patience(patience)
    error: int = connection.send(request) or errno.EAGAIN
    reply: Any = None
    while error == errno.EAGAIN or (reply and reply.id != request.id):
        if waited.over:
            raise SwitchError(f"no answer within {patience:g} seconds")
        connection.run()
        waiting = poller.Poller()
        connection.wait(waiting)
        connection.recv_wait(waiting)
        waited.block(waiting)
        error, reply = connection.recv()
    if error or reply.error:
        raise SwitchError(str(reply.error) if reply else _words(error))
    return reply.result


def _words(error: int) -> str:
    return os.strerror(error) if error > 0 else str(util.ovs_retval_to_string(error)).lower()
