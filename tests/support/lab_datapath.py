"""The datapath of the tests' labs and the pace of the probes, from environment variables.

``OVSNP_LAB_DATAPATH``: ``netdev``, or ``system`` as in the virtual machine of `tests/kernel`.
``OVSNP_LAB_PACE``: for a slow machine, ``RATE PATIENCE [SAMPLE]`` (`ovsnp.lab.pace`).
"""

import os

from msgspec.structs import replace

from ovsnp.lab.datapath import DatapathType
from ovsnp.lab.pace import PATIENCE, RATE, Pace

DATAPATH = DatapathType(os.environ.get("OVSNP_LAB_DATAPATH", DatapathType.NETDEV))
IN_KERNEL = DATAPATH is DatapathType.SYSTEM


def _pace() -> Pace:
    rate, patience, *sample = os.environ.get("OVSNP_LAB_PACE", f"{RATE} {PATIENCE}").split()
    return Pace(float(rate), float(patience), *map(int, sample))


PACE = _pace()

SAMPLED = PACE if PACE.sample is not None else replace(PACE, sample=700)
"""The pace of a test that tries a tenth of all connections; `tests/lab/test_demo_policies.py` tries all of them."""


def patient(seconds: float) -> float:
    """The seconds to wait at this pace, where ``seconds`` are enough on a machine that is not slow."""
    return seconds * PACE.patience / PATIENCE
