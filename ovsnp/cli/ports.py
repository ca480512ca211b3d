"""The ports that a command compiles for, and what is said about the pods without one."""

from collections.abc import Iterable, Sequence

from ovsnp import assume_ports, local_pods
from ovsnp.cli.options import Request
from ovsnp.cli.settings_file import read_ports_file
from ovsnp.model.bridge import BridgePorts, Oddity
from ovsnp.model.cluster import Cluster
from ovsnp.model.options import Options


def choose_ports(request: Request, cluster: Cluster, options: Options) -> BridgePorts:
    """The ports to compile for: from the ports file, or from the database if there is one, or else assumed.

    Raises UsageError or SwitchError if one of these cannot be read.
    """
    pods = local_pods(cluster, options.node)
    if request.ports:
        return read_ports_file(request.ports)
    if request.db or request.location.there:
        from ovsnp.switch.ovsdb import Database  # noqa: PLC0415 -- python-ovs takes time to import
        from ovsnp.switch.ports import read_ports  # noqa: PLC0415

        with Database(request.location) as database:
            return read_ports(database.interfaces(options.bridge), pods)
    return assume_ports(pods)


def tell_ports(request: Request, cluster: Cluster, options: Options, ports: BridgePorts) -> None:
    """Name the local pods that ``ports``, from `choose_ports`, leave out, and the reasons."""
    lacking = (pod.key for pod in local_pods(cluster, options.node) if pod.key not in ports.pods)
    tell_left_out(request, lacking, ports.odd)


def tell_left_out(request: Request, without_port: Iterable[str], odd: Sequence[Oddity]) -> None:
    """Name the local pods that have no port yet, and what is wrong with the interfaces of pods."""
    for each in odd:
        request.tell(f"{each.pod}: {'closed' if each.closed else 'note'}: {each.message}")
    closed = {each.pod for each in odd if each.closed}
    for key in (key for key in without_port if key not in closed):
        lacking = f"no interface on {request.bridge} has external_ids:iface-id={key} yet"
        request.tell(f"{key}: left out: {f'{request.ports} has no port of the pod' if request.ports else lacking}")
