"""The control page: what it shows of the world, and the faults that a click arms and disarms."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import httpx
import pytest

from cint_nb.sandbox.faults import CHANGE_NAMES, FAULT_NAMES, FaultPlan, parse_fault
from cint_nb.sandbox.http.page.charts import draw_completes
from cint_nb.sandbox.http.page.lessons import CHANGE_LESSONS, FAULT_LESSONS, Lesson
from cint_nb.sandbox.http.page.style import STYLE
from cint_nb.sandbox.sandbox import FAULT_STEPS, Sandbox
from cint_nb.sandbox.server import ServedSandbox
from tests.support.sandbox_client import RawClient
from tests.support.statements import people, wave

LESSONS = [*FAULT_LESSONS, *CHANGE_LESSONS]


@pytest.fixture
def served(sandbox: Sandbox) -> Iterator[ServedSandbox]:
    with ServedSandbox(sandbox) as served:
        yield served


@pytest.fixture
def http(served: ServedSandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served.url, trust_env=False) as http:
        yield http


def rows(text: str, caption: str) -> list[list[str]]:
    """Return the cells of a table of the page as text."""
    table = re.search(rf'aria-label="{caption}">.*?<tbody>(.*?)</tbody>', text, re.DOTALL)
    assert table is not None, caption
    return [
        [unescape(re.sub(r"<[^>]+>", " ", cell)).strip() for cell in re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL)]
        for row in re.findall(r"<tr>(.*?)</tr>", table[1], re.DOTALL)
    ]


def test_target_groups_come_newest_first_with_their_people_counted(
    sandbox: Sandbox, raw_client: RawClient, http: httpx.Client
) -> None:
    group = wave(raw_client, 300, name="Tracker, wave 2", completes_goal=250)
    raw_client.launched(group)
    raw_client.group(name="Tracker, wave 3")
    sandbox.advance(30 * 3_600)
    listed = rows(http.get("/").text, "All target groups, newest first")
    assert [row[0].split("  ")[0] for row in listed] == ["Tracker, wave 3", "Tracker, wave 2"]
    fieldwork = sandbox.world.groups[group.rsplit("/", 1)[1]].fieldwork
    entrants, completes = fieldwork.counts["entrants"], fieldwork.completes
    assert completes > 10
    assert listed[1][1:8] == [
        "live", "Brand tracker", "250", "300", str(entrants), str(len(fieldwork.active_visits)), str(completes),
    ]  # fmt: skip
    assert group.rsplit("/", 1)[1] in listed[1][0]
    card = http.get("/").text.split('<article class="card">')[1].split("</article>")[0]
    counted = dict(re.findall(r"<dt>([^<]+)</dt><dd>([\d,]+)</dd>", card))
    assert counted["saved"] == "300"
    assert counted["entered"] == str(entrants)
    ended = sum(int(count) for name, count in counted.items() if name not in ("saved", "entered"))
    assert ended == entrants, "everybody who entered is in the survey, or has left it in one way"


def test_jobs_come_newest_first_with_target_group_and_time(
    sandbox: Sandbox, raw_client: RawClient, http: httpx.Client
) -> None:
    group = raw_client.group(name="Tracker, wave 2")
    raw_client.upload(group, people(raw_client, 5), name="first.csv")
    sandbox.advance(3_600)
    raw_client.upload(group, people(raw_client, 9), name="second.csv")
    second, first = rows(http.get("/").text, "Jobs, newest first")
    assert [second[3], first[3]] == ["second.csv", "first.csv"]
    assert second[1:3] == ["Processing", "Tracker, wave 2"]
    assert (second[4], second[5]) == ("2026-09-01 09:00:05", "")
    assert first[1] == "Completed"
    assert first[4] == "2026-09-01 08:00:05"
    assert first[5].startswith("2026-09-01 08:00:")


def test_only_the_newest_of_many_are_shown_and_the_rest_is_counted(
    sandbox: Sandbox, raw_client: RawClient, http: httpx.Client
) -> None:
    project = raw_client.project()
    for number in range(103):
        raw_client.group(project, name=f"Wave {number:03}")
    group = raw_client.group(project, name="Wave 103")
    for _ in range(53):
        raw_client.upload(group, ["x"])
        sandbox.advance(30)
    text = http.get("/").text
    assert len(rows(text, "All target groups, newest first")) == 100
    assert len(rows(text, "Jobs, newest first")) == 50
    assert "and 4 older target groups" in text
    assert "and 3 older jobs" in text


def test_the_chart_says_in_words_what_it_shows() -> None:
    series: list[Any] = [
        {"at": f"2026-09-0{day}T08:00:00.000Z", "completes": count} for day, count in ((1, 0), (2, 30), (3, 45))
    ]
    drawn = draw_completes(series, 60)
    assert 'aria-label="45 of 60 completes, from 09-01 08:00 to 09-03 08:00"' in drawn
    points = [tuple(map(float, pair)) for pair in re.findall(r"[ML]([\d.]+) ([\d.]+)", drawn.split('class="line"')[1])]
    assert [x for x, _ in points] == sorted(x for x, _ in points)
    assert [y for _, y in points] == sorted((y for _, y in points), reverse=True), "more completes stand higher"
    assert draw_completes(series[:1], 60) == ""
    assert 'aria-label="45 of 30' in draw_completes(series, 30), "more than the goal stays on the chart"


def test_a_launched_group_has_a_chart_and_a_draft_has_none(
    sandbox: Sandbox, raw_client: RawClient, http: httpx.Client
) -> None:
    group = wave(raw_client, 100, completes_goal=50)
    assert "<svg" not in http.get("/").text
    raw_client.launched(group)
    sandbox.advance(86_400)
    state = http.get("/sandbox/world").json()["target_groups"][0]
    series = state["completes_over_time"]
    assert series[0]["completes"] == 0
    assert [one["completes"] for one in series] == sorted(one["completes"] for one in series)
    assert series[-1]["completes"] == state["completes"] > 0
    assert f'aria-label="{state["completes"]} of 50 completes' in http.get("/").text


def test_every_fault_and_every_change_teaches_something_in_one_line() -> None:
    names = [parse_fault(lesson.fault).name for lesson in LESSONS]
    assert sorted(names) == sorted(FAULT_NAMES | CHANGE_NAMES)
    for lesson in LESSONS:
        assert 20 < len(lesson.teaches) < 110
        assert lesson.teaches.endswith(".")
    assert len({lesson.teaches for lesson in LESSONS}) == len(LESSONS)


@pytest.mark.sampled(every=5)
@pytest.mark.parametrize("lesson", FAULT_LESSONS, ids=lambda lesson: lesson.fault)
def test_a_click_arms_and_another_disarms(served: ServedSandbox, http: httpx.Client, lesson: Lesson) -> None:
    def button(text: str) -> tuple[str, str]:
        card = next(part for part in text.split("<li ") if f"<code>{lesson.fault}</code>" in part)
        found = re.search(r'<button name="(\w+)" value="([^"]+)">(\w+)', card)
        assert found is not None
        assert unescape(found[2]) == lesson.fault
        return found[1], found[3]

    assert button(http.get("/").text) == ("fault", "Arm")
    http.post("/sandbox/page/fault", data={"fault": lesson.fault})
    assert [fault.text for fault in served.sandbox.faults.armed] == [lesson.fault]
    page = http.get("/").text
    assert button(page) == ("disarm", "Disarm")
    assert [row[1] for row in rows(page, "Armed faults, newest first")] == [lesson.fault]
    http.post("/sandbox/page/fault", data={"disarm": lesson.fault})
    assert served.sandbox.faults.armed == []


@pytest.mark.sampled(every=4)
@pytest.mark.parametrize("lesson", CHANGE_LESSONS, ids=lambda lesson: lesson.fault)
def test_each_change_can_be_clicked_or_says_why_it_cannot_happen(
    raw_client: RawClient, served: ServedSandbox, http: httpx.Client, lesson: Lesson
) -> None:
    wave(raw_client, 60)
    reply = http.post("/sandbox/page/fault", data={"fault": lesson.fault})
    assert reply.status_code == 303 or 'role="alert"' in reply.text


def test_disarming_what_is_not_armed_is_said(http: httpx.Client) -> None:
    reply = http.post("/sandbox/page/fault", data={"disarm": "429@list"})
    assert reply.status_code == 400
    assert "is not armed" in reply.text


def test_one_fault_can_be_disarmed_over_http(served: ServedSandbox, http: httpx.Client) -> None:
    for text in ("429@list", "503@any", "429@list"):
        served.sandbox.faults.arm(text)
    left = http.request("DELETE", "/sandbox/faults", params={"fault": "429@list"}).json()["faults"]
    assert [fault["fault"] for fault in left] == ["429@list", "503@any"]
    assert http.request("DELETE", "/sandbox/faults", params={"fault": "500@any"}).status_code == 400


def test_a_plan_disarms_the_last_of_equal_faults() -> None:
    plan = FaultPlan(("429@list", "503@any", "429@list"), known_steps=FAULT_STEPS)
    first = plan.armed[0]
    plan.disarm(" 429@list ")
    assert plan.armed[0] is first
    assert len(plan.armed) == 2


def test_the_page_has_both_themes_and_loads_nothing(http: httpx.Client) -> None:
    assert "prefers-color-scheme: dark" in STYLE
    colours = [set(re.findall(r"(--[\w-]+):", part)) for part in STYLE.split("@media (prefers-color-scheme: dark)")]
    assert colours[1] == colours[0], "each colour has its dark one"
    text = http.get("/").text
    assert not re.search(r"""(src|href)=["'](https?:)?//""", text)
    assert "url(" not in text
    assert "<script" not in text


def test_the_page_reloads_itself_when_asked_to(http: httpx.Client) -> None:
    assert 'http-equiv="refresh"' not in http.get("/").text
    assert '<meta http-equiv="refresh" content="5">' in http.get("/?refresh=1").text


@pytest.mark.parametrize(
    ("speed", "words"), [(60.0, "60 times real time"), (None, "The clock stands until it is moved")]
)
def test_the_page_says_how_time_passes(speed: float | None, words: str) -> None:
    with ServedSandbox(Sandbox(speed=speed)) as served:
        assert words in httpx.get(f"{served.url}/", trust_env=False).text
