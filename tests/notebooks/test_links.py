"""Links lead somewhere, and outputs ask nobody outside."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.notebooks.course import FOLDER, NUMBERED, ROOT, SHEETS, TEMPLATES, code_cells, prose, read
from tests.support.sources import load_program

PAGES = [*NUMBERED, *TEMPLATES, *SHEETS, FOLDER / "README.md", ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
PAGES += sorted((ROOT / "docs").rglob("*.md"))
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|<a [^>]*href=\"([^\"]+)\"|!\[[^\]]*\]\(([^)\s]+)\)")
OUTSIDE = re.compile(r"(?:https?:)?//(?!(?:your-survey\.com|mytestsurvey\.com)\b)[a-z0-9-]+(?:\.[a-z0-9-]+)+", re.I)
LOADS = re.compile(
    r"<(?:script|link|iframe|img|object|embed)\b[^>]*(?:src|href|data)=(?![\"']data:)|@import|url\(|requirejs|require\("
)


def text_of(page: Path) -> str:
    return prose(read(page)) if page.suffix == ".ipynb" else page.read_text(encoding="utf-8")


def links(page: Path) -> list[str]:
    text = re.sub(r"```.*?```|`[^`\n]*`", "", text_of(page), flags=re.DOTALL)
    return [next(filter(None, groups)) for groups in LINK.findall(text)]


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings: JupyterLab keeps the words and capitals, the web makes them small."""
    headings = re.findall(r"^#+ (.+)$", text_of(page), re.MULTILINE)
    plain = [re.sub(r"[`*]", "", heading).strip() for heading in headings]
    small = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in plain}
    return small if page.suffix == ".md" else {heading.replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_links_lead_to_a_page_that_exists_and_to_a_heading_in_it(page: Path) -> None:
    for link in links(page):
        target, _, anchor = link.partition("#")
        if target.startswith("engineers/api/"):  # made with the site, from what is public
            continue
        if re.match(r"https?:", target):
            assert page.parent not in (FOLDER, FOLDER / "templates", FOLDER / "sheets"), (
                f"a notebook has to work without a network: {link}"
            )
            continue
        there = (page.parent / unquote(target)).resolve() if target else page
        assert there.exists(), link
        assert there.is_relative_to(ROOT)
        if anchor:
            assert unquote(anchor) in anchors(there), link


def test_every_notebook_is_linked_from_another() -> None:
    linked = {
        (page.parent / link.partition("#")[0]).resolve()
        for page in [*NUMBERED, *TEMPLATES]
        for link in links(page)
        if not link.startswith("http")
    }
    assert {path for path in NUMBERED if path not in linked} == set()


@pytest.mark.parametrize("page", NUMBERED, ids=lambda path: path.stem)
def test_no_output_names_or_asks_a_host_outside(page: Path) -> None:
    shown = "\n".join(
        str(part)
        for cell in code_cells(read(page))
        for output in cell.outputs
        for part in [
            output.get("text", ""),
            *(data for kind, data in output.get("data", {}).items() if "png" not in kind),
        ]
    )
    assert OUTSIDE.findall(shown) == []
    assert LOADS.findall(shown) == []


def test_an_outside_host_and_a_loaded_script_would_be_found() -> None:
    assert OUTSIDE.search('<script src="https://cdn.example.org/a.js">')
    assert OUTSIDE.search("see //unpkg.com/lib")
    assert LOADS.search('<script src="a.js">')
    assert LOADS.search('<img alt="x" src="a.png">')
    assert not LOADS.search('<img alt="x" src="data:image/svg+xml;base64,aaaa">')
    assert not OUTSIDE.search("https://your-survey.com?RID=[%RID%]")


def test_binder_opens_the_first_notebook_by_an_address_or_by_a_badge() -> None:
    """The badge needs the address of the repository, which is set once; until then a reader types it."""
    tool = load_program("tools/set_repository.py")
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (place,) = re.findall(r"<!-- binder -->.*`(\S+)`\.\n<!-- /binder -->", text, re.DOTALL)
    assert (ROOT / place).exists()
    assert f"/lab/tree/{place}" in (ROOT / "binder" / "postBuild").read_text(encoding="utf-8")
    badge = tool.with_binder(text, "https://github.com/someone/cint_nb")
    assert f"https://mybinder.org/v2/gh/someone/cint_nb/HEAD?urlpath=lab/tree/{place}" in badge
    assert tool.with_binder(badge, "") == text
