"""Edits the text of YAML and JSON files: what does not change keeps every byte, comments and order included.

`FileText` edits a file: it replaces, adds and removes objects, and puts other text in the place of an object's text.
Nothing here depends on the kinds of the Kubernetes API.
"""

from ovsnp.yaml_editor.file_text import EditRefusedError, FileText
from ovsnp.yaml_editor.writing import block_text

__all__ = ["EditRefusedError", "FileText", "block_text"]
