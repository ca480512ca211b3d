"""SCTP with real sockets, from pod to pod and through a Service; only where the kernel has SCTP.

Databases admit frontends at one port.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from ovsnp.lab.matrix_text import failure
from ovsnp.lab.measuring import measuring
from ovsnp.lab.probes import Agents, Probe, sctp_available
from ovsnp.model.options import Encap
from ovsnp.model.ports import Protocol
from ovsnp.oracle import Traffic
from tests.lab.ground import Ground
from tests.support.lab_datapath import IN_KERNEL, PACE, patient

pytestmark = [pytest.mark.lab, pytest.mark.skipif(not sctp_available(), reason="this kernel has no SCTP")]

DATABASES = ("default/db-1", "default/db-2")
FRONTENDS = ("default/frontend-1", "default/frontend-2")
ADMITTED, OTHER = Traffic(Protocol.SCTP, 7000), Traffic(Protocol.SCTP, 9899)
MANIFESTS = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: sctp, namespace: default}
spec:
  podSelector: {matchLabels: {role: db}}
  ingress:
    - from: [{podSelector: {matchLabels: {role: frontend}}}]
      ports: [{protocol: SCTP, port: 7000}]
---
apiVersion: v1
kind: Service
metadata: {name: sctp, namespace: default}
spec:
  clusterIPs: [10.96.0.102, "fd00:10:96::102"]
  ipFamilyPolicy: RequireDualStack
  ipFamilies: [IPv4, IPv6]
  selector: {role: db}
  ports: [{name: sctp, protocol: SCTP, port: 7777, targetPort: 7000}]
"""


@pytest.fixture(scope="module", params=Encap)
def ground(
    request: pytest.FixtureRequest, grounds: Callable[[Encap], Ground], tmp_path_factory: pytest.TempPathFactory
) -> Ground:
    file: Path = tmp_path_factory.mktemp("manifests") / "sctp.yaml"
    file.write_text(MANIFESTS)
    made = grounds(request.param)
    made.lab.apply([str(file)])
    return made


def test_every_association_is_as_the_oracle_says(ground: Ground) -> None:
    with measuring(ground.lab, [ADMITTED, OTHER]) as measured:
        matrix = measured(PACE)
    assert [failure(cell) for cell in matrix.failed[:10]] == []
    assert {cell.allowed for cell in matrix.cells} == {True, False}


@pytest.mark.skipif(not IN_KERNEL, reason="conntrack of the userspace datapath may not translate ports of SCTP")
@pytest.mark.parametrize("masquerade", [False, True], ids=["kept", "masquerade"])
def test_a_service_is_reached_by_whom_the_policy_admits(ground: Ground, masquerade: bool) -> None:
    ground.lab.apply(ground.lab.settings.manifests, masquerade=masquerade)
    clients = [*FRONTENDS, "default/plain-1", "default/web-2"]
    tries = [(name, version) for name in clients for version in (4, 6)]
    containers = {name: ground.hosts[name].container for name in (*clients, *DATABASES)}
    with Agents(ground.lab.runtime, containers.values()) as agents:
        agents.listen(
            {
                containers[name]: [("sctp", ground.address(name, version), 7000) for version in (4, 6)]
                for name in DATABASES
            }
        )
        results = agents.run([probe(ground, *one) for one in tries], patient(6.0), PACE.rate)
    outcomes = {one: result.outcome for one, result in zip(tries, results, strict=True)}
    assert outcomes == {one: "connected" if one[0] in FRONTENDS else "silence" for one in tries}


def probe(ground: Ground, client: str, version: int) -> Probe:
    there = ground.cluster_ip("default/sctp", version)
    return Probe(ground.hosts[client].container, "sctp", ground.address(client, version), there, 7777)
