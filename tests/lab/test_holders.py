"""Another pod gets an address, with real sockets: on the kernel datapath connections live long."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ovsnp.lab.standing import BRIDGE
from ovsnp.model.options import Encap
from tests.lab.connections import SILENCE, Connection, connections
from tests.lab.ground import Ground
from tests.support.combinations import covering

pytestmark = pytest.mark.lab

CLIENT, SERVER, SERVICE = "default/frontend-1", "default/db-2", "default/db-2-only"
OTHERS = "default/web-1", "default/db-1"
NODES = {CLIENT: "node-1", SERVER: "node-2"}
NOBODY = """
kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata: {name: nobody}
spec: {policyTypes: [Ingress, Egress]}
"""


def apply_next(ground: Ground, directory: Path, holder: str, node: str) -> str:
    """Apply on one node: another pod now has the address of ``holder``, and no pod may connect to another."""
    shutil.copytree(ground.lab.topology.cluster_directory, directory)
    (directory / "nobody.yaml").write_text(NOBODY)
    name = f"name: {holder.removeprefix('default/')}\n"
    pods = directory / "pods-default.yaml"
    text = pods.read_text()
    assert text.count(name) == 1
    pods.write_text(text.replace(name, f"{name}  uid: the-next\n"))
    settings, container = ground.lab.settings, dict(ground.lab.nodes)[node]
    options = ["--bridge", BRIDGE, "--node", node, "--encap", settings.encap, "-f", str(directory)]
    options += ["--masquerade"] if settings.masquerade else []
    return ground.lab.runtime.run(container, [sys.executable, "-m", "ovsnp", "apply", *options])


@pytest.mark.parametrize(
    ("encap", "masquerade", "holder", "node"),
    covering(Encap, (False, True), (CLIENT, SERVER), ("node-1", "node-2"), strength=3),
)
def test_no_connection_passes_for_the_next_holder(
    grounds: Callable[[Encap], Ground], encap: Encap, masquerade: bool, holder: str, node: str, tmp_path: Path
) -> None:
    ground = grounds(encap)
    ground.lab.apply([], masquerade=masquerade)
    opened = (
        Connection(ground, CLIENT, SERVER, 7001),
        Connection(ground, CLIENT, SERVER, 6379, SERVICE),
        Connection(ground, *OTHERS, 7001),
    )
    with connections(*opened) as (direct, served, others):
        said = apply_next(ground, tmp_path / "next", holder, node)
        assert "connections of pods that are gone: " in said
        assert others.client_speaks()
        assert others.server_speaks()
        for connection in (direct, served):
            assert not connection.client_speaks(SILENCE)
        assert not direct.server_speaks(SILENCE)
