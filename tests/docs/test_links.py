"""Links between pages lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT

_LINK = re.compile(r"(?<!`)\[[^\]]+\]\((?P<target>[^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)

#: Pages that another part of the project writes when it measures.
_MEASURED = {ROOT / "docs" / "performance.md", ROOT / "docs" / "status.md"}


def anchors(page: Path) -> set[str]:
    """Anchors of a page's headings, as they are made from their texts on the web."""
    headings = _HEADING.findall(_FENCED.sub("", page.read_text()))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    wrong = []
    for link in _LINK.finditer(_FENCED.sub("", page.read_text())):
        path, _, anchor = link["target"].partition("#")
        if "://" in path:
            continue
        target = (page.parent / path).resolve() if path else page
        if not (target.exists() or target in _MEASURED):
            wrong.append(f"{link['target']}: there is no such file")
        elif anchor and anchor not in anchors(target):
            wrong.append(f"{link['target']}: there is no such heading")
    assert wrong == []


def test_every_page_is_linked():
    text = "".join(page.read_text() for page in PAGES)
    alone = [page for page in PAGES if f"{page.name}" not in text.replace(page.read_text(), "")]
    assert alone == [ROOT / "README.md"] or alone == []
