"""Fills the templates of the console; all values are escaped."""

from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ovsnp.render.program_text import TEMPLATES

_ENVIRONMENT = Environment(
    loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, autoescape=True, trim_blocks=True, lstrip_blocks=True
)


def render(template: str, values: Mapping[str, Any]) -> str:
    """The text of a template of ``templates/console``."""
    return _ENVIRONMENT.get_template(f"console/{template}").render(values)
