"""The text that `ovs-ofctl bundle` loads."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ovsnp.flows.flow import Flow
from ovsnp.flows.group import Group
from ovsnp.flows.program import Program
from ovsnp.gc_pause import gc_paused
from ovsnp.model.options import Encap
from ovsnp.pipeline import drop_log
from ovsnp.pipeline.carrier import option_map
from ovsnp.pipeline.tables import BY_NAME
from ovsnp.render.bundle import bundle_line, group_line

_PACKAGE = Path(__file__).parent.parent
TEMPLATES = (_PACKAGE / "templates", _PACKAGE.parent / "templates")
"""The directories of the templates: inside an installed package, beside the package in a checkout."""


@gc_paused()
def render_text(program: Program) -> str:
    """The program as commented ``flow add`` lines, grouped by table."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    # The template takes the tables one by one, so that memory need not hold all of them at once.
    tables = ((BY_NAME[name], _headed(flows)) for name, flows in groupby(program.flows, key=lambda flow: flow.table))
    services = [
        (service, list(map(group_line, groups)))
        for service, groups in groupby(sorted(program.groups, key=_by_service), key=lambda group: group.service)
    ]
    options = ",".join(map(str, option_map(program.options.carrier))) if program.options.encap is Encap.GENEVE else ""
    meter = drop_log.meter_text() if program.options.log_drops else ""
    return environment.get_template("flows.txt.j2").render(
        program=program, options=options, meter=meter, services=services, tables=tables
    )


def _by_service(group: Group) -> tuple[str, int]:
    return group.service, group.id


def _headed(flows: Iterable[Flow]) -> Iterator[tuple[str, list[str]]]:
    for heading, group in groupby(flows, key=_heading):
        yield heading, [bundle_line(flow) for flow in group]


def _heading(flow: Flow) -> str:
    rules = "; ".join(map(str, flow.rules))
    return f"{flow.note}: {rules}" if rules and not flow.number else str(flow.note)
