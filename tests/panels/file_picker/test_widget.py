"""The file picker reads inside its folder only, asks what no file can tell, and shows bad lines masked."""

from __future__ import annotations

import itertools
import threading
from pathlib import Path
from typing import Any

import openpyxl
import pytest

import cint_nb
from cint_nb.domain.errors import CintWarning, RespondentFileError
from cint_nb.domain.ids import EntityType, synthetic_id
from cint_nb.panels.file_picker.model import column_choices, shape_of
from cint_nb.panels.file_picker.rooted_folder import RootedFolder
from cint_nb.panels.file_picker.widget import FilePicker
from cint_nb.study.files.respondents import read_respondents
from tests.support.waiting import wait_for
from tests.support.widgets import html_of, uploaded

IDS = [synthetic_id("picker", number) for number in range(20)]
MESSY = "\n".join([*IDS, IDS[3], "", "not-an-id", "<b>bold</b>", IDS[0].upper()]) + "\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "wave1.csv").write_text(MESSY)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "deep.txt").write_text(IDS[0] + "\n")
    (tmp_path / "notes.pdf").write_text("z")
    (tmp_path / ".hidden.csv").write_text("z")
    return tmp_path


def pick(picker: FilePicker, name: str) -> None:
    """Click a file in the list."""
    picker.files.value = next(entry for label, entry in picker.files.options if entry and label.startswith(name))


def test_choose_from_code_gives_the_respondents_and_shows_every_count(folder: Path) -> None:
    picker = FilePicker(folder).choose("wave1.csv", entity_type="respondent_id")
    assert picker.value == read_respondents(folder / "wave1.csv", entity_type="RSID")
    html = html_of(picker)
    assert "<b>20</b> usable" in html
    assert "<b>2</b> duplicate" in html
    assert "<b>2</b> malformed" in html
    assert repr(picker) == (
        "<FilePicker: sandbox · Respondent file · wave1.csv · RSID · 20 usable, 2 duplicate, 2 malformed, 1 blank>"
    )


def test_a_file_that_is_ready_names_the_line_that_uses_it(folder: Path) -> None:
    ready = html_of(FilePicker(folder).choose("wave1.csv", entity_type="RSID"))
    assert "people = picker.value" in ready
    assert "20 people can be sent" in ready
    assert "UTF-8" in ready


def test_the_line_without_a_click_reads_the_same_where_it_is_pasted(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for here in (folder, folder / "sub"):  # the notebook's folder, and one that the file does not lie in
        monkeypatch.chdir(here)
        picker = FilePicker(folder).choose("wave1.csv", entity_type="RID")
        line = picker.to_code()
        assert eval(line, {"cint": cint_nb}) == picker.value  # noqa: S307  # the point: the line as shown runs


def test_no_whole_id_and_no_markup_of_the_file_is_in_any_trait(folder: Path) -> None:
    picker = FilePicker(folder).choose("wave1.csv", entity_type="RSID")
    state = " ".join(
        str(each.get_state()) for each in [picker, *picker.children, picker.upload, picker.files, picker.columns]
    )
    assert not any(identifier in state.lower() for identifier in IDS)
    assert "<b>bold</b>" not in state


def test_first_bad_lines_say_why_and_what_they_repeat(folder: Path) -> None:
    picker = FilePicker(folder).choose("wave1.csv", entity_type="RSID")
    assert picker.file_summary is not None
    assert [(bad.line, bad.verdict) for bad in picker.file_summary.bad_lines] == [
        (21, "duplicate"),
        (23, "malformed"),
        (24, "malformed"),
        (25, "duplicate"),
    ]
    assert picker.file_summary.bad_lines[0].reason == "the same as line 4"
    assert "line 24: malformed, HTML" in picker.to_text()


def test_bad_lines_beyond_the_first_are_counted_and_their_listing_is_named(folder: Path) -> None:
    (folder / "many.csv").write_text("\n".join([*IDS, *["wrong"] * 12]) + "\n")
    picker = FilePicker(folder).choose("many.csv", entity_type="RSID")
    assert "7 more lines like these" in html_of(picker)


@pytest.mark.parametrize("path", ["../secret.csv", "/etc/passwd", "sub/../../x.csv"])
def test_nothing_outside_the_folder_can_be_chosen(folder: Path, path: str) -> None:
    with pytest.raises(RespondentFileError, match="outside the folder"):
        FilePicker(folder).choose(path, entity_type="RSID")


def test_links_that_lead_out_are_neither_listed_nor_followed(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "other.csv"
    outside.write_text("x")
    (folder / "link.csv").symlink_to(outside)
    rooted = RootedFolder(folder)
    assert not any("link.csv" in entry.label for entry in rooted.list_entries(folder))
    with pytest.raises(RespondentFileError):
        rooted.resolve("link.csv")


def test_listing_shows_folders_and_readable_files_and_a_way_up(folder: Path) -> None:
    rooted = RootedFolder(folder)
    assert [entry.label.split("  ")[0] for entry in rooted.list_entries(folder)] == ["sub/", "wave1.csv"]
    assert [entry.label for entry in rooted.list_entries(folder / "sub")] == ["↰ up", "deep.txt  (37 bytes)"]


def test_walking_into_a_folder_and_choosing_there_names_the_file_with_its_folder(folder: Path) -> None:
    picker = FilePicker(folder)
    pick(picker, "sub/")
    picker.entity.value = "RSID"
    pick(picker, "deep.txt")
    wait_for(lambda: picker.value is not None)
    assert picker.to_code() == f"cint.read_respondents('{folder.as_posix()}/sub/deep.txt', entity_type='RSID')"


def test_a_new_file_is_listed_after_look_again(folder: Path) -> None:
    picker = FilePicker(folder)
    (folder / "fresh.csv").write_text(IDS[0])
    picker.look_button.click()
    assert any(label.startswith("fresh.csv") for label, _ in picker.files.options)


def test_lines_are_counted_before_the_ids_are_named_but_nothing_is_handed_out(folder: Path) -> None:
    picker = FilePicker(folder)
    pick(picker, "wave1.csv")
    wait_for(lambda: picker.file_summary is not None)
    assert "is each id one per person, or one per visit?" in html_of(picker)
    assert "<b>20</b> usable" in html_of(picker)
    early = picker.value
    assert early is None
    assert picker.to_code() == ""
    picker.entity.value = "RID"
    wait_for(lambda: picker.value is not None)
    assert picker.value is not None
    assert picker.value.entity_type is EntityType.RID


def test_a_name_that_speaks_against_the_answer_is_shown_as_a_warning(folder: Path) -> None:
    (folder / "people.csv").write_text("RID\n" + "\n".join(IDS) + "\n")
    with pytest.warns(CintWarning, match="suggests RIDs"):
        picker = FilePicker(folder).choose("people.csv", entity_type="RSID")
    assert "check this" in html_of(picker)
    assert "which suggests RIDs (one per visit)" in html_of(picker)
    agreed = FilePicker(folder).choose("people.csv", entity_type="RID")
    assert "check this" not in html_of(agreed)


def test_a_hint_quotes_the_name_of_a_file_as_text(folder: Path) -> None:
    (folder / "RID <img src=x>.csv").write_text("\n".join(IDS) + "\n")
    with pytest.warns(CintWarning, match="suggests RIDs"):
        html = html_of(FilePicker(folder).choose("RID <img src=x>.csv", entity_type="RSID"))
    assert "the file name is &#x27;RID &lt;img src=x&gt;.csv&#x27;, which suggests" in html
    assert "<img" not in html


def test_several_columns_are_offered_by_name_and_the_chosen_one_is_read(folder: Path) -> None:
    rows = [f"{number},{IDS[number]},{IDS[number + 10]}" for number in range(10)]
    (folder / "table.csv").write_text("\n".join(["nr,RSID,RID", *rows]) + "\n")
    picker = FilePicker(folder)
    picker.entity.value = "RID"
    pick(picker, "table.csv")
    wait_for(lambda: bool(picker.columns.options))
    assert [label for label, _ in picker.columns.options] == ["choose one", "2: RSID", "3: RID"]
    assert "which column holds the ids?" in html_of(picker)
    picker.columns.value = 3
    wait_for(lambda: picker.value is not None)
    assert picker.value.ids == tuple(IDS[10:20])
    assert picker.to_code().endswith("table.csv', entity_type='RID', column=3)")


def test_columns_are_read_from_the_reader_s_own_message_whatever_their_names() -> None:
    rows = "\n".join(f"{one},{two}" for one, two in itertools.pairwise(IDS))
    content = f'"ID, first","Person 2"\n{rows}\n'.encode()
    with pytest.raises(RespondentFileError) as caught:
        read_respondents(content, entity_type="RSID", name="t.csv")
    assert [place for _, place in column_choices(caught.value)] == [1, 2]


def test_uploaded_ids_do_not_stay_in_a_trait(folder: Path) -> None:
    picker = FilePicker(folder)
    picker.entity.value = "RSID"
    picker.upload.value = uploaded("../mine.csv", MESSY.encode())
    wait_for(lambda: picker.value is not None)
    assert picker.upload.value == ()
    assert picker.file_summary is not None
    assert picker.file_summary.name == "mine.csv"
    said, line = picker.to_code().splitlines()
    assert said == "# once mine.csv lies beside the notebook:"
    assert line == "cint.read_respondents('mine.csv', entity_type='RSID')"


def test_an_export_larger_than_an_upload_is_read_for_its_few_ids(folder: Path) -> None:
    picker = FilePicker(folder)
    picker.entity.value = "RSID"
    rows = "\n".join(f"{text},{'x' * 370_000}" for text in IDS)
    picker.upload.value = uploaded("big.csv", f"RSID,answer\n{rows}\n".encode())
    wait_for(lambda: picker.value is not None)
    assert picker.value.ids == tuple(IDS)
    assert "7.4 MB" in html_of(picker)
    assert "20 people can be sent" in html_of(picker)


def test_a_list_above_the_limit_is_not_ready_and_can_be_split(folder: Path) -> None:
    many = "\n".join(f"{number:08x}-0000-4000-8000-000000000000" for number in range(140_000))
    (folder / "many.txt").write_text(many)
    picker = FilePicker(folder).choose("many.txt", entity_type="RSID")
    html = html_of(picker)
    assert "cannot be uploaded as it is" in html
    assert "140,000 IDs exceed the 100,000 of one target group" in html
    assert "picker.value.split(100_000)" in html
    assert "ready" not in html
    assert "respondents=picker.value" not in html
    assert [len(part) for part in picker.value.split()] == [100_000, 40_000]
    assert "cannot be uploaded: 140,000 IDs" in picker.to_text()


@pytest.mark.filterwarnings("ignore::cint_nb.domain.errors.CintWarning")
@pytest.mark.parametrize(("answer", "ids"), [("skip", 7), ("read", 10)])
def test_what_a_workbook_hides_is_asked_about(folder: Path, answer: Any, ids: int) -> None:
    book: Any = openpyxl.Workbook()
    for text in ["RSID", *IDS[:10]]:
        book.active.append([text])
    for row in (3, 4, 9):
        book.active.row_dimensions[row].hidden = True
    book.save(folder / "people.xlsx")
    picker = FilePicker(folder)
    picker.entity.value = "RSID"
    pick(picker, "people.xlsx")
    wait_for(lambda: picker.hidden.layout.display == "" and picker.file_summary is not None)
    assert "do the 3 lines count that the workbook hides?" in html_of(picker)
    assert "<b>3</b> hidden" in html_of(picker)
    early = picker.value
    assert early is None
    picker.hidden.value = answer
    wait_for(lambda: picker.value is not None)
    assert len(picker.value) == ids
    line = picker.to_code()
    assert line.endswith(f"people.xlsx', entity_type='RSID', hidden='{answer}')")
    assert picker.choose("people.xlsx", entity_type="RSID", hidden=answer).to_code() == line
    pick(picker, "wave1.csv")
    wait_for(lambda: picker.value is not None and len(picker.value) == 20)
    assert (picker.hidden.layout.display, picker.hidden.value) == ("none", None)


def test_a_bad_file_says_why_and_a_good_one_after_it_clears_the_error(folder: Path) -> None:
    (folder / "empty.csv").write_text("")
    picker = FilePicker(folder)
    picker.entity.value = "RSID"
    pick(picker, "empty.csv")
    wait_for(lambda: picker.error != "")
    assert "empty" in picker.error
    assert "cannot be used" in html_of(picker)
    pick(picker, "wave1.csv")
    wait_for(lambda: picker.value is not None)
    assert picker.error == ""


def test_the_last_choice_wins_over_a_slow_earlier_one(folder: Path) -> None:
    hold, started = threading.Event(), threading.Event()

    def read(source: Path, **options: Any) -> Any:
        if source.name == "deep.txt":
            started.set()
            hold.wait(60)
        return read_respondents(source, **options)

    picker = FilePicker(folder, reader=read)
    picker.entity.value = "RSID"
    pick(picker, "sub/")
    pick(picker, "deep.txt")
    assert started.wait(60)
    pick(picker, "↰ up")
    pick(picker, "wave1.csv")
    wait_for(lambda: picker.value is not None)
    hold.set()
    picker.choose("wave1.csv", entity_type="RSID")
    assert len(picker.value) == 20


def test_without_a_usable_id_the_picker_does_not_say_ready(folder: Path) -> None:
    (folder / "none.csv").write_text("wrong\nwrong\n")
    picker = FilePicker(folder).choose("none.csv", entity_type="RSID")
    assert "nothing to send" in html_of(picker)
    assert "ready" not in html_of(picker)


def test_before_there_is_a_file_nothing_is_asked(folder: Path) -> None:
    picker = FilePicker(folder)
    assert {part.layout.display for part in (picker.entity, picker.columns, picker.sheets, picker.hidden)} == {"none"}
    pick(picker, "wave1.csv")
    assert picker.entity.layout.display == ""


def test_several_sheets_with_ids_are_offered_and_the_chosen_one_is_read(folder: Path) -> None:
    book = openpyxl.Workbook()
    for number, title in enumerate(("Wave 1", "It's wave 2")):
        sheet: Any = book.active if number == 0 else book.create_sheet()
        sheet.title = title
        for text in ["RSID", *IDS[number * 5 : number * 5 + 5]]:
            sheet.append([text])
    book.save(folder / "two.xlsx")
    picker = FilePicker(folder)
    picker.entity.value = "RSID"
    pick(picker, "two.xlsx")
    wait_for(lambda: bool(picker.sheets.options))
    assert [label for label, _ in picker.sheets.options] == ["choose one", "1: Wave 1", "2: It's wave 2"]
    assert "which sheet holds the ids?" in html_of(picker)
    picker.sheets.value = 2
    wait_for(lambda: picker.value is not None)
    assert picker.value.ids == tuple(IDS[5:10])
    assert picker.to_code().endswith("entity_type='RSID', sheet=2)")


@pytest.mark.parametrize(
    ("line", "shape"),
    [
        ("2.09E+11", "x.xxx+xx"),
        ("ann@example.org", "xxx@xxxxxxx.xxx"),
        (IDS[0], "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"),
        ("<b>bold</b>", "<x>xxxx</x>"),
        ("a" * 80, "x" * 59 + "…"),
    ],
)
def test_a_bad_line_is_shown_by_its_shape_which_gives_nobody_away(line: str, shape: str) -> None:
    assert shape_of(line) == shape


def test_signs_that_do_not_belong_into_an_id_are_marked(folder: Path) -> None:
    (folder / "odd.csv").write_text("\n".join([*IDS, "2.09E+11"]))
    html = html_of(FilePicker(folder).choose("odd.csv", entity_type="RSID"))
    assert 'x<span class="cint-odd">.</span>xxx<span class="cint-odd">+</span>xx' in html


def test_more_people_than_one_group_takes_are_offered_in_parts_and_as_a_sample(folder: Path) -> None:
    many = "\n".join(f"{number:08x}-0000-4000-8000-000000000000" for number in range(140_000))
    (folder / "many.txt").write_text(many)
    html = html_of(FilePicker(folder).choose("many.txt", entity_type="RSID"))
    assert "parts = picker.value.split(70000)" in html
    assert "people = picker.value.sample(100_000, seed=1)" in html


def test_the_plain_upload_says_what_it_loses() -> None:
    assert "loses a larger file" in html_of(FilePicker())


# --- how a text is read ----------------------------------------------------------------------------------------------


def ways(control: Any) -> list[str]:
    return [label for label, _ in control.options]


def runs_to(picker: FilePicker) -> Any:
    """Run the line that the picker shows, as where it is pasted."""
    return eval(picker.to_code(), {"cint": cint_nb})  # noqa: S307  # the point: the line runs as it is shown


def test_how_a_text_was_read_is_shown_and_another_way_can_be_chosen(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    (folder / "list.csv").write_text("\n".join(["RSID;note", *(f"{each};a,b" for each in IDS)]))
    picker = FilePicker(folder).choose("list.csv", entity_type="RSID")
    assert "semicolons" in html_of(picker)
    assert ways(picker.separators)[:2] == ["as found: semicolons", "commas"]
    assert ways(picker.encodings)[0] == "as found: UTF-8"
    assert (picker.separators.index, picker.encodings.index) == (0, 0), "what was found is shown"
    assert (picker.other_button.layout.display, picker.how.layout.display) == ("", "none")
    picker.other_button.value = True
    assert picker.how.layout.display == ""
    before = picker.value
    picker.encodings.value = "cp1250"
    wait_for(lambda: picker.value is not before and picker.value is not None)
    assert picker.to_code() == "cint.read_respondents('list.csv', entity_type='RSID', encoding='cp1250')"
    assert runs_to(picker) == picker.value
    picker.encodings.value = None
    wait_for(lambda: "encoding" not in picker.to_code() and picker.value is not None)


def test_where_two_separators_give_other_people_the_picker_asks(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    (folder / "either.csv").write_text("\n".join(f"{one},x;{two}" for one, two in itertools.pairwise(IDS)))
    picker = FilePicker(folder)
    picker.entity.value = "RSID"
    pick(picker, "either.csv")
    wait_for(lambda: "what separates the values?" in html_of(picker))
    assert (ways(picker.separators), picker.how.layout.display) == (["choose one", "commas", "semicolons"], "")
    assert picker.error == ""
    picker.separators.value = ";"
    wait_for(lambda: picker.value is not None)
    assert picker.value.ids == tuple(IDS[1:])
    assert picker.to_code() == "cint.read_respondents('either.csv', entity_type='RSID', separator=';')"
    assert runs_to(picker) == picker.value


def test_a_header_line_can_be_typed_and_what_is_no_line_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    (folder / "titles.csv").write_text("\n".join(["Our panel", "who", "RSID", *IDS]))
    picker = FilePicker(folder).choose("titles.csv", entity_type="RSID")
    for typed in ("minus one", "0", "9" * 30):
        picker.header_line.value = typed
        wait_for(lambda: "header line is a number" in picker.error)
        picker.header_line.value = ""
        wait_for(lambda: picker.value is not None)
    picker.header_line.value = "3"
    wait_for(lambda: picker.value is not None and "header_row=3" in picker.to_code())
    assert runs_to(picker) == picker.value
    assert picker.value.counts.header == 3


def test_rows_that_do_not_fit_are_counted_with_their_first_lines_and_left_out(folder: Path) -> None:
    rows = [f"yes,{each},{number}" for number, each in enumerate(IDS)]
    for place in (3, *range(8, 16)):
        rows[place] = f"no, never,{rows[place]}"
    (folder / "ragged.csv").write_text("\n".join(["answer,RSID,number", *rows]))
    picker = FilePicker(folder).choose("ragged.csv", entity_type="RSID")
    said = "9 rows do not fit the columns: lines 5, 10, 11, 12, 13 and 4 more."
    assert said in html_of(picker)
    assert "to_rejects(…)" in html_of(picker)
    assert said in picker.to_text()
    assert said in picker.to_static_html()
    assert picker.file_summary is not None
    assert dict(picker.file_summary.counts)["malformed"] == 9


def test_a_text_that_does_not_say_how_it_is_written_is_said_to_be_guessed(folder: Path) -> None:
    (folder / "old.csv").write_bytes("\n".join(["Größe;RSID", *(f"1;{each}" for each in IDS)]).encode("cp1252"))
    picker = FilePicker(folder).choose("old.csv", entity_type="RSID")
    assert "does not say how it is written" in html_of(picker)
    assert "does not say how it is written" not in html_of(picker.choose("wave1.csv", entity_type="RSID"))


def test_a_text_that_cannot_be_read_as_found_can_be_read_otherwise(folder: Path) -> None:
    (folder / "hash.csv").write_text("\n".join(f"a#{each}" for each in IDS))
    picker = FilePicker(folder)
    picker.entity.value = "RSID"
    pick(picker, "hash.csv")
    wait_for(lambda: "separated by" in picker.error)
    assert picker.other_button.layout.display == ""
    picker.choose("hash.csv", entity_type="RSID", separator="#")
    assert ways(picker.separators)[-1] == "'#'"
    assert picker.separators.value == "#"


def test_a_workbook_is_not_asked_how_a_text_is_read(folder: Path) -> None:
    book = openpyxl.Workbook()
    for each in ["RSID", *IDS]:
        book.active.append([each])  # type: ignore[union-attr]
    book.save(folder / "people.xlsx")
    picker = FilePicker(folder).choose("people.xlsx", entity_type="RSID")
    assert picker.other_button.layout.display == "none"
