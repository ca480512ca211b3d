"""The text that `ovs-ofctl bundle` loads."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ovsnp.flows.flow import Flow
from ovsnp.flows.program import Program
from ovsnp.pipeline.tables import BY_NAME

_PACKAGE = Path(__file__).parent.parent
_TEMPLATES = (_PACKAGE / "templates", _PACKAGE.parent / "templates")
"""In an installed package the templates lie within it, in a checkout beside it."""


def render_text(program: Program) -> str:
    """The program as commented ``flow add`` lines, grouped by table."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    tables = [
        (BY_NAME[name], list(_headed(flows))) for name, flows in groupby(program.flows, key=lambda flow: flow.table)
    ]
    return environment.get_template("flows.txt.j2").render(program=program, tables=tables)


def _headed(flows: Iterable[Flow]) -> Iterator[tuple[str, list[str]]]:
    for heading, group in groupby(flows, key=_heading):
        yield heading, [bundle_line(flow) for flow in group]


def _heading(flow: Flow) -> str:
    rules = "; ".join(map(str, flow.rules))
    return f"{flow.note}: {rules}" if rules and not flow.number else flow.note


def bundle_line(flow: Flow) -> str:
    """One flow as a line of an ``ovs-ofctl bundle`` file."""
    match = f",{flow.match}" if str(flow.match) else ""
    return (
        f"flow add cookie={flow.cookie:#018x},table={flow.table_id},priority={flow.priority}{match}"
        f" actions={flow.actions_text}"
    )
