"""Any file at all: nothing crashes, every line is counted once, no id is invented and none is lost."""

from __future__ import annotations

import csv
import gzip
import io
import re
import warnings
from dataclasses import asdict
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from cint_nb.domain import ids as domain_ids
from cint_nb.domain.errors import RespondentFileError
from cint_nb.domain.ids import synthetic_id
from cint_nb.study.files import text_files as text_module
from cint_nb.study.files.respondents import Respondents, read_respondents
from tests.support.sampling import examples

POOL = [synthetic_id("any file", number) for number in range(60)]
CALM = settings(max_examples=examples(80), derandomize=True, suppress_health_check=list(HealthCheck))
FEW = settings(CALM, max_examples=examples(25))
SOME = settings(CALM, max_examples=examples(40))

WRAPPERS = [
    "{}",
    '"{}"',
    "'{}'",
    "{{{}}}",
    " {} ",
    "\t{}",
    "{},",
    "{};",
    "\u200b{}",
    "\u00a0{}\u00a0",
    "\ufeff{}",
    '="{}"',
]
ids = st.sampled_from(POOL)
spelled = st.builds(lambda text, upper: text.upper() if upper else text, ids, st.booleans())
wrapped = st.builds(lambda form, text: form.format(text), st.sampled_from(WRAPPERS), spelled)
blanks = st.sampled_from(["", " ", '""', "\u200b", "\u00a0 "])
broken = st.one_of(
    st.builds(lambda text: text[:-1], ids),
    st.builds(lambda text: text.replace("-", ""), ids),
    st.builds(lambda text: "g" + text[1:], ids),
    st.sampled_from(
        ["ann@example.com", "1.23E+05", "[%RECONTACT_RSID%]", "=1+1", "n/a", "x" * 300, "\u00e4\u00f6\u00fc"]
    ),
)
cells = st.one_of(spelled, spelled, spelled, wrapped, blanks, broken)
lists = st.lists(cells, min_size=1, max_size=40)


def expected(values: list[str]) -> tuple[list[tuple[str, int | None]], tuple[str, ...]]:
    """Judge values by the domain's own words, one after another."""
    seen: dict[str, int] = {}
    found: list[tuple[str, int | None]] = []
    for number, value in enumerate(values, start=1):
        text = re.sub(r'^\s*="(.*)"\s*$', r"\1", value)
        text = domain_ids.normalise_id(text)
        if not text:
            found.append(("blank", None))
        elif not domain_ids.is_respondent_id(text):
            found.append(("malformed", None))
        elif text in seen:
            found.append(("duplicate", seen[text]))
        else:
            seen[text] = number
            found.append(("usable", None))
    return found, tuple(seen)


def judged(people: Respondents) -> list[tuple[str, int | None]]:
    frame = people.lines()
    lines = [None if pd.isna(line) else int(line) for line in frame["of_line"]]
    return list(zip(frame["verdict"], lines, strict=True))


def check_books(people: Respondents) -> None:
    """Every line once; every id once; no id that is not there."""
    counts = asdict(people.counts)
    lines = counts.pop("lines")
    assert sum(counts.values()) == lines
    frame = people.lines(reveal=True)
    assert len(frame) == lines
    assert frame["line"].is_monotonic_increasing
    assert frame["line"].is_unique
    assert len(set(people.ids)) == len(people.ids) == counts["usable"]
    assert tuple(frame.loc[frame["verdict"] == "usable", "id"]) == people.ids
    for verdict, number in counts.items():
        assert (frame["verdict"] == verdict).sum() == number
    repeated = frame[frame["verdict"] == "duplicate"]
    originals = frame.set_index("line").loc[list(repeated["of_line"])]
    assert list(originals["verdict"]) == ["usable"] * len(repeated)
    assert list(originals["id"]) == list(repeated["id"])
    table = people.summary()
    assert table.loc[0, "lines"] == lines == table["lines"].iloc[1:].sum()


def read(source: Any, **options: Any) -> Respondents:
    return read_respondents(source, entity_type="RSID", **options)


def attempt(source: bytes, **options: str) -> tuple[Respondents | None, str]:
    """Return what was read, or the message of the refusal; any other error fails the test."""
    try:
        return read(source, **options), ""
    except RespondentFileError as error:
        return None, str(error)


def any_usable(values: list[str]) -> bool:
    return any(verdict == "usable" for verdict, _ in expected(values)[0])


def first_is_damaged_or_good(values: list[str]) -> bool:
    """A first value that could be a header is another test's business."""
    filled = [value for value in values if domain_ids.normalise_id(value)]
    return bool(filled) and not filled[0].startswith(("n/a", "x", "\u00e4"))


@CALM
@given(lists, st.sampled_from(["\n", "\r\n", "\r"]), st.booleans(), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_one_value_a_line_in_any_encoding_and_line_end(values: list[str], end: str, ended: bool, encoding: str) -> None:
    assume(any_usable(values) and first_is_damaged_or_good(values) and (ended or values[-1]))
    assume(len(values) > 1)
    content = (end.join(values) + (end if ended else "")).encode(encoding)
    people = read(content)
    assume(people.source_info.layout == "one value a line")
    verdicts, usable = expected(values)
    assert judged(people) == verdicts
    assert people.ids == usable
    check_books(people)


@SOME
@given(lists)
def test_lists_and_series_keep_the_place_of_every_value(values: list[str]) -> None:
    assume(any_usable(values) and first_is_damaged_or_good(values))
    verdicts, usable = expected(values)
    for source in (values, tuple(values), pd.Series(values), pd.Series(values, dtype=object), iter(values)):
        people = read(source)
        assert judged(people) == verdicts
        assert people.ids == usable
    check_books(people)


notes = st.text(alphabet=st.sampled_from("abc,;\t\"\n\u00e4 '"), max_size=12)


@CALM
@given(st.lists(st.tuples(notes, cells, notes), min_size=1, max_size=30), st.sampled_from(",;\t"), st.booleans())
def test_one_column_of_a_table_keeps_the_lines_of_its_rows(
    rows: list[tuple[str, str, str]], delimiter: str, by_name: bool
) -> None:
    values = [row[1] for row in rows]
    assume(any_usable(values))
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter)
    writer.writerows([["note", "RSID", "more"], *rows])
    people = read(buffer.getvalue().encode(), column="RSID" if by_name else 2)
    verdicts, usable = expected(values)
    assert [verdict for verdict, _ in judged(people)] == ["header", *(verdict for verdict, _ in verdicts)]
    assert people.ids == usable
    lines = people.lines()["line"]
    starts, line = [1], 2
    for row in rows:
        starts.append(line)
        line += 1 + sum(value.count("\n") for value in row)
    assert list(lines) == starts
    check_books(people)


@CALM
@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    people, refusal = attempt(content)
    if people is None:
        assert refusal.count("\n") >= 2
    else:
        check_books(people)
        decoded = content.decode("utf-8", "ignore").lower() + content.decode("utf-16", "ignore").lower()
        assert all(identifier in decoded for identifier in people.ids)


fragments = st.lists(
    st.one_of(
        cells, st.sampled_from([",", ";", "\t", "\n", "\r", "\r\n", '"', "RSID", "RID", "\x00", "\x85", "\u2028", "'"])
    ),
    max_size=60,
)


@CALM
@given(fragments, st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"]), st.booleans())
def test_any_mixture_is_read_or_refused_and_no_id_is_invented(parts: list[str], encoding: str, packed: bool) -> None:
    text = "".join(parts)
    content = text.encode(encoding, "ignore")
    people, refusal = attempt(gzip.compress(content) if packed else content, name="x.csv.gz" if packed else "x.csv")
    assert not any(identifier in refusal for identifier in POOL)
    if people is not None:
        check_books(people)
        assert all(identifier in text.lower() for identifier in people.ids)
        assert not any(identifier in repr(people) for identifier in POOL)
        if people.source_info.layout == "one value a line" and encoding != "utf-16-le":
            assert people.counts.lines == len(text.encode("utf-8").removeprefix(b"\xef\xbb\xbf").splitlines())


@CALM
@given(
    st.lists(st.tuples(st.sampled_from(WRAPPERS), st.integers(0, 150)), min_size=1, max_size=8),
    st.sampled_from(["\n", "\r\n"]),
)
def test_long_runs_of_any_wrapping_lose_nothing(runs: list[tuple[str, int]], end: str) -> None:
    values, number = [], 0
    for wrapper, length in runs:
        values += [wrapper.format(synthetic_id("runs", number + place)) for place in range(length)]
        values.append(f"broken {number}")
        number += length // 2  # the next run repeats half of this one
    assume(len(values) > len(runs) + 1)
    people = read((end.join(values) + end).encode())
    verdicts, usable = expected(values)
    assert [verdict.replace("header", "malformed") for verdict, _ in judged(people)] == [
        verdict for verdict, _ in verdicts
    ]
    assert people.ids == usable
    check_books(people)


@FEW
@given(
    st.lists(st.tuples(st.one_of(st.none(), st.integers(), st.text("abc", max_size=3)), cells), min_size=2, max_size=15)
)
def test_workbooks_parquet_and_spss_agree_with_the_list(rows: list[tuple[int | str | None, str]]) -> None:
    values = [row[1] for row in rows]
    assume(any_usable(values) and all(value.isprintable() for value in values) and domain_ids.normalise_id(values[-1]))
    verdicts, usable = expected(values)
    frame = pd.DataFrame({"note": [str(row[0]) for row in rows], "RSID": values})
    for people, header in (
        (read(workbook(frame), name="w.xlsx"), 1),
        (read(parquet(frame), name="w.parquet"), 0),
        (read(frame), 0),
    ):
        assert [verdict for verdict, _ in judged(people)] == ["header"] * header + [verdict for verdict, _ in verdicts]
        assert people.ids == usable
        assert people.source_info.column == "RSID"
        check_books(people)


def workbook(frame: pd.DataFrame) -> bytes:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for place, row in enumerate([list(frame.columns), *frame.values.tolist()], start=1):
        for column, value in enumerate(row, start=1):
            cell = book.active.cell(place, column)
            cell.value = value
            cell.data_type = "s"  # a text that begins with = is meant as text here
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def parquet(frame: pd.DataFrame) -> bytes:
    pytest.importorskip("pyarrow")
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    return buffer.getvalue()


few = st.lists(ids, max_size=30)


@SOME
@given(few, few, st.integers(1, 12))
def test_operations_are_those_of_sets_in_source_order(left: list[str], right: list[str], size: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        one, other = (read([*each, "ann@example.com"]) for each in (left, right))
        first, second = list(dict.fromkeys(left)), list(dict.fromkeys(right))
        assert one.difference(other).ids == tuple(x for x in first if x not in second)
        assert one.intersection(other).ids == tuple(x for x in first if x in second)
        assert one.union(other).ids == tuple(dict.fromkeys(first + second))
        assert one.difference([x.upper() for x in right]).ids == one.difference(other).ids
        parts = one.split(size)
        assert sum((part.ids for part in parts), ()) == one.ids
        assert all(0 < len(part) <= size for part in parts)
        for each in (one.difference(other), one.intersection(other), one.union(other), *parts):
            check_books(each)
        shown = one.lines(reveal=True).set_index("id")["line"]
        for part in parts:
            assert [shown[x] if not hasattr(shown[x], "iloc") else shown[x].iloc[0] for x in part.ids] == list(
                part.lines()["line"]
            )


@SOME
@given(lists, st.sampled_from(["\n", "\r\n", "\r"]), st.sampled_from(["utf-8", "utf-16", "cp1252"]), st.integers(1, 90))
def test_where_the_file_is_cut_into_chunks_makes_no_difference(
    values: list[str], end: str, encoding: str, chunk: int
) -> None:
    content = end.join([POOL[0], POOL[1], *values]).encode(encoding, "ignore")
    whole = read(content)
    assume(whole.source_info.layout == "one value a line")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_module, "_CHUNK", chunk)
        patch.setattr(text_module, "_HEAD", 80)
        pieces = read(content)
    assert judged(pieces) == judged(whole)
    assert pieces == whole


def test_a_list_in_one_line_longer_than_the_first_look_is_still_a_list() -> None:
    many = [synthetic_id("one line", number) for number in range(20_000)]
    people = read(", ".join(many).encode())
    assert people.ids == tuple(many)
    assert people.source_info.layout == "one line of values"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_file_of_many_chunks_is_read_whole(end: str) -> None:
    many = [synthetic_id("chunks", number) for number in range(70_000)]
    many[50_000] = ""
    many[60_000] = "broken"
    people = read((end.join(many) + end).encode())
    assert people.counts.usable == 69_998
    assert list(people.lines().query("verdict != 'usable'")["line"]) == [50_001, 60_001]
