"""Survey data beside the visits: answers become attributes, and every row that did not match is accounted for."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import polars as pl
import pytest

from cint_nb.domain.errors import InputError, RespondentFileError
from cint_nb.history.history import History
from cint_nb.measure.attrition.contrast import contrast
from tests.history.studies import long, quiet, rid, rsid, table, two_waves


@pytest.fixture
def history(tmp_path: Path) -> History:
    return two_waves(tmp_path)


ANSWERS = pd.DataFrame(
    {
        "RID": [rid(1, 1), rid(1, 2).upper(), rid(1, 3), rid(2, 1), rid(9, 9), "", rid(1, 3)],
        "age": [30, 40, 50, 31, 99, 98, 51],
        "city": ["Köln", "Bonn", None, "Köln", "x", "y", "Kiel"],
    }
)


def test_each_row_has_an_outcome(history: History) -> None:
    joined = history.join(ANSWERS)
    assert dict(joined.summary().to_numpy()) == {"matched": 4, "not in the history": 1, "no id": 1, "repeated": 1}
    shown = joined.unmatched()
    assert shown[["row", "outcome"]].to_numpy().tolist() == [[3, "repeated"], [5, "not in the history"], [6, "no id"]]
    assert rid(9, 9) not in str(shown)
    assert rid(9, 9) in str(joined.unmatched(reveal=True).to_dict())
    assert repr(joined) == "<Joined: 4 matched · 1 not in the history · 1 no id · 1 repeated · 2 attributes>"


@pytest.mark.parametrize("make", [pd.DataFrame, pl.from_pandas, lambda frame: frame.to_dict("records")])
def test_answers_are_attributes_of_the_wave_they_were_given_in(history: History, make: type) -> None:
    history.join(make(ANSWERS))
    first = history.attributes(before=2).df()
    assert sorted(first["age"]) == [30, 40, 51]
    assert sorted(history.attributes("age").df()["age"]) == [31, 40, 51]
    with quiet():  # one has no age
        found = contrast(history.long(), first[["person", "age"]], wave=2)
    assert found.loc[0, ["attribute", "n"]].tolist() == ["age", 3]


def test_an_empty_cell_hides_no_answer_of_another_row(history: History) -> None:
    rows = [(rid(1, 1), 30, "Köln"), (rid(1, 1), None, "Bonn"), (rid(1, 2), 40, None), (rid(1, 2), 41, None)]
    joined = history.join(pd.DataFrame(rows, columns=["RID", "age", "city"]))
    known = history.attributes().df()
    assert joined.counts["repeated"] == 2
    assert known[["age", "city"]].fillna("").to_numpy().tolist() == [[30, "Bonn"], [41, ""]]


def test_a_second_join_replaces_what_it_says_again(history: History) -> None:
    history.join(ANSWERS)
    history.join(pd.DataFrame({"RID": [rid(1, 1)], "age": [29]}))
    assert sorted(history.attributes(before=2).df()["age"]) == [29, 40, 51]
    assert len(table(history, "attributes")) == 8


def test_rsids_need_a_wave(history: History) -> None:
    answers = pd.DataFrame({"RSID": [rsid(1), rsid(70)], "age": [30, 31]})
    with pytest.raises(InputError, match="in which wave"):
        history.join(answers, on="RSID")
    joined = history.join(answers, on="RSID", wave=2)
    assert joined.counts["matched"] == 1
    assert table(history, "attributes")[0][1:] == (2, "age", "30")


def test_ids_do_not_become_attributes(history: History) -> None:
    before = long(history)
    with pytest.raises(InputError, match="'token' holds ids"):
        history.join(ANSWERS.assign(token=[rsid(3)] * 7))
    for name in (rsid(3), f"seen by {rsid(3).upper()}"):
        with pytest.raises(InputError, match="holds ids") as caught:
            history.join(ANSWERS.assign(**{name: 1}))
        assert rsid(3) not in str(caught.value).lower()
    history.join(ANSWERS.assign(token=[rsid(3)] * 7), columns=["age"])
    assert long(history) == before
    assert {row[2] for row in table(history, "attributes")} == {"age"}


def test_what_cannot_be_joined_is_refused(history: History) -> None:
    with pytest.raises(InputError, match="no column 'respondent'"):
        history.join(ANSWERS, on="respondent")
    with pytest.raises(InputError, match="no column 'weight'"):
        history.join(ANSWERS, columns=["weight"])
    with pytest.raises(RespondentFileError, match="of anybody in the history"):
        history.join(pd.DataFrame({"RID": [rsid(1)], "age": [1]}))  # RSIDs in a column of RIDs
    with pytest.raises(RespondentFileError, match="masked"):
        history.join(pd.DataFrame({"RID": ["2b9e••••"], "age": [1]}))
    with pytest.raises(InputError, match="takes a DataFrame"):
        history.join("answers.csv")
    assert repr(history).endswith("version 2 · DuckDB>")
