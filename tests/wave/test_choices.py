"""What a plan can choose from: tables to look at, and a check that verifies each choice at the exchange."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from cint_nb.domain.errors import CintError, CintWarning, InputError, NotFound, PlanError, PreflightBlocked
from cint_nb.domain.findings import Severity
from cint_nb.domain.profiling.profiles import Profile
from cint_nb.sandbox.world.catalogue import BUSINESS_UNIT_ID, COLLEAGUE_ID, PROJECT_MANAGER_ID
from cint_nb.wave.choices import Choices
from cint_nb.wave.client import Client
from tests.support.fresh_waves import QUOTAS, fresh_wave

TABLES: dict[str, tuple[str, ...]] = {
    "business_units": ("business_unit_id", "name", "currency", "pricing_models"),
    "project_managers": ("project_manager_id", "name"),
    "locales": ("locale", "language", "country", "is_preferred"),
    "industries": ("industry_code", "name"),
    "study_types": ("study_type_code", "name"),
    "suppliers": ("supplier_id", "code", "name"),
}
ASKED_BY = {
    "business unit": "get_business_units",
    "project manager": "get_account_users",
    "locale": "get_locales",
    "industry": "get_industries",
    "study type": "get_study_types",
}
UNKNOWN: dict[str, Any] = {
    "business_unit_id": 999,
    "project_manager_id": "b551326b-0000-4d32-8823-4f025787dab9",
    "locale": "ger_us",
    "industry_code": "automotve",
    "study_type_code": "adhocc",
}


def table(client: Client, name: str, **options: Any) -> pd.DataFrame:
    frame = getattr(client.choices, name)(**options)
    assert isinstance(frame, pd.DataFrame)
    return frame


# --- tables -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TABLES)
def test_each_is_a_small_table_that_is_read_once(client: Client, name: str) -> None:
    first = table(client, name)
    assert tuple(first.columns) == TABLES[name]
    assert len(first) > 0
    assert not first.iloc[:, 0].duplicated().any()
    sent = client.requests_sent
    pd.testing.assert_frame_equal(table(client, name), first)
    assert client.requests_sent == sent
    client.choices.refresh()
    assert client.requests_sent == sent
    pd.testing.assert_frame_equal(table(client, name), first)
    assert client.requests_sent > sent


@pytest.mark.parametrize("name", TABLES)
def test_a_frame_that_is_changed_changes_no_other(client: Client, name: str) -> None:
    first = table(client, name)
    whole = first.copy()
    first.iloc[:, 0] = first.iloc[::-1, 0].array
    first.pop(first.columns[-1])
    pd.testing.assert_frame_equal(table(client, name), whole)


@pytest.mark.parametrize("name", TABLES)
def test_a_search_keeps_the_rows_that_contain_the_text_in_any_case(client: Client, name: str) -> None:
    everything = table(client, name)
    word = str(everything["name" if "name" in everything else "country"].iloc[-1])
    for text in (word, word.upper(), f" {word.lower()} "):
        found = table(client, name, search=text)
        holds = everything.apply(lambda row, w=word: any(w.casefold() in str(v).casefold() for v in row), axis=1)
        assert found.iloc[:, 0].tolist() == everything[holds].iloc[:, 0].tolist() != []
    assert table(client, name, search="no such text").empty
    with pytest.raises(InputError, match="needs a text"):
        table(client, name, search="  ")


def test_every_table_of_choices_is_tried() -> None:
    verbs = {name for name in vars(Choices) if not name.startswith("_")}
    assert verbs == {*TABLES, "questions", "answers", "refresh"}


def test_what_they_show_is_what_a_plan_takes(client: Client) -> None:
    choices = client.choices
    assert BUSINESS_UNIT_ID in choices.business_units()["business_unit_id"].tolist()
    assert choices.project_managers().set_index("project_manager_id").loc[PROJECT_MANAGER_ID, "name"]
    assert "ger_de" in choices.locales(search="Germany")["locale"].tolist()
    assert {"adhoc", "recontact"} <= set(choices.study_types()["study_type_code"])
    assert "other" in choices.industries()["industry_code"].tolist()


def test_questions_are_those_of_the_locale_and_searched_by_the_exchange(client: Client) -> None:
    german = client.choices.questions("ger_de")
    assert german.set_index("name").loc["GENDER", "text"] == "Welches Geschlecht haben Sie?"
    assert german.set_index("name").loc["GENDER", "text_english"] == "What is your gender?"
    assert german.set_index("name").loc["AGE", "kind"] == "range"
    assert "HISPANIC" not in german["name"].tolist()
    assert "HISPANIC" in client.choices.questions("eng_us")["name"].tolist()
    found = client.choices.questions("ger_de", search="weiblich")
    assert found["name"].tolist() == ["GENDER"]
    sent = client.requests_sent
    client.choices.questions("ger_de", search="weiblich")
    assert client.requests_sent == sent


@pytest.mark.parametrize("question", ["gender", "GENDER", 43])
def test_answers_of_a_question_are_listed_in_both_languages(client: Client, question: Any) -> None:
    frame = client.choices.answers("ger_de", question)
    assert tuple(frame.columns) == ("option", "text", "text_english")
    assert frame.iloc[0].tolist() == ["1", "Männlich", "Male"]
    with pytest.raises(NotFound, match="close to it are GENDER"):
        client.choices.answers("ger_de", "gendr")


def test_what_the_account_may_not_list_is_an_error_and_no_empty_table(client: Client) -> None:
    client.sandbox.inject("expired-token", "get_industries", times=5)
    with pytest.raises(CintError):
        client.choices.industries()
    assert client.choices.study_types().shape[0] > 0


# --- the check --------------------------------------------------------------------------------------------------------


def rules(client: Client, **changes: Any) -> dict[str, Severity]:
    return {finding.rule: finding.severity for finding in fresh_wave(client, **changes).check(ask=True)}


def test_a_plan_of_known_choices_has_no_finding_about_them(client: Client) -> None:
    assert set(rules(client, profiling=QUOTAS)) == {"overfill-prescreens"}


@pytest.mark.parametrize("field", UNKNOWN)
def test_an_unknown_choice_blocks_the_check_and_the_creation(client: Client, field: str) -> None:
    changes = {field: UNKNOWN[field]}
    assert rules(client, **changes)["unknown-choice"] is Severity.BLOCK
    with pytest.raises((PreflightBlocked, PlanError)) as caught:
        fresh_wave(client, **changes).create()
    assert "client.choices." in str(caught.value)
    assert client.sandbox.world.groups == {}
    assert client.sandbox.world.projects == {}


def test_without_asking_nothing_is_sent_and_nothing_claimed(client: Client) -> None:
    findings = fresh_wave(client, **UNKNOWN).check()
    assert not {"unknown-choice", "not-asked"} & {finding.rule for finding in findings}
    assert client.requests_sent == 0


def test_a_colleague_who_manages_no_projects_is_told_from_a_stranger(client: Client) -> None:
    found = rules(client, project_manager_id=COLLEAGUE_ID)
    assert found.get("unknown-choice") in (None, Severity.WARN)


@pytest.mark.parametrize("words", ASKED_BY)
def test_a_list_that_could_not_be_asked_is_no_all_clear(client: Client, words: str) -> None:
    client.sandbox.inject("expired-token", ASKED_BY[words], times=50)
    findings = [each for each in fresh_wave(client).check(ask=True) if each.rule == "not-asked"]
    assert [each.severity for each in findings] == [Severity.WARN]
    assert words in findings[0].message
    with pytest.warns(CintWarning, match=f"was not asked whether the {words} exists"):
        fresh_wave(client).create()
    assert len(client.sandbox.world.groups) == 1


def test_a_validator_that_could_not_be_asked_is_said_and_does_not_stop_a_draft(client: Client) -> None:
    client.sandbox.inject("expired-token", "validate_profiles", times=50)
    wave = fresh_wave(client, profiling=QUOTAS)
    assert rules(client, profiling=QUOTAS)["not-asked"] is Severity.WARN
    with pytest.warns(CintWarning, match="were not validated"):
        wave.create()
    assert len(client.sandbox.world.groups) == 1


def test_a_library_that_could_not_be_read_blocks_since_nothing_could_be_written(client: Client) -> None:
    client.sandbox.inject("expired-token", "account_questions_translation", times=50)
    wave = fresh_wave(client, profiling=Profile("gender", {"male": 50, "female": 50}))
    assert "profiles" in {each.rule for each in wave.check(ask=True) if each.severity is Severity.BLOCK}
    act: Callable[[], Any] = wave.create
    with pytest.raises(CintError):
        act()
    assert client.sandbox.world.groups == {}
