"""Links between the pages have targets, and every command has a page."""

import re
from pathlib import Path

import pytest

from ovsnp.cli import COMMANDS
from tests.support.checkout import ROOT

PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "containerlab" / "README.md",
    *(ROOT / "docs").glob("*.md"),
]
LINK = re.compile(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)")
WITHOUT_PAGE = {"completion"}


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for path, anchor in LINK.findall(page.read_text()):
        target = page.parent / path if path else page
        assert target.exists(), path
        assert not anchor or anchor in anchors(target), f"{path}#{anchor}"


def test_every_command_has_a_page_that_the_index_names() -> None:
    index = (ROOT / "docs" / "README.md").read_text()
    for name in COMMANDS.keys() - WITHOUT_PAGE:
        assert (ROOT / "docs" / f"{name}.md").is_file()
        assert f"| [{name}]({name}.md) |" in index
