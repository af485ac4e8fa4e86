"""Every figure in the prose is one the reader has seen."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.notebooks.course import NUMBERED, prose, read
from tests.notebooks.numbers_in_prose import ALLOWED, figures, unfounded


def texts_of(text: str) -> list[str]:
    return [figure.text for figure in figures(text)]


def book(before: str, output: str, after: str) -> Any:
    cell = nbformat.v4.new_code_cell("show()", outputs=[nbformat.v4.new_output("stream", text=output)])
    first = nbformat.v4.new_code_cell("begin()", outputs=[nbformat.v4.new_output("stream", text="begun")])
    texts = nbformat.v4.new_markdown_cell(before), nbformat.v4.new_markdown_cell(after)
    return nbformat.v4.new_notebook(cells=[first, texts[0], cell, texts[1]])


def wrong(*parts: str) -> list[str]:
    return [figure.text for figure in unfounded(book(*parts))]


def test_figures_are_found_in_a_sentence() -> None:
    assert texts_of("Of **1,000** lines 975 hold an id, which is 97.5 % and costs 2.74 EUR.") == [
        "1,000", "975", "97.5 %", "2.74 EUR",
    ]  # fmt: skip


def test_what_is_no_figure_is_left_alone() -> None:
    assert (
        texts_of("## 10. Title\n\n12. item, `code 13`, [14-see](14-see.ipynb#15), 90-when-things-go-wrong, step 6")
        == []
    )


@pytest.mark.parametrize("notebook", NUMBERED, ids=lambda path: path.stem)
def test_a_notebook_tells_what_it_has_shown(notebook: Path) -> None:
    assert [(figure.text, figure.sentence) for figure in unfounded(read(notebook))] == []


def test_a_figure_nothing_shows_is_found() -> None:
    assert wrong("Look.", "975 usable", "You see 976 ids.") == ["976"]


def test_a_figure_that_is_shown_only_later_is_found() -> None:
    assert wrong("You see 975 ids.", "975 usable", "So it is.") == ["975"]


def test_a_figure_may_be_rounded_and_a_share_be_told_in_percent() -> None:
    assert wrong("Look.", "came_back 0.2614 cost 656.448", "That is 26 %, or 26.1 %, for 656.45 EUR.") == []
    assert wrong("Look.", "came_back 0.2614 cost 656.448", "That is 27 % for 656.44 EUR.") == ["27 %", "656.44 EUR"]


def test_a_figure_is_no_part_of_a_longer_one() -> None:
    assert wrong("Look.", "1,975 usable", "You see 975 ids.") == ["975"]


def test_every_figure_that_is_allowed_without_an_output_is_used_and_has_a_reason() -> None:
    text = "\n".join(prose(read(path)) for path in NUMBERED)
    assert [pattern for pattern, reason in ALLOWED.items() if not (reason and re.search(pattern, text))] == []
