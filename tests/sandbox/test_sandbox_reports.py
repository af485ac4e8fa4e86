"""Reports: the bridge from one wave to the next, and their limits."""

from __future__ import annotations

import csv
import io

import pytest

from cint_nb.domain import ids

DAY = 86_400


def ready(stranger, kind: str, body: dict):
    reports = f"{stranger.account}/reports"
    reply = stranger.post(f"{reports}/{kind}", body)
    assert reply.status_code == 202, reply.text
    path = f"{reports}/{reply.json()['report_id']}"
    assert stranger.get(f"{path}/status").json()["status"] == "in_progress"
    assert stranger.get(f"{path}/download").status_code == 404
    stranger.sandbox.advance(90)
    assert stranger.get(f"{path}/status").json()["status"] == "completed"
    return stranger.get(f"{path}/download", headers={"Accept": "*/*"})


@pytest.fixture
def first_wave(sandbox, stranger):
    group = stranger.group(study_type_code="adhoc", allocations=None, completes_goal=60)
    stranger.launched(group)
    sandbox.advance(5 * DAY)
    stranger.log_in()
    return group


def test_the_people_of_a_first_wave_are_found_and_recontacted_by_either_id(sandbox, stranger, first_wave):
    body = {"filter": "target_group", "filter_ids": [first_wave.rsplit("/", 1)[1]]}
    reply = ready(stranger, "respondent-analysis", body)
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
    by_rsid = stranger.group(project, fielding_specification=period)
    by_rid = stranger.group(project, fielding_specification=period)
    stranger.stored(by_rsid, rsids)
    stranger.stored(by_rid, rids, entity_type="RID")
    saved = [set(stranger.get(f"{g}/recontacts/rsids?page_size=100").json()["data"]) for g in (by_rsid, by_rid)]
    assert saved[0] == saved[1]
    assert saved[0] <= set(rsids)


def test_one_report_is_a_workbook(stranger, first_wave):
    import openpyxl

    body = {"filter": "target_group", "filter_ids": [first_wave.rsplit("/", 1)[1]]}
    reply = ready(stranger, "term-details", body)
    sheet = openpyxl.load_workbook(io.BytesIO(reply.content)).active
    counts = {row[2]: int(row[3]) for row in sheet.iter_rows(min_row=2, values_only=True)}
    assert counts["Complete"] == 60
    assert reply.headers["content-disposition"].endswith('.xlsx"')


@pytest.mark.parametrize("kind", ["respondent_analysis", "respondent-analysis"])
def test_both_spellings_of_a_type_are_taken(stranger, first_wave, kind):
    body = {"filter": "project", "filter_ids": [first_wave.split("/")[5]]}
    assert stranger.post(f"{stranger.account}/reports/{kind}", body).status_code == 202


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
def test_a_report_beyond_its_limits_is_refused(stranger, first_wave, kind, change):
    body = {"filter": "target_group", "filter_ids": [first_wave.rsplit("/", 1)[1]], **change}
    assert stranger.post(f"{stranger.account}/reports/{kind}", body).status_code == 400


def test_reports_are_listed_by_type_level_and_status_with_a_capital(sandbox, stranger, first_wave):
    path = f"{stranger.account}/reports"
    stranger.post(f"{path}/completes", {})
    stranger.post(f"{path}/sample-bought", {})
    assert [row["status"] for row in stranger.get(path).json()["reports_requests"]] == ["pending", "pending"]
    sandbox.advance(90)
    for params, count in (({"report_type": "completes"}, 1), ({"Status": "completed"}, 2), ({"Status": "failed"}, 0)):
        assert len(stranger.get(path, params=params).json()["reports_requests"]) == count


def test_rids_for_reconciliation_stand_alone(stranger, first_wave):
    reply = ready(stranger, "reconciliation-eligible-rids", {})
    header, *lines = reply.text.split()[0:1] + reply.text.splitlines()[1:]
    assert header.startswith("Response")
    assert len(lines) == 60
