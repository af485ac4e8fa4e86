"""Separator and encoding of a text are found, or named by the analyst; where several would do, nothing is guessed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cint_nb.cli import main
from cint_nb.domain.errors import RespondentFileError
from cint_nb.domain.ids import synthetic_id
from cint_nb.study.files.respondents import Respondents, read_respondents

FIRST = [synthetic_id("left", number) for number in range(20)]
SECOND = [synthetic_id("right", number) for number in range(20)]
EITHER = "\n".join(f"{left},x;{right}" for left, right in zip(FIRST, SECOND, strict=True))


def read(text: str | bytes, **options: Any) -> Respondents:
    content = text if isinstance(text, bytes) else text.encode()
    return read_respondents(content, name="list.csv", entity_type="RSID", **options)


def test_where_two_separators_give_other_people_nothing_is_guessed() -> None:
    with pytest.raises(RespondentFileError, match="other IDs with ',' and with ';'") as caught:
        read(EITHER)
    assert caught.value.next_step == "say which one it is: separator=','."
    assert list(read(EITHER, separator=",").ids) == FIRST
    assert list(read(EITHER, separator=";").ids) == SECOND


def test_two_separators_that_give_the_same_people_are_no_question() -> None:
    both = "\n".join(f"a;{left};b,c" for left in FIRST)
    assert list(read(both).ids) == FIRST


def test_a_separator_that_nothing_finds_can_be_named() -> None:
    text = "\n".join(f"a#{left}" for left in FIRST)
    with pytest.raises(RespondentFileError, match="separated by '#'") as caught:
        read(text)
    assert caught.value.next_step == "write separator='#'."
    people = read(text, separator="#")
    assert list(people.ids) == FIRST
    assert people.source_info.separator == "#"


def test_one_value_a_line_can_be_named() -> None:
    text = "\n".join(["RSID", *FIRST, "a comma, and a comma, and a comma"])
    people = read(text, separator="\n")
    assert (len(people), people.counts.malformed, people.source_info.separator) == (20, 1, None)


@pytest.mark.parametrize("separator", ["a", "-", "::", "", '"'])
def test_what_can_be_no_separator_is_refused_before_the_file_is_read(separator: str) -> None:
    with pytest.raises(RespondentFileError, match="takes one character"):
        read_respondents(Path("is-not-there.csv"), entity_type="RSID", separator=separator)


def test_a_separator_that_is_not_in_the_lines_is_refused() -> None:
    with pytest.raises(RespondentFileError, match="Most lines hold no '\\|'"):
        read("\n".join(["id", *FIRST]), separator="|")


@pytest.mark.parametrize("encoding", ["cp1250", "cp500", "utf-16", "latin-1", "utf-8"])
def test_a_column_is_found_by_its_name_in_the_encoding_that_was_named(encoding: str) -> None:
    text = "\n".join(["Größe;Schlüssel", *(f"1;{left}" for left in FIRST)])
    people = read(text.encode(encoding), encoding=encoding, separator=";", column="Schlüssel")
    assert list(people.ids) == FIRST
    assert people.source_info.encoding == {"utf-16": "utf-16", "latin-1": "iso8859-1"}.get(encoding, encoding)


def test_a_mark_or_the_order_of_bytes_is_found_where_only_the_family_is_named() -> None:
    text = "\n".join(["RSID", *FIRST])
    assert read(text.encode("utf-8-sig"), encoding="utf-8").source_info.column == "RSID"
    assert read(text.encode("utf-16-le"), encoding="utf-16").source_info.encoding == "utf-16-le"


@pytest.mark.parametrize("encoding", ["rot13", "idna", "base64", "no such", "\0", ""])
def test_what_is_no_encoding_of_texts_is_named(encoding: str) -> None:
    with pytest.raises(RespondentFileError, match="There is no encoding"):
        read("\n".join(FIRST), encoding=encoding)


def test_a_text_that_is_not_written_in_the_named_encoding_is_refused_with_the_place() -> None:
    content = "\n".join(["Schlüssel", *FIRST]).encode("cp1252")
    assert len(read(content)) == 20
    with pytest.raises(RespondentFileError, match="not written in utf-8: byte 5"):
        read(content, encoding="utf-8")


@pytest.mark.parametrize("given", [{"separator": ";"}, {"encoding": "utf-8"}])
def test_what_is_no_text_has_neither(given: dict[str, str]) -> None:
    with pytest.raises(RespondentFileError, match=f"no text, and has no {next(iter(given))}"):
        read_respondents(FIRST, entity_type="RSID", **given)  # type: ignore[arg-type]


def test_the_command_line_takes_what_its_advice_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "either.csv"
    path.write_text(EITHER.replace(";", "\t"))
    assert main(["check", str(path), "--entity-type", "RSID"]) == 2
    assert "--separator ," in capsys.readouterr().err
    for separator in ("tab", "\\t", ","):
        assert main(["check", str(path), "--entity-type", "RSID", "--separator", separator, "--encoding", "utf-8"]) == 0
        assert "20 RSIDs are ready" in capsys.readouterr().out
