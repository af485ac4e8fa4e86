"""Every limit and default number in one place, each with its source.

Sources: the recontact guide (R), the create-a-target-group guide (T), the API reference (A), our choice (C).
"""

from __future__ import annotations

from datetime import timedelta

API_VERSION = "2025-12-18"  # R, T: header Cint-API-Version
LIVE_HOST = "https://api.cint.com"  # R
LIVE_BASE_URL = f"{LIVE_HOST}/v1"  # R
TOKEN_URL = "https://auth.cint.com/oauth/token"  # A
TOKEN_AUDIENCE = "https://api.luc.id"  # A: another domain than the API host, on purpose
TOKEN_SCOPES = "app:api"  # A
TOKEN_EARLY = timedelta(minutes=5)  # A: refresh this long before expiry

RECONTACT_STUDY_TYPE = "recontact"  # R, step 1
RECONTACT_TEMPLATE_ID = "01JH0PEGPC4Z8RDD304E2SF0EW"  # R, step 1
RECONTACT_URL_VARIABLE = "[%RECONTACT_RSID%]"  # R, step 1
RID_URL_VARIABLE = "[%RID%]"  # R, step 1, example
URL_MAX_CHARACTERS = 3_000  # A

IDS_PER_TARGET_GROUP = 100_000  # R, step 2: existing plus new
UPLOAD_MAX_BYTES = 5_000_000  # R, step 2: the file must be less than 5 MB
UPLOAD_SUFFIXES = (".csv", ".txt")  # R, step 2
END_AT_LEAST_AHEAD = timedelta(hours=1)  # T, error example

NAME_CHARACTERS = (5, 128)  # A
INTERVIEW_MINUTES = (1, 45)  # A
REFERENCE_CHARACTERS = (3, 128)  # A: target_group_customer_reference_number

LIST_PAGE_SIZE = 100  # A: the guide says 1–1000, the reference 1–100; 100 is right in both
LIST_PAGES_MAX = 20_000  # C: a guard against a list that never ends

# R, troubleshooting: 10,000 ids take 10–15 minutes to store and 3–5 to remove.
STORE_SECONDS_PER_10K = (600.0, 900.0)
REMOVE_SECONDS_PER_10K = (180.0, 300.0)
JOB_OVERHEAD_SECONDS = 15.0  # C

# C, measured: the guided polling schedule.
POLL_FIRST_LOOKS = (2.0, 7.0, 17.0, 37.0)
POLL_MAX_SECONDS = 60.0
POLL_FAILURES_MAX = timedelta(minutes=10)  # nothing but failures for this long ends a watch
WATCH_DEADLINE_FACTOR = 6.0  # times the upper estimate
WATCH_DEADLINE_MIN = timedelta(minutes=30)

# C, measured: the client's manners on the wire.
CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
POLL_READ_SECONDS = 10.0
CALL_SECONDS = 60.0
UPLOAD_SECONDS = 120.0
IN_FLIGHT_MAX = 8
REQUESTS_PER_SECOND = 10.0
RETRIES_PER_CALL = 5
RETRY_BUDGET = (30, timedelta(minutes=10))
BACKOFF_SECONDS = (0.5, 8.0)
RETRY_AFTER_MAX_SECONDS = 120.0
JSON_MAX_BYTES = 10_000_000
DOWNLOAD_MAX_BYTES = 8_000_000
