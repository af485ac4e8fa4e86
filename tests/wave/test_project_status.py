"""A whole project is watched with one request a page of its list and the details of what has changed."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cint_nb.domain.errors import InputError
from cint_nb.domain.plan import TargetGroupPlan
from cint_nb.domain.target_groups import TargetGroupSummary
from cint_nb.sandbox.sample import write_sample
from cint_nb.study.files.respondents import read_respondents
from cint_nb.study.frames import STATUS_COLUMNS
from cint_nb.wave.client import Client, open_client
from cint_nb.wave.project_status import ProjectStatus
from cint_nb.wave.status_rows import row_from_list
from cint_nb.wave.wave import Wave
from tests.support.plans import PRICE_VALUE, make_plan

PROJECT = "Watched project"


@pytest.fixture
def client() -> Iterator[Client]:
    with open_client("sandbox") as client:
        yield client


def plan_for(client: Client, **changes: Any) -> TargetGroupPlan:
    now = client.clock.now()
    return make_plan(now, **{"completes_goal": 300, "start_at": now + timedelta(hours=1)} | changes)


def launched(client: Client, tmp_path: Path, name: str = "Wave in the field", **changes: Any) -> Wave:
    people = read_respondents(write_sample(tmp_path / "sample.csv", lines=400), entity_type="RSID")
    wave = client.wave(name, project=PROJECT, respondents=people, plan=plan_for(client, **changes))
    wave.create()
    wave.upload()
    wave.launch(budget="900 EUR")
    return wave


def drafts(client: Client, project_id: str, count: int) -> None:
    begin = client.requests_sent  # a reference of their own for each call

    async def make() -> None:
        plan = plan_for(client)
        await asyncio.gather(
            *(
                client.aio.target_groups.create_draft(
                    project_id, plan, name=f"Draft {number:03}", reference=f"reference-{begin}-{number:03}"
                )
                for number in range(count)
            )
        )

    client.aio.run(make())


def last(status: ProjectStatus) -> pd.DataFrame:
    return list(status())[-1]


def sent_by(client: Client, status: ProjectStatus) -> int:
    before = client.requests_sent
    last(status)
    return client.requests_sent - before


@pytest.mark.thorough
def test_two_hundred_groups_are_refreshed_with_one_request_a_page_and_what_changed(
    client: Client, tmp_path: Path
) -> None:
    wave = launched(client, tmp_path)
    group = wave.target_group
    assert group is not None
    drafts(client, group.project_id, 199)
    status = client.project_status(PROJECT)
    frames = list(status())
    assert [len(frame) for frame in frames] == [200] * 10, "the whole list first, then as details come"
    assert frames[0]["goal"].notna().all()
    assert sent_by(client, status) == 2, "nothing changed: two pages and nothing else"
    client.pass_time(minutes=5)
    client.fielding.pause(group)
    assert sent_by(client, status) <= 2 + 8, "the details of one group"


@pytest.mark.thorough
def test_twice_the_groups_take_a_few_frames_more_not_twice_as_many(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cint_nb.wave.project_status._FIRST_BATCH", 1)
    group = launched(client, tmp_path).target_group
    assert group is not None
    frames = []
    for count in (19, 20):
        drafts(client, group.project_id, count)
        frames.append(len(list(client.project_status(PROJECT)())))
    assert frames[1] - frames[0] <= 5


def test_a_group_in_the_field_has_every_figure_and_a_draft_what_is_known_of_it(client: Client, tmp_path: Path) -> None:
    wave = launched(client, tmp_path)
    client.pass_time(days=1)
    assert wave.target_group is not None
    drafts(client, wave.target_group.project_id, 1)
    frame = last(client.project_status(PROJECT))
    assert list(frame.columns) == [*STATUS_COLUMNS, "trend"]
    assert frame.attrs["mode"] == "sandbox"
    rows = {row["name"]: row for row in frame.to_dict("records")}
    field, draft = rows["Wave in the field"], rows["Draft 000"]
    own = wave.status(trend=True).to_dict("records")[0]
    same = ("completes", "goal", "saved", "entrants", "screenouts", "cost", "price_cap", "ends_at", "trend", "warnings")
    assert {name: field[name] for name in same} == {name: own[name] for name in same}
    assert field["trend"][-1] == field["completes"] > 0
    assert (draft["state"], draft["goal"], draft["saved"], draft["price_cap"]) == ("draft", 300, 0, float(PRICE_VALUE))
    assert draft["warnings"] == "goal exceeds saved IDs: 300 of 0"


def test_a_pause_by_the_marketplace_is_told_from_ones_own(tmp_path: Path) -> None:
    with open_client("sandbox", faults=["paused-by-marketplace@launch"]) as client:
        wave = launched(client, tmp_path)
        client.pass_time(days=6)
        said = "paused by the marketplace: no completes in several days"
        assert said in last(client.project_status(PROJECT))["warnings"].loc[0]
        assert said in wave.status()["warnings"].loc[0]
        wave.resume()
        client.pass_time(hours=1)
        wave.pause()
        assert "marketplace" not in wave.status()["warnings"].loc[0]


def test_saved_ids_of_a_line_that_stands_still_are_read_again_after_a_while(client: Client, tmp_path: Path) -> None:
    people = read_respondents(write_sample(tmp_path / "sample.csv", lines=400), entity_type="RSID")
    wave = client.wave("Wave to be", project=PROJECT, respondents=people, plan=plan_for(client))
    wave.create()
    status = client.project_status(PROJECT)
    assert last(status).loc[0, "saved"] == 0
    wave.upload()
    client.pass_time(minutes=11)
    assert last(status)["saved"].loc[0] > 300
    assert "goal above" not in last(status)["warnings"].loc[0]


def test_forgetting_reads_all_details_anew(client: Client, tmp_path: Path) -> None:
    launched(client, tmp_path)
    status = client.project_status(PROJECT)
    first = sent_by(client, status)
    status.clear_cache()
    assert sent_by(client, status) >= first - 1, "the project's name is not looked up again"


def test_a_project_made_elsewhere_is_found_by_its_name(client: Client, tmp_path: Path) -> None:
    manager = "b551326b-ac9d-4d32-8823-4f025787dab9"
    project = client.projects.create("Made elsewhere", manager)
    drafts(client, project.id, 1)
    assert Counter(last(client.project_status("Made elsewhere"))["state"]) == {"draft": 1}
    with pytest.raises(InputError, match="no project of that name"):
        list(client.project_status("Made nowhere")())


def test_an_archived_or_vanished_group_keeps_what_the_list_says(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cint_nb.domain.errors import NotFound

    launched(client, tmp_path)

    async def gone(*_: Any) -> None:
        raise NotFound("gone")

    monkeypatch.setattr(client.aio.target_groups, "overview", gone)
    row = last(client.project_status(PROJECT)).iloc[0]
    assert (row["name"], row["goal"]) == ("Wave in the field", 300)


def test_the_cap_of_a_draft_is_its_highest_price_not_its_wished_one(client: Client, tmp_path: Path) -> None:
    people = read_respondents(write_sample(tmp_path / "sample.csv", lines=400), entity_type="RSID")
    plan = plan_for(client, maximum_cpi="3 EUR")
    client.wave("Wave with a cap", project=PROJECT, respondents=people, plan=plan).create()
    assert last(client.project_status(PROJECT)).loc[0, "price_cap"] == 3


def test_a_changelog_that_may_not_be_read_hides_no_pause(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cint_nb.domain.errors import PermissionDenied

    wave = launched(client, tmp_path)
    client.pass_time(hours=2)
    assert wave.target_group is not None
    client.fielding.pause(wave.target_group)

    def refused(*_: Any, **__: Any) -> None:
        raise PermissionDenied("not yours")

    monkeypatch.setattr(client.aio.target_groups, "changelog", refused)
    status = wave.status()
    assert status.loc[0, "state"] == "paused"
    assert "the changelog, which says who paused it could not be read" in str(status.loc[0, "warnings"])


READS = {
    "get_target_group_overview": "the overview",
    "get_target_group_performance": "the performance",
    "get_recontacts_overview": "the saved IDs",
    "get_fielding_assistant_assignment": "bounds what it can cost",
    "get_target_group_completes_aggregated_by_interval": "the completes over time",
}
"""Operations of the document that a status reads, and what is said where one is refused."""


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize("operation", READS)
def test_a_read_of_a_status_that_is_refused_is_named_in_its_row(client: Client, tmp_path: Path, operation: str) -> None:
    wave = launched(client, tmp_path)
    client.pass_time(hours=2)
    assert wave.status(trend=True).loc[0, "warnings"] == ""
    client.sandbox.faults.arm(f"404@{operation}*always")
    assert READS[operation] in str(wave.status(trend=True).loc[0, "warnings"])
    if operation != "get_fielding_assistant_assignment":  # the status of a project does not read it
        *_, of_project = client.project_status(PROJECT)()
        assert READS[operation] in str(of_project.loc[0, "warnings"])


@pytest.mark.parametrize(
    ("word", "said"), [("LIVE ", ""), ("running", "'running', which is not documented"), (None, "is not known")]
)
def test_a_state_of_the_list_that_is_not_documented_is_told(word: str | None, said: str) -> None:
    row = row_from_list(TargetGroupSummary.model_validate({"id": "G1", "name": "A group", "status": word}))
    assert said in "; ".join(row["warnings"])
    assert len(row["warnings"]) == bool(said)
    assert row["state"] == (word or "").strip()
