"""Cohorts: people by what became of them, as a list that can be uploaded."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from cint_nb.domain.errors import InputError, RespondentFileError
from cint_nb.history.history import History
from cint_nb.measure.patterns import select
from tests.history.studies import content, rows, rsid, times, two_waves


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    return two_waves(tmp_path_factory.mktemp("study"))


def numbers(history: History, *rule: object, **words: object) -> list[int]:
    """Return the people of a cohort as the numbers that the study gave them."""
    known = {rsid(number): number for number in range(20)}
    return sorted(known[each] for each in history.cohort(*rule, **words).respondents().ids)  # type: ignore[arg-type]


def test_people_are_chosen_by_what_became_of_them(history: History) -> None:
    assert numbers(history, completed=1) == [1, 2, 3, 4]
    assert numbers(history, completed=[1, 2]) == [1]
    assert numbers(history, completed=1, not_completed=2) == [2, 3, 4]
    assert numbers(history, {1: "completed", 2: ["dropped", "quality"]}) == [2, 3]
    assert numbers(history, {2: "rejected"}) == [4]
    assert numbers(history, {2: "not_asked"}) == [5, 6]
    assert numbers(history, not_completed=2) == [2, 3, 4, 5, 6]


@pytest.mark.thorough
def test_many_people_are_fetched_in_pieces_and_stay_in_order(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = history.cohort(not_completed=2).respondents().ids
    for size in (1, 2, 3, 5):
        monkeypatch.setattr("cint_nb.history.cohort._AT_ONCE", size)
        assert history.cohort(not_completed=2).respondents().ids == whole
    assert len(whole) == 5


def test_a_measure_chooses_too(history: History) -> None:
    assert numbers(history, select(history.long(), min_done=2)) == [1]
    assert numbers(history, pd.DataFrame({"person": history.cohort(completed=2).people})) == [1]


def test_who_completed_a_wave_twice_is_one_of_a_cohort_once(tmp_path: Path) -> None:
    history = two_waves(tmp_path)
    more = content(rows([(1, 10), (9, 10)], wave=2, group="another group", visits_of="another group"))
    history.add_report(more, name="second, youth", wave=2, **times(2))
    assert numbers(history, completed=2) == [1, 9]
    assert len(history.cohort(completed=2)) == 2


def test_a_cohort_says_its_rule_and_shows_nobody(history: History) -> None:
    cohort = history.cohort(completed=1, not_completed=2)
    assert repr(cohort) == "<Cohort: 3 people · wave 1: completed, wave 2: not completed>"
    assert len(cohort) == 3
    people = cohort.respondents()
    assert people.to_upload().content.count(b"\n") == 3
    assert people.source_name == "wave 1: completed, wave 2: not completed"


def test_rules_that_say_nothing_are_refused(history: History) -> None:
    with pytest.raises(InputError, match="no wave 9"):
        history.cohort(completed=9)
    with pytest.raises(InputError, match="'came back' is not"):
        history.cohort({1: "came back"})
    with pytest.raises(InputError, match="needs a rule"):
        history.cohort()
    with pytest.raises(InputError, match="a mapping from waves to words"):
        history.cohort(pd.DataFrame({"who": [1]}))
    with pytest.raises(RespondentFileError, match="Nobody in the history fits"):
        history.cohort({1: "duplicate"}).respondents()
