"""The share of ids that makes a column one of ids, in a list and in a report."""

from __future__ import annotations

import pandas as pd
import pytest

from cint_nb.domain.errors import RespondentFileError
from cint_nb.domain.ids import EntityType, synthetic_id
from cint_nb.study.files.id_column import ColumnSample, choose_id_column, list_labels
from cint_nb.study.files.respondents import read_respondents
from cint_nb.study.outcome.report_columns import rid_column, rsid_column
from cint_nb.study.outcome.visit_reports import read_report

IDS = [synthetic_id("id columns", number) for number in range(40)]


def cells(count: int, *, offset: int = 0) -> list[str]:
    """Return ten cells, `count` of them ids."""
    return [*IDS[offset : offset + count], *["not available"] * (10 - count)]


def test_a_column_of_which_a_fifth_is_ids_is_the_column_of_ids() -> None:
    columns = [ColumnSample(1, "age", ["31"] * 10), ColumnSample(2, "key", cells(2))]
    chosen = choose_id_column(columns, None, source="", entity_type=EntityType.RSID, has_header=True)
    assert chosen.position == 2
    people = read_respondents(pd.DataFrame({"age": ["31"] * 10, "key": cells(4)}), entity_type="RSID")
    assert people.ids == tuple(IDS[:4])


def test_an_id_in_a_column_of_comments_makes_no_candidate() -> None:
    frame = pd.DataFrame({"comment": cells(1, offset=30), "key": cells(10)})
    assert read_respondents(frame, entity_type="RSID").ids == tuple(IDS[:10])


def test_a_column_below_the_share_is_found_by_its_name_only() -> None:
    assert len(read_respondents(pd.DataFrame({"age": ["31"] * 10, "RSID": cells(1)}), entity_type="RSID")) == 1
    with pytest.raises(RespondentFileError, match="No column contains respondent IDs"):
        read_respondents(pd.DataFrame({"age": ["31"] * 10, "key": cells(1)}), entity_type="RSID")


def test_a_report_that_gives_few_ids_has_its_columns_found_all_the_same() -> None:
    frame = pd.DataFrame({"RSID": cells(2), "RID": cells(2, offset=20), "status": ["10"] * 10})
    found = read_report(frame)
    assert found.columns == {"rsid": "RSID", "rid": "RID", "status": "status"}
    assert found.visits_without_rsid == 8
    assert found.entrants.ids == tuple(IDS[:2])


def test_an_id_in_a_comment_makes_no_column_of_a_report() -> None:
    columns = [ColumnSample(1, "RSID", cells(1)), ColumnSample(2, "RID", cells(1)), ColumnSample(3, "who", cells(10))]
    assert rid_column(columns, None, "", None) is None
    assert rsid_column(columns, None, "visit", None) == "who"


def test_a_message_lists_twelve_columns_and_counts_the_others() -> None:
    columns = [ColumnSample(number, f"c{number}", ()) for number in range(1, 16)]
    assert list_labels(columns[:2]) == '1 "c1", 2 "c2"'
    assert list_labels(columns).endswith('12 "c12" and 3 more')
