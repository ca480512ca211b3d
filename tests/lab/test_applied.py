"""A lab with applied policies: a second apply changes nothing, the flows are proved, connections are as expected."""

from collections.abc import Callable

import pytest

from ovsnp.lab.demo import policies
from ovsnp.lab.matrix import concerned
from ovsnp.lab.matrix_text import failure
from ovsnp.lab.measuring import measuring
from ovsnp.lab.standing import BRIDGE
from ovsnp.model.options import Encap
from tests.lab.ground import Ground
from tests.support.lab_datapath import SAMPLED

pytestmark = pytest.mark.lab
each_node = pytest.mark.parametrize("node", ["node-1", "node-2"])


@pytest.fixture(scope="module", params=Encap)
def encapsulated(request: pytest.FixtureRequest, grounds: Callable[[Encap], Ground]) -> Ground:
    return grounds(request.param)


@pytest.fixture(scope="module", params=[False, True], ids=["kept", "masquerade"])
def ground(request: pytest.FixtureRequest, encapsulated: Ground) -> Ground:
    files = [str(file) for file in policies(encapsulated.lab.topology)]
    encapsulated.lab.apply(files, masquerade=request.param)
    return encapsulated


@each_node
def test_a_second_apply_is_empty(ground: Ground, node: str) -> None:
    assert ground.ovsnp(node, "apply") == f"{BRIDGE}: flows: nothing to change\n"
    assert ground.ovsnp(node, "diff") == ""


@each_node
def test_the_flows_on_the_bridge_are_proved(ground: Ground, node: str) -> None:
    assert ground.ovsnp(node, "verify", "--live").startswith("PROVED ")


def test_every_connection_is_as_the_oracle_says(ground: Ground) -> None:
    with measuring(ground.lab, concerned(ground.lab.cluster)) as measured:
        matrix = measured(SAMPLED)
    assert [failure(cell) for cell in matrix.failed[:10]] == []
    assert 0.1 < sum(cell.allowed for cell in matrix.cells) / len(matrix.cells) < 0.95
