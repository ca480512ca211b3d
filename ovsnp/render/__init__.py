"""Pass 5: a program to text, through templates, or to JSON."""

from ovsnp.render.json import render_json
from ovsnp.render.text import bundle_line, render_text

__all__ = ["bundle_line", "render_json", "render_text"]
