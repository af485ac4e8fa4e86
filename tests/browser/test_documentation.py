"""The documentation, opened as files: its search works, it asks nobody for anything, and it fits every screen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

pytestmark = pytest.mark.browser

SITE = Path(__file__).parents[2] / ".nox" / "documentation" / "html"
LOOKED_AT = [
    "index",
    "analysts/front_ends",
    "analysts/privacy",
    "analysts/recipes",
    "analysts/start",
    "analysts/going_live",
    "analysts/troubleshooting",
    "course/00-start-here",
    "course/92-when-the-exchange-and-we-disagree",
    "engineers/api/wave",
    "faults",
    "measures",
]


@pytest.fixture(scope="session", autouse=True)
def site() -> Path:
    """Return the folder of the pages, which `nox -s docs` has made."""
    if not (SITE / "index.html").is_file():
        pytest.fail("there is no documentation to open: run nox -s docs first")
    return SITE


@pytest.fixture(params=["light", "dark"])
def page(request: pytest.FixtureRequest, chromium: Any) -> Iterator[Any]:
    context = chromium.new_context(color_scheme=request.param, viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


@pytest.fixture
def phone(chromium: Any) -> Iterator[Any]:
    context = chromium.new_context(viewport={"width": 375, "height": 800})
    yield context.new_page()
    context.close()


def address(name: str) -> str:
    return (SITE / f"{name}.html").as_uri()


def found_pages(phone: Any, words: str) -> list[str]:
    """Return the pages that the search of the opened files finds, the first hit first."""
    phone.goto(f"{address('search')}?q={words}")
    phone.wait_for_selector("ul.search li a")
    phone.wait_for_function("document.querySelector('.search-summary')?.innerText.includes('found')")
    found = phone.eval_on_selector_all("ul.search li a", "links => links.map(link => link.getAttribute('href'))")
    return list(dict.fromkeys(link.partition(".html")[0] for link in found))


QUESTIONS = [
    ("Which ids were rejected?", "rejected ids", "course/50-find-and-resubmit-rejected"),
    ("My kernel ended during an upload: what now?", "kernel ended", "analysts/recipes"),
    ("RSID or RID: which do I have?", "respondent id one per person", "course/20-read-and-check-respondents"),
    ("How do I go live?", "first ten ids", "analysts/going_live"),
    ("What does this message mean?", "type of ID is not known", "analysts/troubleshooting"),
    ("Does it work on Colab?", "Colab", "analysts/front_ends"),
    ("Can I try it without installing anything?", "without installing", "analysts/in_the_browser"),
    ("How do I install it for Excel files?", "install Excel", "analysts/start"),
    ("How do I set a budget?", "launch budget", "course/60-launch-and-monitor"),
    ("Somebody withdrew: what do I do?", "withdraw", "analysts/recipes"),
    ("Is this in line with the GDPR?", "GDPR", "analysts/privacy"),
    ("What about privacy?", "privacy", "analysts/privacy"),
    ("Where is personal data kept?", "personal data", "analysts/privacy"),
    ("How do I run it every morning?", "schedule server", "analysts/recipes"),
    ("Who stayed from wave to wave?", "retention", "course/80-follow-waves"),
    ("Which reason codes reject a complete?", "reason codes", "reconciliation"),
    ("Which variables can I set?", "CINT_NB_JOURNAL", "engineers/command_line"),
    ("Somebody changed my wave: what now?", "colleague changed", "course/92-when-the-exchange-and-we-disagree"),
    ("What does BudgetExceeded mean?", "BudgetExceeded", "engineers/api/errors"),
]


@pytest.mark.parametrize(("question", "words", "page"), QUESTIONS, ids=lambda text: text if "?" in text else "")
def test_the_search_finds_the_page_that_answers(phone: Any, question: str, words: str, page: str) -> None:
    """A question, the words typed into the search of the opened files, and the page that has the answer."""
    pages = found_pages(phone, words)
    assert page in pages[:8], (question, pages[:8])


@pytest.mark.parametrize("words", ["withdraw", "launch budget", "personal data"])
def test_pages_that_hold_every_word_somewhere_do_not_stand_before_those_that_answer(phone: Any, words: str) -> None:
    assert not {"changelog", "contributing"} & set(found_pages(phone, words))


def test_the_site_without_a_server_is_one_click_away_where_it_was_built(phone: Any) -> None:
    phone.goto(address("analysts/in_the_browser"))
    links = phone.locator("a.lite")
    if not (SITE / "lite").is_dir():  # built without `--lite`
        assert links.count() == 0
        assert "nox -s lite" in phone.inner_text("article")
        return
    target = (SITE / "analysts" / str(links.get_attribute("href"))).resolve()
    assert Path(str(target).partition("?")[0]).is_file()
    assert (SITE / "lite" / "files" / str(target).partition("?path=")[2]).is_file()


def test_no_page_asks_another_machine_for_anything(phone: Any) -> None:
    asked: list[str] = []
    phone.on("request", lambda request: asked.append(request.url))
    for name in LOOKED_AT:
        phone.goto(address(name))
    assert asked
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []


def test_no_column_of_a_table_is_so_narrow_that_words_stand_letter_by_letter(page: Any) -> None:
    for name in LOOKED_AT:
        page.goto(address(name))
        narrow = page.evaluate(
            "[...document.querySelectorAll('.bd-article td')]"
            ".filter(cell => cell.innerText.length > 20 && cell.clientWidth < 60).map(cell => cell.innerText)"
        )
        assert narrow == [], name


def test_a_phone_shows_a_table_of_sentences_whole_and_breaks_no_word(phone: Any) -> None:
    for name in ("analysts/troubleshooting", "analysts/front_ends", "analysts/privacy", "index"):
        phone.goto(address(name))
        cut = phone.evaluate(
            "[...document.querySelectorAll('.bd-article table.stacked')]"
            ".filter(each => each.scrollWidth > each.clientWidth)"
            ".map(each => each.innerText.slice(0, 60))"
        )
        assert cut == [], name
        assert phone.locator(".bd-article table.stacked").count(), name
    phone.goto(address("analysts/troubleshooting"))
    assert (
        phone.evaluate(
            "(() => { const range = document.createRange(), text = document.querySelector('h1').firstChild;"
            " range.setStart(text, 0); range.setEnd(text, 'Troubleshooting'.length);"
            " return range.getClientRects().length })()"
        )
        == 1
    ), "the title's first word stands on one line"


def test_a_heading_of_a_result_stands_over_its_column(page: Any) -> None:
    page.goto(address("course/00-start-here"))
    sides = page.evaluate(
        "[...document.querySelectorAll('.bd-article table.dataframe')].flatMap(table =>"
        " [...table.tBodies[0].rows[0].cells].map((cell, column) =>"
        " [table.tHead.rows[0].cells[column], cell]"
        ".map(each => getComputedStyle(each).textAlign.replace('start', 'left'))))"
    )
    assert {"left", "right"} == {side for pair in sides for side in pair}
    assert [pair for pair in sides if pair[0] != pair[1]] == []


@pytest.mark.thorough
def test_no_page_is_wider_than_a_phone(phone: Any) -> None:
    pages = [path.relative_to(SITE).with_suffix("").as_posix() for path in SITE.rglob("*.html")]
    pages = [name for name in pages if not name.startswith("lite/")]  # JupyterLite, whose pages need a server
    assert len(pages) > 40
    wide = {}
    for name in pages:
        phone.goto(address(name), wait_until="domcontentloaded")
        width = phone.evaluate("document.documentElement.scrollWidth")
        if width > 375:
            wide[name] = width
    assert wide == {}


@pytest.mark.sampled
@pytest.mark.parametrize("name", LOOKED_AT)
def test_axe_finds_nothing_serious(page: Any, name: str) -> None:
    page.goto(address(name))
    found = Axe().run(page)
    assert found.response["passes"], "axe looked at nothing"
    serious = [rule for rule in found.response["violations"] if rule["impact"] in ("serious", "critical")]
    assert [(rule["id"], [node["html"][:200] for node in rule["nodes"]][:3]) for rule in serious] == []
