"""A respondent file chosen in a real browser, by somebody who has never seen the project."""

from __future__ import annotations

from pathlib import Path

import pytest

from cint_nb.domain.ids import synthetic_id
from tests.browser.lab_harness import LabPage

pytestmark = pytest.mark.browser

IDS = [synthetic_id("browser", number) for number in range(300)]
PICKER = "import cint_nb as cint\npicker = cint.FilePicker()\npicker"

SAVE_WIDGETS = (
    "async () => { await window.jupyterapp.commands.execute('@jupyter-widgets/jupyterlab-manager:saveWidgetState'); }"
)


@pytest.fixture
def picker(warm: LabPage) -> LabPage:
    """Show a file picker on a folder with one file."""
    warm.show(PICKER)
    (warm.lab.folder / "on-server.csv").write_text("\n".join([*IDS, "wrong", "", IDS[0]]))
    warm.run_all()
    warm.page.wait_for_selector(".cint-file-picker .cint-files option", state="attached")
    return warm


def upload(notebook: LabPage, path: Path) -> None:
    with notebook.page.expect_file_chooser() as chooser:
        notebook.page.locator(".fp-choose").click()
    chooser.value.set_files(path)


def value(notebook: LabPage) -> str:
    """Return the repr of the picker's value, by running a cell."""
    notebook.run_again("print('value:', repr(picker.value))")
    shown = notebook.page.locator(".jp-OutputArea-output:has-text('value:')").last
    shown.wait_for()
    text: str = shown.inner_text()
    return text


def test_a_file_of_this_computer_is_read_after_one_question(picker: LabPage, tmp_path: Path) -> None:
    mine = tmp_path / "mine.csv"
    mine.write_text("﻿RSID\r\n" + "\r\n".join([f'"{each.upper()}"' for each in IDS] + ["", "not an id"]))
    upload(picker, mine)
    page = picker.page
    page.wait_for_selector(".cint-status:has-text('one question left')")
    assert "300 usable" in page.locator(".cint-numbers").inner_text()
    assert "which suggests one per person" in page.locator(".cint-hints").inner_text()
    picker.picture("picker-question", ".cint-file-picker")
    page.get_by_role("button", name="one per person").click()
    page.wait_for_selector(".cint-status:has-text('can be sent')")
    assert "300 people can be sent" in page.locator(".cint-file-picker").inner_text()
    picker.picture("picker-ready", ".cint-file-picker")
    assert "300 RSIDs" in value(picker)


def test_no_id_of_an_uploaded_file_reaches_the_saved_notebook(picker: LabPage, tmp_path: Path) -> None:
    mine = tmp_path / "mine.csv"
    mine.write_text("\n".join(IDS))
    upload(picker, mine)
    picker.page.get_by_role("button", name="one per person").click()
    picker.page.wait_for_selector(".cint-status:has-text('can be sent')")
    picker.page.evaluate(SAVE_WIDGETS)
    picker.save()
    saved = (picker.lab.folder / "notebook.ipynb").read_text()
    assert "application/vnd.jupyter.widget-state+json" in saved
    assert not any(each in saved.lower() for each in IDS)


def test_a_bad_file_says_why_in_the_panel(picker: LabPage, tmp_path: Path) -> None:
    bad = tmp_path / "picture.csv"
    bad.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200))
    upload(picker, bad)
    picker.page.wait_for_selector(".cint-status:has-text('cannot be used')")
    said = picker.page.locator(".cint-error").inner_text()
    assert "Next:" in said
    picker.picture("picker-bad", ".cint-file-picker")
    assert "None" in value(picker)


def test_a_list_over_the_limit_of_an_upload_says_what_to_do_instead(picker: LabPage, tmp_path: Path) -> None:
    big = tmp_path / "big.csv"
    big.write_text("\n".join(synthetic_id("big", number) for number in range(160_000)))
    assert big.stat().st_size > 5_000_000
    upload(picker, big)
    picker.page.get_by_role("button", name="one per person").click()
    picker.page.wait_for_selector(".cint-status:has-text('cannot be uploaded as it is')", timeout=60_000)
    said = picker.page.locator(".cint-status").inner_text()
    assert "160,000 IDs exceed the 100,000" in said
    assert "picker.value.split(100_000)" in said
    picker.picture("picker-oversized", ".cint-file-picker")


def test_a_file_larger_than_one_message_comes_in_pieces(picker: LabPage, tmp_path: Path) -> None:
    huge = tmp_path / "huge.csv"
    huge.write_text("RSID,answer\n" + "\n".join(f"{each},{'x' * 150_000}" for each in IDS))
    assert huge.stat().st_size > 40_000_000
    upload(picker, huge)
    picker.page.wait_for_selector(".fp-bar:visible")
    picker.picture("picker-pieces", ".cint-file-picker")
    picker.page.wait_for_selector(".cint-status:has-text('one question left')", timeout=90_000)
    picker.page.get_by_role("button", name="one per person").click()
    picker.page.wait_for_selector(".cint-status:has-text('300 people can be sent')", timeout=60_000)


def test_a_file_can_be_dropped_on_the_panel(picker: LabPage) -> None:
    page = picker.page
    drop = page.evaluate_handle(
        """content => { const data = new DataTransfer();
        data.items.add(new File([content], 'dropped.csv', {type: 'text/csv'})); return data }""",
        "\n".join(IDS),
    )
    page.dispatch_event(".fp-drop", "dragover", {"dataTransfer": drop})
    assert "Let go to read it" in page.locator(".fp-drop").inner_text()
    picker.picture("picker-over", ".cint-file-picker")
    page.dispatch_event(".fp-drop", "drop", {"dataTransfer": drop})
    page.wait_for_selector(".cint-status:has-text('one question left')")
    assert "dropped.csv" in page.locator(".cint-file-name").inner_text()


def test_a_cancelled_upload_leaves_the_panel_as_it_was(picker: LabPage, tmp_path: Path) -> None:
    huge = tmp_path / "huge.csv"
    huge.write_bytes(b"x" * 150_000_000)
    upload(picker, huge)
    picker.page.locator(".fp-cancel:visible").click()
    picker.page.wait_for_selector(".fp-said:has-text('cancelled')")
    assert "None" in value(picker)


def test_a_file_is_chosen_on_the_server_by_keyboard_alone(picker: LabPage) -> None:
    page = picker.page
    page.locator(".cint-files select").focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_selector(".cint-status:has-text('one question left')")
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.textContent") == "List again"
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert "one per visit" in page.evaluate("() => document.activeElement.textContent")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Space")
    page.wait_for_selector(".cint-status:has-text('can be sent')")
    assert "on-server.csv" in page.locator(".cint-code").inner_text()
    assert "300 RSIDs" in value(picker)


def test_a_file_added_later_is_found_when_the_folder_is_listed_again(picker: LabPage) -> None:
    (picker.lab.folder / "later.csv").write_text("\n".join(IDS[:5]))
    picker.page.get_by_role("button", name="List again").click()
    picker.page.wait_for_selector(".cint-files option:has-text('later.csv')", state="attached")
