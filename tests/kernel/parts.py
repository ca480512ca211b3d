"""The commands for the virtual machine: the tests of `tests/lab`, at a pace that it keeps up with, and a benchmark."""

from collections.abc import Mapping, Sequence

# At 120 probes a second the kernel loses upcalls, and nearly no probe is answered.
_SETTINGS = ("OVSNP_LAB_DATAPATH=system", "OVSNP_LAB_PACE=10 4 150")
_PYTEST = ("env", *_SETTINGS, "python", "-m", "pytest", "-p", "ovsnp.pytest_plugin", "-p", "no:cacheprovider")

PARTS: Mapping[str, Sequence[Sequence[str]]] = {
    "short": [
        (*_PYTEST, "tests/lab/test_applied.py", "tests/lab/test_megaflows.py", "-k", "geneve and masquerade"),
    ],
    "whole": [
        (*_PYTEST, "--durations=20", "tests/lab"),
        ("python", "-m", "bench", "throughput", "--datapath", "system", "--runs", "3"),
    ],
}
"""Commands, by the name that ``--part`` takes."""
