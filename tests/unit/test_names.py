"""A public class has a name of its own: no two classes of ovsnp share one."""

import ast
from collections import defaultdict
from collections.abc import Mapping

from tests.support.checkout import ROOT


def shared_names(sources: Mapping[str, str]) -> dict[str, list[str]]:
    """The names that several public top-level classes have, each with the files of these classes."""
    files: dict[str, list[str]] = defaultdict(list)
    for file, source in sources.items():
        for node in ast.parse(source).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                files[node.name].append(file)
    return {name: found for name, found in files.items() if len(found) > 1}


def test_no_two_public_classes_share_a_name() -> None:
    files = sorted((ROOT / "ovsnp").rglob("*.py"))
    assert shared_names({str(file.relative_to(ROOT)): file.read_text() for file in files}) == {}


def test_shared_name_is_found() -> None:
    sources = {"a.py": "class C: ...\nclass _D: ...", "b.py": "class C: ...\nclass _D: ...", "c.py": "class E: ..."}
    assert shared_names(sources) == {"C": ["a.py", "b.py"]}
