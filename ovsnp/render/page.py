"""The page of ``ovsnp matrix``: one file with its style, script and data, which sends no request to any network."""

import hashlib
import json
from base64 import b64encode
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ovsnp.render.program_text import TEMPLATES


def render_page(data: dict[str, Any]) -> str:
    """The page with this data.

    Anybody may choose the names in it: the data is JSON in which no tag can begin or end, the script shows names as
    text only, and the policy of the page (https://www.w3.org/TR/CSP3/) allows no other script and no request.
    """
    loader = FileSystemLoader(TEMPLATES)
    environment = Environment(loader=loader, undefined=StrictUndefined, autoescape=True, keep_trailing_newline=True)
    script, style = (loader.get_source(environment, name)[0] for name in ("matrix.js", "matrix.css"))
    return environment.get_template("matrix.html.j2").render(
        data=script_data(data), script=script, style=style, script_hash=_hash(script), style_hash=_hash(style)
    )


def script_data(data: dict[str, Any]) -> str:
    """JSON without characters that HTML could read as markup."""
    text = json.dumps(data, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _hash(text: str) -> str:
    return f"sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
