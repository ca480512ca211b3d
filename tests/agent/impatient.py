"""An agent that takes a silent API server for dead sooner than a real one.

As a program: ``SECONDS ARGUMENTS...`` runs ``ovsnp ARGUMENTS...``.
"""

import sys
from functools import partial
from unittest import mock

from ovsnp.cli import main
from ovsnp.cli.commands import agent
from ovsnp.kubernetes.connection import ApiConnection

if __name__ == "__main__":
    seconds = float(sys.argv.pop(1))
    with mock.patch.object(agent, "ApiConnection", partial(ApiConnection, read_timeout=seconds)):
        main()
