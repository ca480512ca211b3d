"""Makes docs/pipeline.md from the declaration: ``python -m ovsnp.pipeline.page > docs/pipeline.md``."""

from collections.abc import Iterable

from ovsnp.pipeline.conntrack import ZONE
from ovsnp.pipeline.datapath import ABSENCES, OLDEST, WITNESS
from ovsnp.pipeline.fields import Field
from ovsnp.pipeline.registers import MEANINGS
from ovsnp.pipeline.tables import TABLES, Table

_HEAD = """\
# The pipeline

`python -m ovsnp.pipeline.page` makes this page from `ovsnp/pipeline/`; a test checks that it is up to date. Every flow
is checked against these declarations when it is built: a match or action that the table does not declare is an error.

## Tables

A packet starts in table 0 and goes on to later tables only. A table that another table *asks* returns to that table.
"""

_REGISTERS = """
## Registers and connection memory

Registers start at 0 for every packet. The mark and the label stay with the connection:
`ovs-appctl dpctl/dump-conntrack` shows which rules admitted a live connection.

| where | name | holds |
|---|---|---|
"""

_DATAPATH = """
## What the datapath must have

Every flow is also checked against the features of the oldest supported datapath, that of Linux 5.10. The features, by
the names of `ovs-appctl dpif/show-dp-features`: {features}.

A packet may lack a field that a flow matches. A datapath stores the path of a packet as a megaflow. If a megaflow
cannot say that a field is absent, packets with and without the field share the megaflow, so no verdict may depend on
the absence of this field.

| absent | in the megaflow |
|---|---|
"""


def page() -> str:
    """The page, as Markdown."""
    zones = ", ".join(f"{zone} for IPv{version}" for version, zone in ZONE.items())
    return (
        _HEAD
        + "".join(map(_table, TABLES))
        + _REGISTERS
        + "".join(f"| `{_bits(field)}` | {field.name} | {meaning} |\n" for field, meaning in MEANINGS.items())
        + "| `ct_mark` | origin_node | number of the node whose tunnel the connection came through; 0: none |\n"
        + f"\nConntrack zones: {zones}.\n"
        + _DATAPATH.format(features=", ".join(sorted(OLDEST)))
        + "".join(f"| {what} | {how} |\n" for what, how in ABSENCES.items())
        + f"\nFlows that match one of {_names(WITNESS)} also match {_witnesses()}; every program is checked for this.\n"
    )


def _witnesses() -> str:
    return ", ".join(sorted({f"`{witness.field.name}={witness.value:#x}`" for witness in WITNESS.values()}))


def _table(table: Table) -> str:
    rows = (
        ("matches", _names(table.matches)),
        ("sets", _names(table.sets)),
        ("asks", ", ".join(table.lookups)),
        ("adds flows to", ", ".join(table.learns)),
        ("goes on to", ", ".join(table.next)),
        ("sends", "packets out of the bridge" if table.outputs else ""),
        ("reports", "packets that it drops, with --log-drops" if table.reports else ""),
        ("no match", table.miss),
    )
    lines = "".join(f"- {name}: {value}\n" for name, value in rows if value)
    return f"\n### {table.id} {table.name}\n\n{table.purpose[0].upper()}{table.purpose[1:]}.\n\n{lines}"


def _names(fields: Iterable[Field]) -> str:
    return ", ".join(sorted(f"`{field.name}`" for field in fields))


def _bits(field: Field) -> str:
    if field.whole:
        return field.base
    last = field.lsb + field.bits - 1
    return f"{field.base}[{field.lsb}]" if field.bits == 1 else f"{field.base}[{field.lsb}..{last}]"


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201 -- printing is what it is for
