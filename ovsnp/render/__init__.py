"""Pass 5: renders a program as text, through templates, or as JSON."""

from ovsnp.render.bundle import bundle_line, delete_line, group_line, modification_line, render_changes
from ovsnp.render.program_json import CompileDocument, PolicyRule, Priority, compiled_flow, policy_rules, render_json
from ovsnp.render.program_text import render_text

__all__ = [
    "CompileDocument",
    "PolicyRule",
    "Priority",
    "bundle_line",
    "compiled_flow",
    "delete_line",
    "group_line",
    "modification_line",
    "policy_rules",
    "render_changes",
    "render_json",
    "render_text",
]
