"""A sandbox for a class: a token leads to one account, and no other."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from cint_nb.sandbox import server
from cint_nb.sandbox.classroom import Classroom
from cint_nb.sandbox.sandbox import ACCOUNT_ID, PROJECT_MANAGER_ID, Sandbox
from cint_nb.sandbox.server import ServedApp
from cint_nb.wave.client import Client, open_client
from tests.support import plans

STUDENTS = 4
PROJECTS = f"/demand/accounts/{ACCOUNT_ID}/projects"


@pytest.fixture
def classroom() -> Classroom:
    return Classroom(STUDENTS)


@pytest.fixture
def served(classroom: Classroom) -> Iterator[ServedApp]:
    with ServedApp(classroom) as served:
        yield served


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, timeout=30, headers={"Cint-API-Version": "2025-12-18"}) as http:
        yield http


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def create_project(http: httpx.Client, base_url: str, token: str, name: str = "Brand tracker") -> str:
    body = {"name": name, "project_manager_id": PROJECT_MANAGER_ID}
    headers = {**bearer(token), "idempotency-key": "the same for all"}
    reply = http.post(f"{base_url}{PROJECTS}", json=body, headers=headers)
    assert reply.status_code == 202, reply.text
    return str(reply.json()["id"])


@pytest.mark.parametrize("common", [True, False], ids=["common URL", "own URL"])
def test_each_token_sees_the_projects_of_its_account_only(
    classroom: Classroom, served: ServedApp, http: httpx.Client, common: bool
) -> None:
    base_urls = [served.base_url if common else f"{served.url}{student.path}" for student in classroom.students]
    made = [
        create_project(http, url, student.token) for url, student in zip(base_urls, classroom.students, strict=True)
    ]
    assert len(set(made)) == STUDENTS
    classroom.advance(5)
    for number, (url, student) in enumerate(zip(base_urls, classroom.students, strict=True)):
        listed = http.get(f"{url}{PROJECTS}", headers=bearer(student.token)).json()["projects"]
        assert [(item["id"], item["account_id"]) for item in listed] == [(made[number], student.account_id)]
        for other in range(STUDENTS):
            found = http.get(f"{url}{PROJECTS}/{made[other]}", headers=bearer(student.token)).status_code
            assert found == (200 if other == number else 404)


def test_accounts_have_numbers_and_business_units_of_their_own(
    classroom: Classroom, served: ServedApp, http: httpx.Client
) -> None:
    accounts, units = [], []
    for student in classroom.students:
        headers = bearer(student.token)
        (account,) = http.get(f"{served.base_url}/accounts", headers=headers).json()["accounts"]
        assert account["id"] == student.account_id
        accounts.append(account["name"])
        for number in (student.account_id, ACCOUNT_ID):
            reply = http.get(f"{served.base_url}/accounts/{number}/business-units", headers=headers)
            assert [unit["id"] for unit in reply.json()["business_units"]] == [1234, 5678], "as in the notebooks"
        units += [unit["name"] for unit in reply.json()["business_units"]]
    assert len(set(accounts)) == STUDENTS
    assert len(set(units)) == 2 * STUDENTS


def test_a_token_does_not_reach_another_account(classroom: Classroom, served: ServedApp, http: httpx.Client) -> None:
    second, third = classroom.students[1:3]
    path = f"/demand/accounts/{third.account_id}/projects"
    assert http.get(f"{served.base_url}{path}", headers=bearer(second.token)).status_code == 403
    assert http.get(f"{served.url}{third.path}{path}", headers=bearer(second.token)).status_code == 401
    for headers in ({}, bearer("student-009-0123456789abcdef"), bearer(Sandbox().dispatcher.make_token(0))):
        assert http.get(f"{served.base_url}{path}", headers=headers).status_code == 401
    credentials = {"client_id": "sandbox", "client_secret": "sandbox", "grant_type": "client_credentials"}
    assert http.post(served.token_url, json=credentials).status_code == 401, "it could not say whose token to issue"
    assert http.get(f"{served.url}/student-99/v1/accounts").status_code == 404


def test_tokens_outlive_the_weeks_of_a_wave_and_are_the_same_again(
    classroom: Classroom, served: ServedApp, http: httpx.Client
) -> None:
    classroom.advance(60 * 86_400)
    token = classroom.students[0].token
    assert http.get(f"{served.base_url}/accounts", headers=bearer(token)).status_code == 200
    assert Classroom(2).students == classroom.students[:2]
    assert Classroom(1, seed=2).students[0].token != token
    assert len({student.token for student in Classroom(30).students}) == 30


def test_time_and_faults_are_each_students_own(classroom: Classroom, served: ServedApp, http: httpx.Client) -> None:
    first, second = classroom.sandbox_of(1), classroom.sandbox_of(2)
    http.post(f"{served.url}/student-02/sandbox/clock/advance", json={"seconds": 3_600})
    http.post(f"{served.url}/student-02/sandbox/faults", json={"fault": "429@get_locales"})
    assert (first.clock.elapsed, second.clock.elapsed) == (0, 3_600)
    assert (len(first.faults.armed), len(second.faults.armed)) == (0, 1)
    assert http.post(f"{served.url}/sandbox/clock/advance", json={"until": 60}).json()["t"] == 60
    assert (first.clock.elapsed, second.clock.elapsed) == (60, 3_660), "the common clock is everybody's"
    assert http.get(f"{served.url}/sandbox/clock").json()["t"] == 60


def test_the_pages_of_a_class_link_to_each_other_and_show_no_token(
    classroom: Classroom, served: ServedApp, http: httpx.Client
) -> None:
    create_project(http, served.base_url, classroom.students[2].token, "<b>Tracker</b>")
    page = http.get(f"{served.url}/").text
    assert "&lt;b&gt;Tracker" in page
    links = re.findall(r'href="(/student-\d+/)"', page)
    assert len(links) == STUDENTS
    for link in links:
        own = http.get(served.url + link)
        assert own.status_code == 200
        assert set(re.findall(r'action="(/student-\d+/)', own.text)) == {link}
    assert not any(student.token in page for student in classroom.students)
    moved = http.post(f"{served.url}/student-03/sandbox/page/advance", data={"seconds": "60"})
    assert (moved.status_code, moved.headers["location"]) == (303, "/student-03/")
    assert http.get(f"{served.url}/student-03", follow_redirects=True).url.path == "/student-03/"


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize("path", ["/", "/sandbox/clock", "/student-01/", "/student-01/v1/accounts", "/v1/accounts"])
def test_foreign_hosts_and_sites_are_refused(served: ServedApp, http: httpx.Client, path: str) -> None:
    assert http.get(served.url + path, headers={"Host": "evil.example"}).status_code == 421
    assert http.get(served.url + path, headers={"Origin": "https://evil.example"}).status_code == 403


def test_one_notebook_makes_a_wave_of_its_own_for_each_student(
    classroom: Classroom, served: ServedApp, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def cells(client: Client) -> str:
        project = client.projects.create("Brand tracker", PROJECT_MANAGER_ID)
        plan = plans.make_plan(client.clock.now())
        client.pass_time(minutes=30)
        draft = client.target_groups.create_draft(project.id, plan, name="Tracker, wave 2", reference="wave-2")
        return draft.target_group_id

    groups = []
    for student in classroom.students[:2]:
        monkeypatch.setenv("CINT_NB_JOURNAL", str(tmp_path / f"{student.number}.sqlite3"))
        monkeypatch.setenv("CINT_NB_BASE_URL", f"{served.url}{student.path}")
        monkeypatch.setenv("CINT_NB_TOKEN", student.token)
        with open_client() as client:
            groups.append(cells(client))
    assert [len(classroom.sandbox_of(number).world.groups) for number in (1, 2, 3)] == [1, 1, 0]
    assert len(set(groups)) == 2
    assert classroom.sandbox_of(3).clock.elapsed == 0, "nobody passes time for others"


def test_a_class_continues_where_it_stopped(tmp_path: Path) -> None:
    path = tmp_path / "class.sqlite"
    first = Classroom(3, state=path)
    with ServedApp(first) as served, httpx.Client(trust_env=False, headers={"Cint-API-Version": "2025-12-18"}) as http:
        create_project(http, served.base_url, first.students[2].token)
        first.advance(60)
    second = Classroom(3, state=path)
    assert [len(second.sandbox_of(number).world.projects) for number in (1, 2, 3)] == [0, 0, 1]
    assert {sandbox.clock.elapsed for sandbox in second.sandboxes.values()} == {60} == {second.clock.elapsed}
    second.close()
    with pytest.raises(ValueError, match="account 101"):
        Sandbox(state=path, account_id=102)


def test_the_table_is_printed_where_it_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(_self: Any, sockets: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(uvicorn.Server, "serve", nothing)
    out = io.StringIO()
    server.serve(port=0, students=30, echo=lambda line: print(line, file=out))
    rows = re.findall(r"^ +(\d+) +(\d+)  (student-\d{3}-[0-9a-f]{16})  (http://\S+/v1)$", out.getvalue(), re.MULTILINE)
    assert [int(row[0]) for row in rows] == list(range(1, 31))
    assert [int(row[1]) for row in rows] == list(range(101, 131))
    assert len({row[2] for row in rows}) == len({row[3] for row in rows}) == 30
    for number in (0, 501):
        with pytest.raises(ValueError, match="1 to 500 students"):
            server.serve(port=0, students=number)
