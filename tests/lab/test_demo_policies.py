"""The demo's policies on two nodes, real connections of both families, over both encapsulations.

Every cell is compared with the oracle. The cells are also compared with the meaning of the policies, written by hand,
so that the tests find an error that oracle and compiler share. Over Geneve all cells are tried without policies and
with all of them. Otherwise the databases' cells are tried, which the policies are about, and a sample of the others.
"""

import itertools
from collections.abc import Callable, Sequence

import pytest

from ovsnp.analysis.wording.ports import traffic_name
from ovsnp.lab import standing
from ovsnp.lab.demo import policies
from ovsnp.lab.journal import Settings
from ovsnp.lab.matrix import Case, Matrix, concerned
from ovsnp.lab.matrix_text import failure
from ovsnp.lab.measuring import measuring
from ovsnp.lab.pace import Pace
from ovsnp.lab.runtime import CONTAINERLAB, NETNS
from ovsnp.lab.standing import Lab
from ovsnp.model.address import family
from ovsnp.model.options import Encap
from tests.lab.ground import Ground
from tests.support.lab_commands import SHIPPED
from tests.support.lab_datapath import PACE

DATABASES = {"default/db-1", "default/db-2"}
FRONTENDS = {"default/frontend-1", "default/frontend-2"}
WEB = {"default/web-1", "default/web-2"}
NODES = {"node/node-1", "node/node-2"}
MYPROJECT = {f"myproject/{role}-{number}" for role in ("db", "frontend", "web", "plain") for number in (1, 2)}


class AroundDatabases(Pace, frozen=True):
    """All connections from and to the databases, and a sample of the others."""

    def of(self, everything: Sequence[Case]) -> Sequence[Case]:  # type: ignore[override]
        around: dict[bool, list[Case]] = {True: [], False: []}
        for case in everything:
            around[case.source.name in DATABASES or case.destination.name in DATABASES].append(case)
        return [*around[True], *super().of(around[False])]


class Measured:
    """The matrices after none, one, two, three, four policies."""

    def __init__(self, matrices: list[Matrix], encap: Encap) -> None:
        self.matrices, self.encap = matrices, encap
        self.everyone = {host.name for host in matrices[0].hosts}

    def tried(self, count: int, traffic: str, version: int) -> set[tuple[str, str]]:
        """The pairs that were tried with ``count`` policies applied."""
        return {
            (cell.case.source.name, cell.case.destination.name)
            for cell in self.matrices[count].cells
            if traffic_name(cell.case.traffic) == traffic and family(cell.case.destination_address) == version
        }

    def reach(self, count: int, traffic: str, version: int) -> set[tuple[str, str]]:
        """The pairs that connect with ``count`` policies applied."""
        return {
            (cell.case.source.name, cell.case.destination.name)
            for cell in self.matrices[count].cells
            if traffic_name(cell.case.traffic) == traffic
            and family(cell.case.destination_address) == version
            and cell.result.connected
        }

    def clients(self, count: int, traffic: str, version: int) -> set[str]:
        """The hosts that connect to every database, without the databases."""
        reached = self.reach(count, traffic, version)
        return {one for one in self.everyone - DATABASES if all((one, other) in reached for other in DATABASES)}

    def servers(self, count: int, traffic: str, version: int) -> set[str]:
        """The hosts to which every database connects, without the databases."""
        reached = self.reach(count, traffic, version)
        return {one for one in self.everyone - DATABASES if all((other, one) in reached for other in DATABASES)}


SOME = AroundDatabases(PACE.rate, PACE.patience, sample=500)

GROUNDS = [
    *((NETNS, encap) for encap in Encap),
    *(pytest.param((CONTAINERLAB, encap), marks=pytest.mark.containerlab) for encap in Encap),
]


@pytest.fixture(scope="module", params=GROUNDS, ids="-".join)
def measured(request: pytest.FixtureRequest, grounds: Callable[[Encap], Ground]) -> Measured:
    runtime, encap = request.param
    if runtime == NETNS:
        return measured_on(grounds(encap).lab, encap)
    with standing.temporary(Settings(f"policies-{encap}", runtime, str(SHIPPED), encap), lambda _: None) as lab:
        return measured_on(lab, encap)


def measured_on(lab: Lab, encap: Encap) -> Measured:
    files = [str(file) for file in policies(lab.topology)]
    traffics = concerned(lab.load(files))
    matrices = []
    with measuring(lab, traffics) as measure:
        for count in range(len(files) + 1):
            lab.apply(files[:count])
            for _, node in lab.nodes:
                # The databases' cells come first: they must not meet megaflows of the last policies.
                lab.runtime.run(node, ["ovs-appctl", "revalidator/purge"])
            whole = encap is Encap.GENEVE and count in (0, len(files))
            matrices.append(measure(PACE if whole or PACE.sample is not None else SOME))
    return Measured(matrices, encap)


pytestmark = [pytest.mark.lab, pytest.mark.parametrize("version", [4, 6])]


@pytest.mark.parametrize("count", range(5))
def test_every_cell_is_as_the_oracle_says(measured: Measured, version: int, count: int) -> None:
    wrong = [cell for cell in measured.matrices[count].failed if family(cell.case.source_address) == version]
    assert [failure(cell) for cell in wrong[:10]] == []


by_hand = pytest.mark.skipif(PACE.sample is not None, reason="sentences are about all cells, and a sample is tried")


@by_hand
def test_without_policy_everyone_reaches_everyone(measured: Measured, version: int) -> None:
    pods = {name for name in measured.everyone if "/" in name} - NODES
    pairs = {
        (one, other) for one, other in itertools.permutations(measured.everyone, 2) if one in pods or other in pods
    }
    for traffic in ("6379/tcp", "80/tcp", "53/udp", "icmp"):
        tried = measured.tried(0, traffic, version)
        assert tried == pairs if measured.encap is Encap.GENEVE else tried < pairs
        assert measured.reach(0, traffic, version) == tried


@by_hand
def test_the_first_policy_admits_frontends_to_one_port(measured: Measured, version: int) -> None:
    assert measured.clients(1, "6379/tcp", version) == FRONTENDS | NODES
    for traffic in ("80/tcp", "53/udp", "icmp"):
        assert measured.clients(1, traffic, version) == NODES
    assert measured.servers(1, "80/tcp", version) == measured.everyone - DATABASES


@by_hand
def test_the_second_policy_adds_a_project(measured: Measured, version: int) -> None:
    assert measured.clients(2, "6379/tcp", version) == FRONTENDS | NODES | MYPROJECT
    assert measured.clients(2, "80/tcp", version) == NODES


@by_hand
def test_the_third_policy_leaves_one_block_but_one_address(measured: Measured, version: int) -> None:
    block = {"host-39"} if version == 4 else set()
    for traffic in ("6379/tcp", "80/tcp", "53/udp", "icmp"):
        assert measured.servers(3, traffic, version) == block | NODES
    assert measured.clients(3, "6379/tcp", version) == FRONTENDS | NODES | MYPROJECT


@by_hand
def test_the_fourth_policy_adds_web_servers(measured: Measured, version: int) -> None:
    block = {"host-39"} if version == 4 else set()
    for traffic in ("6379/tcp", "80/tcp", "53/udp", "icmp"):
        assert measured.servers(4, traffic, version) == block | NODES | WEB
    assert measured.clients(4, "6379/tcp", version) == FRONTENDS | NODES | MYPROJECT
