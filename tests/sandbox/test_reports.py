"""Reports: the bridge from one wave to the next, and their limits."""

from __future__ import annotations

import csv
import io
from typing import Any

import httpx
import pytest

from cint_nb.domain import ids
from cint_nb.sandbox.sandbox import Sandbox
from tests.support.sandbox_client import RawClient

DAY = 86_400


def ready(raw_client: RawClient, kind: str, body: dict[str, Any]) -> httpx.Response:
    reports = f"{raw_client.account}/reports"
    reply = raw_client.post(f"{reports}/{kind}", body)
    assert reply.status_code == 202, reply.text
    path = f"{reports}/{reply.json()['report_id']}"
    assert raw_client.get(f"{path}/status").json()["status"] == "in_progress"
    assert raw_client.get(f"{path}/download").status_code == 404
    raw_client.sandbox.advance(90)
    assert raw_client.get(f"{path}/status").json()["status"] == "completed"
    return raw_client.get(f"{path}/download", headers={"Accept": "*/*"})


@pytest.fixture
def first_wave(sandbox: Sandbox, raw_client: RawClient) -> str:
    group = raw_client.group(study_type_code="adhoc", allocations=None, completes_goal=60)
    raw_client.launched(group)
    sandbox.advance(5 * DAY)
    raw_client.log_in()
    return group


def test_the_people_of_a_first_wave_are_found_and_recontacted_by_either_id(
    sandbox: Sandbox, raw_client: RawClient, first_wave: str
) -> None:
    body = {"filter": "target_group", "filter_ids": [first_wave.rsplit("/", 1)[1]]}
    reply = ready(raw_client, "respondent-analysis", body)
    assert reply.headers["content-type"] == "text/csv"
    rows = list(csv.DictReader(io.StringIO(reply.text)))
    done = [row for row in rows if row["Status Description"] == "Complete"]
    assert len(done) == 60
    rsids = [row["Respondent ID (RSID)"] for row in done]
    rids = [row["Response ID (RID)"] for row in done]
    assert all(ids.is_synthetic(one) for one in rsids + rids)
    assert not set(rsids) & set(rids)
    project = first_wave.split("/target-groups")[0]
    period = {"start_at": "2026-09-07T08:00:00Z", "end_at": "2026-09-20T08:00:00Z"}
    by_rsid = raw_client.group(project, fielding_specification=period)
    by_rid = raw_client.group(project, fielding_specification=period)
    raw_client.saved_ids(by_rsid, rsids)
    raw_client.saved_ids(by_rid, rids, entity_type="RID")
    saved = [set(raw_client.get(f"{g}/recontacts/rsids?page_size=100").json()["data"]) for g in (by_rsid, by_rid)]
    assert saved[0] == saved[1]
    assert saved[0] <= set(rsids)


def test_one_report_is_a_workbook(raw_client: RawClient, first_wave: str) -> None:
    import openpyxl
    from openpyxl.worksheet.worksheet import Worksheet

    body = {"filter": "target_group", "filter_ids": [first_wave.rsplit("/", 1)[1]]}
    reply = ready(raw_client, "term-details", body)
    sheet = openpyxl.load_workbook(io.BytesIO(reply.content)).active
    assert isinstance(sheet, Worksheet)
    counts = {row[2]: int(str(row[3])) for row in sheet.iter_rows(min_row=2, values_only=True)}
    assert counts["Complete"] == 60
    assert reply.headers["content-disposition"].endswith('.xlsx"')


@pytest.mark.parametrize("kind", ["respondent_analysis", "respondent-analysis"])
def test_both_spellings_of_a_type_are_taken(raw_client: RawClient, first_wave: str, kind: str) -> None:
    body = {"filter": "project", "filter_ids": [first_wave.split("/")[5]]}
    assert raw_client.post(f"{raw_client.account}/reports/{kind}", body).status_code == 202


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("unheard", {}),
        ("respondent-analysis", {"filter": "business_unit"}),
        ("respondent-analysis", {"filter": None}),
        ("term-details", {"filter": "project"}),
        ("completes", {"filter_ids": ["0" * 26]}),
        ("completes", {"filter_ids": []}),
        ("completes", {"start_date": "2025-01-01"}),
        ("completes", {"start_date": "2026-01-01", "end_date": "2026-09-01"}),
        ("completes", {"start_date": "2026-09-03", "end_date": "2026-08-01"}),
        ("completes", {"start_date": "yesterday"}),
        ("completes", {"email_recipients": []}),
    ],
)
def test_a_report_beyond_its_limits_is_refused(
    raw_client: RawClient, first_wave: str, kind: str, change: dict[str, Any]
) -> None:
    body = {"filter": "target_group", "filter_ids": [first_wave.rsplit("/", 1)[1]], **change}
    assert raw_client.post(f"{raw_client.account}/reports/{kind}", body).status_code == 400


def test_reports_are_listed_by_type_level_and_status_with_a_capital(
    sandbox: Sandbox, raw_client: RawClient, first_wave: str
) -> None:
    path = f"{raw_client.account}/reports"
    raw_client.post(f"{path}/completes", {})
    raw_client.post(f"{path}/sample-bought", {})
    assert [row["status"] for row in raw_client.get(path).json()["reports_requests"]] == ["pending", "pending"]
    sandbox.advance(90)
    for params, count in (({"report_type": "completes"}, 1), ({"Status": "completed"}, 2), ({"Status": "failed"}, 0)):
        assert len(raw_client.get(path, params=params).json()["reports_requests"]) == count


def test_rids_for_reconciliation_stand_alone(raw_client: RawClient, first_wave: str) -> None:
    reply = ready(raw_client, "reconciliation-eligible-rids", {})
    header, *lines = reply.text.split()[0:1] + reply.text.splitlines()[1:]
    assert header.startswith("Response")
    assert len(lines) == 60
