"""The lab's demo, live: a real API server, an agent on each node, and the policies applied by kubectl."""

from collections.abc import Sequence

from ovsnp.lab import standing
from ovsnp.lab.demo import Show, demonstrate, policies
from ovsnp.lab.journal import Settings
from ovsnp.lab.matrix import concerned
from ovsnp.lab.measuring import measuring
from ovsnp.lab.pace import Pace
from ovsnp.lab.runtime import NETNS
from ovsnp.lab.shipped import shipped_topology
from ovsnp.lab.standing import Lab, Tell
from ovsnp.lab.topology import read
from ovsnp.model.options import Encap
from tests.cluster.control_plane import ControlPlane


def live(control_plane: ControlPlane, name: str, show: Show, tell: Tell) -> bool:
    """Build a lab that follows the control plane, show the demo's policies there, delete them, and remove the lab.

    True if every cell was as expected, also without the policies again.
    """
    topology = read(shipped_topology())
    control_plane.load(topology.cluster_directory)
    settings = Settings(name, NETNS, str(topology.file), Encap.GENEVE, agents=str(control_plane.kubeconfig))
    with standing.temporary(settings, tell) as lab:

        def enforce(files: Sequence[str]) -> None:
            for file in files:
                control_plane.kubectl("apply", "-f", file)
            lab.settle()

        good = demonstrate(lab, show, enforce)
        return _without_policies(control_plane, lab, tell) and good


def _without_policies(control_plane: ControlPlane, lab: Lab, tell: Tell) -> bool:
    traffics = concerned(lab.cluster)
    control_plane.kubectl("delete", *(word for file in policies(lab.topology) for word in ("-f", str(file))))
    lab.settle()
    tell("measuring without the policies again")
    with measuring(lab, traffics) as measured:
        return not measured(Pace()).failed
