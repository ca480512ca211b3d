"""Pass 5: a program to text, through templates, or to JSON."""

from ovsnp.render.bundle import bundle_line, delete_line, group_line, insert_line, render_changes
from ovsnp.render.program_json import flow_document, render_json, rule_documents
from ovsnp.render.program_text import render_text

__all__ = [
    "bundle_line",
    "delete_line",
    "flow_document",
    "group_line",
    "insert_line",
    "render_changes",
    "render_json",
    "render_text",
    "rule_documents",
]
