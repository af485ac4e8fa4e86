"""Bad input stops before the network, names its cause, the line or field and the fix, and leaves nothing half done."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cint_nb.domain.errors import InputError, PreflightBlocked, SettingsError
from cint_nb.domain.ids import synthetic_id
from cint_nb.domain.plan import TargetGroupPlan
from cint_nb.study.files.respondents import read_respondents
from cint_nb.wave.client import Client, open_client
from cint_nb.wave.wave import Wave

MakePlan = Callable[..., TargetGroupPlan]
MakeWave = Callable[..., Wave]
Content = str | bytes | Callable[[], str] | None


def lines(count: int) -> str:
    return "".join(f"{synthetic_id('bad input', number)}\n" for number in range(count))


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def try_wave(client: Client, make_plan: MakePlan, file: Path, entity_type: str = "RSID") -> None:
    """Do what an analyst does with a file: read it, create the draft, upload."""
    people = read_respondents(file, entity_type=entity_type)
    wave = client.wave("A wave of bad input", project="Brand tracker", respondents=people, plan=make_plan())
    wave.create()
    wave.upload()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("missing.csv", None, "missing.csv"),
        ("empty.csv", b"", "empty"),
        ("blank.csv", b"\r\n\r\n", "blank"),
        ("picture.csv", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256)) * 8, "picture"),
        ("letter.docx", b"PK\x03\x04" + b"\x00" * 64, ".docx"),
        ("two columns.csv", "RSID,OTHER\n" + f"{synthetic_id('a', 1)},{synthetic_id('b', 1)}\n" * 3, "column"),
        ("too many.csv", lambda: lines(100_001), "100,00"),
    ],
)
def test_a_file_that_cannot_be_uploaded_stops_before_the_network(
    client: Client, make_plan: MakePlan, tmp_path: Path, name: str, content: Content, message: str
) -> None:
    file = tmp_path / name
    if content is not None:
        write(file, content() if callable(content) else content)
    with pytest.raises((InputError, PreflightBlocked)) as caught:
        try_wave(client, make_plan, file)
    assert message in str(caught.value)
    assert "Next:" in str(caught.value)
    assert client.requests_sent == 0


def test_a_directory_is_no_file(client: Client, make_plan: MakePlan, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"directory|folder"):
        try_wave(client, make_plan, tmp_path)
    assert client.requests_sent == 0


def test_a_6_mb_file_of_one_column_holds_more_ids_than_a_target_group(
    client: Client, make_plan: MakePlan, tmp_path: Path
) -> None:
    file = write(tmp_path / "big.csv", lines(162_200))
    assert file.stat().st_size > 6_000_000
    with pytest.raises((InputError, PreflightBlocked), match="100,000"):
        try_wave(client, make_plan, file)
    assert client.requests_sent == 0


def test_a_header_row_is_recognised_named_and_never_sent(client: Client, make_plan: MakePlan, tmp_path: Path) -> None:
    people = read_respondents(write(tmp_path / "header.csv", "RSID\n" + lines(150)), entity_type="RSID")
    assert people.counts.header == 1
    assert not people.to_upload().content.startswith(b"RSID")
    assert people.lines().iloc[0]["verdict"] == "header"


@pytest.mark.parametrize("word", ["", "PID", "UUID"])
def test_an_unknown_entity_type_is_refused(client: Client, make_plan: MakePlan, tmp_path: Path, word: str) -> None:
    with pytest.raises(InputError, match="identifies a person, RID"):
        try_wave(client, make_plan, write(tmp_path / "good.csv", lines(150)), entity_type=word)
    assert client.requests_sent == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"completes_goal": 0}, "completes_goal"),
        ({"locale": "german"}, "locale"),
        ({"expected_length_of_interview_minutes": 46}, "expected_length_of_interview_minutes"),
        ({"expected_incidence_rate": 1.5}, "expected_incidence_rate"),
        ({"cost_per_interview": "cheap"}, "money"),
        ({"unknown_field": 1}, "unknown_field"),
    ],
)
def test_a_plan_with_an_impossible_field_cannot_be_made(
    make_plan: MakePlan, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        make_plan(**changes)


def test_a_time_without_a_zone_is_refused(make_plan: MakePlan, client: Client) -> None:
    with pytest.raises(InputError, match="zone"):
        make_plan(end_at=client.clock.now().replace(tzinfo=None))


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"completes_goal": 5_000}, "goal"),
        ({"live_url": "https://your-survey.com?RID=[%RID%]"}, "url-variable"),
        ({"live_url": "https://your-survey.com?RECONTACT_RSID=%5B%25RECONTACT_RSID%25%5D"}, "url-variable"),
        ({"end_at": timedelta(minutes=59)}, "dates"),
    ],
)
def test_a_plan_the_guides_forbid_is_stopped_by_its_rule(
    client: Client, make_plan: MakePlan, make_wave: MakeWave, changes: dict[str, Any], rule: str
) -> None:
    now = client.clock.now()
    fields = {name: now + value if isinstance(value, timedelta) else value for name, value in changes.items()}
    wave = make_wave(**fields)
    assert rule in {finding.rule for finding in wave.check().blocking}
    with pytest.raises(PreflightBlocked, match="Next:"):
        wave.create()
    assert client.requests_sent == 0
    assert wave.target_group is None
    assert client.aio.journal.entries() == []


def test_a_plan_whose_dates_have_passed_is_looked_up_since_it_may_have_been_fielded_and_then_stopped(
    client: Client, make_wave: MakeWave
) -> None:
    now = client.clock.now()
    wave = make_wave(start_at=now - timedelta(days=3), end_at=now - timedelta(days=2))
    with pytest.raises(PreflightBlocked, match="Fielding would end"):
        wave.create()
    assert client.sandbox.world.projects == {}
    assert client.aio.journal.entries() == []


@pytest.mark.usefixtures("without_credentials")
def test_live_mode_without_credentials_names_every_missing_variable() -> None:
    with pytest.raises(SettingsError) as caught:
        open_client("live")
    for variable in ("CINT_NB_ACCOUNT_ID", "CINT_NB_CLIENT_ID", "CINT_NB_CLIENT_SECRET"):
        assert variable in str(caught.value)


def test_what_is_no_list_of_respondents_says_where_they_come_from(client: Client, make_plan: MakePlan) -> None:
    with pytest.raises(InputError, match="given list") as caught:
        client.wave("A wave of nobody", project="Brand tracker", respondents=["an id"], plan=make_plan())  # type: ignore[arg-type]
    assert "picker.value" in str(caught.value)
    assert client.requests_sent == 0
