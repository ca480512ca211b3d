"""`verify` finds every random defect that changes what Open vSwitch does.

``OVSNP_PLANTED=300 pytest tests/planted`` tries more clusters; ``python -m tests.planted 300`` prints the results.
"""

import os

import pytest

from tests.planted.trial import DEFECTS, trials
from tests.support.instance import DummySwitch

CLUSTERS = int(os.environ.get("OVSNP_PLANTED", "5"))


@pytest.mark.parametrize("seed", range(CLUSTERS))
def test_a_defect_that_changes_something_is_found(dummy_switch: DummySwitch, seed: int) -> None:
    del dummy_switch  # which skips the test where Open vSwitch is missing
    found = list(trials(seed))
    assert len(found) == DEFECTS
    assert [(trial.planted.what, trial.difference) for trial in found if trial.missed] == []
