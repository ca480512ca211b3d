"""Registers in the parts that a trace names."""

from ovsnp.analysis.verification.simulator.places import place
from ovsnp.pipeline.registers import CARRIED_SOURCE, CARRIED_SOURCE_PARTS


def test_parts_of_the_carried_source_are_all_of_it_highest_first() -> None:
    for version, field in CARRIED_SOURCE.items():
        whole, parts = place(field.base), [place(name) for name in CARRIED_SOURCE_PARTS[version]]
        assert whole is not None
        lsb = whole.lsb + whole.bits
        for part in parts:
            assert part is not None
            lsb -= part.bits
            assert (part.base, part.lsb) == (whole.base, lsb)
        assert lsb == whole.lsb
