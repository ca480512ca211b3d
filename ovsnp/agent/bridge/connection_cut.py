"""Ends the open connections that the policies forbid, in a thread beside the loop."""

import logging
import threading
import time

from ovsnp.agent.attempt_pace import AttemptPace
from ovsnp.agent.bridge.address_turnover import Switch
from ovsnp.apply.judged_objects import JudgedObjects
from ovsnp.apply.policy_cut import cut_forbidden
from ovsnp.errors import SwitchError
from ovsnp.model.options import Options
from ovsnp.switch.openflow.commit import commit

_PAUSE = 0.1
"""Seconds between two rounds: the changes of a burst make one round."""

log = logging.getLogger("ovsnp.agent")


class ConnectionCut:
    """Judges all open connections of a bridge after each `request`, and cuts those that are forbidden.

    ``objects`` are the objects of the cluster now; a round judges by them as they are when it begins. If objects came
    since whose flows are not on the bridge yet, the next request, which follows these flows, completes the work.
    """

    def __init__(self, switch: Switch, objects: JudgedObjects, options: Options) -> None:
        self._switch, self._objects, self._options = switch, objects, options
        self._pace = AttemptPace()
        self._asked, self._stopped = threading.Event(), threading.Event()
        threading.Thread(target=self._run, name="connection cut", daemon=True).start()

    def request(self) -> None:
        """Let a round begin soon, as the flows of a change that may forbid connections are on the bridge."""
        self._asked.set()

    def stop(self) -> None:
        """Begin no round any more; the loop does not wait for the round that runs."""
        self._stopped.set()
        self._asked.set()

    def _run(self) -> None:
        while self._asked.wait() and not self._stopped.is_set():
            self._asked.clear()
            began = time.monotonic()
            try:
                if cut := self._round():
                    log.info("connections that the policies forbid: %d cut", cut)
            except SwitchError as error:
                if self._stopped.is_set():
                    return
                log.warning("connections that the policies forbid could not be cut: %s", error)
                self._stopped.wait(self._pace.next_attempt() - time.monotonic())
                self._asked.set()
            # Half of the time at most belongs to rounds: they share the interpreter and ovs-vswitchd with the loop.
            self._stopped.wait(max(_PAUSE, time.monotonic() - began))

    def _round(self) -> int:
        location, bridge, openflow, below = self._switch
        return cut_forbidden(
            location,
            bridge,
            below,
            self._objects,
            self._options,
            lambda modifications: commit(openflow, modifications),
            waiting=False,
        )
