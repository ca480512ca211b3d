"""Measures a standing lab: probe agents run at every host, for any number of matrices."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from ovsnp.lab.hosts import hosts
from ovsnp.lab.matrix import Matrix, measure, servers
from ovsnp.lab.pace import Pace
from ovsnp.lab.probes import Agents
from ovsnp.lab.standing import Lab
from ovsnp.oracle import Traffic


@contextmanager
def measuring(lab: Lab, traffics: Sequence[Traffic]) -> Iterator[Callable[[Pace], Matrix]]:
    """Give a function that measures the policies applied at the time of the call, at a pace.

    Raises SwitchError where an agent fails, as the function does.
    """
    found = hosts(lab.topology, lab.cluster, lab.runtime)
    with Agents(lab.runtime, [host.container for host in found]) as agents:
        agents.listen(servers(found, traffics))
        yield lambda pace: measure(agents, lab.cluster, found, traffics, pace, strict_nodes=lab.settings.strict_nodes)
