"""One recontact wave with a client generated from an OpenAPI document, by openapi-python-client.

Usage: with_generated_client.py FILE PROJECT_ID START END. The generated package, `demand_client`, is on the path.
"""

import os
import re
import sys
import time
import uuid
from datetime import datetime
from io import BytesIO
from pathlib import Path

import httpx
from demand_client import AuthenticatedClient
from demand_client.api.fielding import (
    create_launch_fielding_run_from_draft_job,
    get_launch_fielding_run_from_draft_job,
)
from demand_client.api.recontacts import (
    get_recontact_upload_respondents_by_file_job,
    get_target_group_rsid_recontact_list,
    recontact_create_upload_respondents_by_file_job,
)
from demand_client.api.target_groups import create_target_group, get_target_group_overview
from demand_client.models import Draft, Launch, RecontactCreateUploadRespondentsByFileJobBody
from demand_client.types import UNSET, File

file, project, start, end = sys.argv[1:]
account = int(os.environ["CINT_ACCOUNT_ID"])

# --- the draft
survey = "https://your-survey.com?RID=[%RID%]&RECONTACT_RSID=[%RECONTACT_RSID%]"
price = {"value": "2.50", "currency_code": "EUR"}
draft = Draft.from_dict(
    {
        "name": "Tracker Q4, wave 2",
        "business_unit_id": "1234",
        "project_manager_id": "b551326b-ac9d-4d32-8823-4f025787dab9",
        "study_type_code": "recontact",
        "industry_code": "other",
        "cost_per_interview": price,
        "collects_pii": False,
        "expected_length_of_interview_minutes": 5,
        "expected_incidence_rate": 0.8,
        "fielding_specification": {"start_at": start, "end_at": end},
        "live_url": survey,
        "test_url": survey,
        "fielding_assistant_assignment": {
            "pricing": {"type": "dynamic", "maximum_cpi": price},
            "quota_overlay": {"prevent_overfill": True, "balance_fill": False},
        },
        "exclusion": {"enabled": False},
        "locale": "ger_de",
        "completes_goal": 500,
        "allocations": {"template_id": "01JH0PEGPC4Z8RDD304E2SF0EW"},
        "filling_strategy": "completes",
    }
)


# --- the requests
def ask(operation, *path, tries=1, **more):
    """Call an operation; what may be sent again is sent again, as Retry-After says."""
    for attempt in range(1, tries + 1):
        wait = 2**attempt
        try:
            reply = operation.sync_detailed(account, project, *path, client=client, cint_api_version=VERSION, **more)
        except httpx.TransportError:
            if attempt == tries:
                raise
        else:
            if reply.status_code < 400:
                return reply
            if reply.status_code not in (429, 500, 502, 503, 504):
                break
            wait = float(reply.headers.get("Retry-After", wait))
        if attempt < tries:
            time.sleep(wait)
    raise SystemExit(f"{operation.__name__}: {reply.status_code} {reply.content.decode()}")


def watch(operation, job):
    """Look until a job has ended."""
    while True:
        time.sleep(30)
        found = ask(operation, group, job, tries=5).parsed
        if found.status == "Failed":
            raise SystemExit(f"job {job} failed: {found.failure_reason}")
        if found.status != "Processing":
            return found


def upload(ids):
    """Upload ids and wait for the end of the job."""
    content = BytesIO("".join(f"{one}\n" for one in ids).encode())
    body = RecontactCreateUploadRespondentsByFileJobBody(File(content, "respondents.csv", "text/csv"))
    job = ask(recontact_create_upload_respondents_by_file_job, group, body=body, entity_type="RSID").parsed.job_id
    print("upload job", job, flush=True)
    reason = watch(get_recontact_upload_respondents_by_file_job, job).partial_success_reason
    print(reason.description if reason else "every id was saved")


def list_saved():
    """Return the ids the exchange has saved."""
    found, cursor = set(), UNSET
    while True:
        page = ask(get_target_group_rsid_recontact_list, group, page_size=100, start_after=cursor, tries=5).parsed
        found.update(map(str, page.data or ()))
        cursor = page.next_cursor
        if not cursor:
            return found


# --- the steps
VERSION = "2025-12-18"
credentials = {"client_id": os.environ["CINT_CLIENT_ID"], "client_secret": os.environ["CINT_CLIENT_SECRET"]}
asked = {**credentials, "grant_type": "client_credentials", "audience": "https://api.luc.id"}
token = httpx.post(os.environ["CINT_TOKEN_URL"], json=asked).raise_for_status().json()["access_token"]
client = AuthenticatedClient(os.environ["CINT_BASE_URL"], token, timeout=httpx.Timeout(60))

lines = (line.strip(' \t"{}').lower() for line in Path(file).read_text(encoding="utf-8-sig").splitlines())
sent = {line for line in lines if re.fullmatch(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", line)}

group = ask(create_target_group, body=draft).parsed.id
print("target group", group, flush=True)

upload(sent)
saved = list_saved()
if sent - saved:
    upload(sent - saved)
    saved = list_saved()
Path("rejected.csv").write_text("".join(f"{one}\n" for one in sorted(sent - saved)))

# With an idempotency key the launch may be sent again.
body, key = Launch(datetime.fromisoformat(end)), str(uuid.uuid4())
launched = ask(create_launch_fielding_run_from_draft_job, group, body=body, idempotency_key=key, tries=5)
watch(get_launch_fielding_run_from_draft_job, launched.headers["Location"].rpartition("/")[2])
state = ask(get_target_group_overview, group, tries=5).parsed.status
print(f"{state}: {len(saved)} saved, {len(sent - saved)} rejected")
