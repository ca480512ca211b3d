"""docs/pipeline.md agrees with the declaration of the pipeline."""

from ovsnp.pipeline import registers
from ovsnp.pipeline.fields import Field
from ovsnp.pipeline.page import page
from ovsnp.pipeline.tables import BY_NAME, TABLES
from tests.support.checkout import ROOT

PAGE = ROOT / "docs" / "pipeline.md"


def test_the_page_is_made_from_the_declaration() -> None:
    assert page() == PAGE.read_text(), "python -m ovsnp.pipeline.page > docs/pipeline.md"


def test_tables_only_lead_onwards() -> None:
    for table in TABLES:
        assert all(BY_NAME[name].id > table.id for name in (*table.next, *table.lookups)), table.name


def test_no_two_register_fields_share_a_bit() -> None:
    taken: dict[tuple[str, int], str] = {}
    for field in registers.MEANINGS:
        for bit in range(field.lsb, field.lsb + field.bits):
            assert taken.setdefault((field.base, bit), field.name) == field.name
            assert bit < field.base_bits


def test_every_register_field_is_on_the_page() -> None:
    values = vars(registers).values()
    by_family = [field for value in values if isinstance(value, dict) for field in value.values()]
    declared = {value for value in (*values, *by_family) if isinstance(value, Field)}
    assert declared == set(registers.MEANINGS)
