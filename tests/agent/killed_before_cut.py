"""An agent that is killed when Open vSwitch has confirmed the flows of a change, before the agent cuts connections.

As a program: ``SECONDS ARGUMENTS...`` runs ``ovsnp ARGUMENTS...``, as `tests.agent.impatient` does.
"""

import os
import runpy
import signal
from itertools import chain, count
from unittest import mock

from ovsnp.agent.bridge import kept_bridge
from ovsnp.agent.bridge.connection_cut import ConnectionCut
from tests.agent import impatient


def kill(*_: object) -> None:
    """End this process without a chance to do anything more."""
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    # The first request is that of the start.
    request = mock.patch.object(ConnectionCut, "request", new=mock.Mock(side_effect=chain([None], map(kill, count()))))
    with request, mock.patch.object(kept_bridge, "cut_endpoints", kill):
        runpy.run_path(impatient.__file__, run_name="__main__")
