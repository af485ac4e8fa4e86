"""Every limit and default value, each with its source.

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
TOKEN_RENEW_BEFORE = timedelta(minutes=5)  # A: refresh this long before expiry
TOKEN_TRUSTED_FOR = timedelta(minutes=5)  # C: for so long after it was marked valid, a token is not the cause of a 403

RECONTACT_STUDY_TYPE = "recontact"  # R, step 1
RECONTACT_TEMPLATE_ID = "01JH0PEGPC4Z8RDD304E2SF0EW"  # R, step 1
RECONTACT_URL_VARIABLE = "[%RECONTACT_RSID%]"  # R, step 1
RID_URL_VARIABLE = "[%RID%]"  # R, step 1, example
RESPONDENT_URL_VARIABLE = "[%RESPONDENTID%]"  # A: the respondent across all surveys
URL_MAX_CHARACTERS = 3_000  # A

IDS_PER_TARGET_GROUP = 100_000  # R, step 2: existing plus new
UPLOAD_MAX_BYTES = 5_000_000  # R, step 2: the file must be less than 5 MB
UPLOAD_SUFFIXES = (".csv", ".txt")  # R, step 2

# C: what a respondent file may be before it is read. The limits above are about what is uploaded, not about its source.
SOURCE_MAX_BYTES = 1_000_000_000  # 10 million plain ids are 370 MB
SOURCE_MAX_LINES = 25_000_000
SOURCE_LINE_MAX_BYTES = 1_000_000
WORKBOOK_MAX_BYTES = 500_000_000  # uncompressed
UNPACK_MAX_RATIO = 100  # real lists of ids compress to a half, tables to a twentieth

MIN_END_LEAD_TIME = timedelta(hours=1)  # T, error example

NAME_CHARACTERS = (5, 128)  # A
# T: ger_de. A page says ISO 639-2/T, and all examples are of 639-2/B; these languages differ.
OTHER_LANGUAGE_CODES = {
    "bod": "tib", "ces": "cze", "cym": "wel", "deu": "ger", "ell": "gre", "eus": "baq", "fas": "per", "fra": "fre",
    "hye": "arm", "isl": "ice", "kat": "geo", "mkd": "mac", "mri": "mao", "msa": "may", "mya": "bur", "nld": "dut",
    "ron": "rum", "slk": "slo", "sqi": "alb", "zho": "chi",
}  # fmt: skip
INTERVIEW_MINUTES = (1, 45)  # A
REFERENCE_CHARACTERS = (3, 128)  # A: target_group_customer_reference_number

LIST_PAGE_SIZE = 100  # A: the guide says 1–1000, the reference 1–100; 100 is right in both
LIST_PAGES_MAX = 20_000  # C: a guard against a list that never ends

# R, troubleshooting: 10,000 ids take 10–15 minutes to store and 3–5 to remove.
UPLOAD_JOB_SECONDS_PER_10K = (600.0, 900.0)
REMOVAL_JOB_SECONDS_PER_10K = (180.0, 300.0)
OLD_UPLOAD_JOB_SECONDS_PER_10K = 180.0  # A: an older page says 3–5 minutes; the low end until a job has been observed
JOB_OVERHEAD_SECONDS = 15.0  # C
UPLOAD_JOB_ETA_PER_10K = 735.0  # C, measured: the estimate the schedule aims at
REMOVAL_JOB_ETA_PER_10K = 240.0  # C, measured
SHORT_JOB_SECONDS = (2.0, 60.0)  # C: launching, scheduling, batches
REPORT_SECONDS = (30.0, 600.0)  # C
DURATION_FACTOR_BOUNDS = (0.1, 6.0)  # C: how far the account's own jobs may correct the documented durations
DURATION_MIN_IDS = 1_000  # C: smaller jobs are mostly overhead and say nothing about duration

# C, measured by benchmarks/watch_jobs.py: the guided polling schedule. Waits are in seconds.
POLL_FIRST_AT = (2.0, 7.0, 17.0, 37.0)  # a job expected to be short is polled early only once
POLL_SHORT_JOB = 90.0  # expected to take no longer than this
POLL_MIN_SECONDS = 4.0  # between two later polls; a reply that asks for less is not obeyed
POLL_MAX_SECONDS = 60.0
POLL_GROWTH = 0.2  # share of the elapsed time to wait,
POLL_GROWTH_SHORT = 0.05  # the same for a short job,
POLL_LONGEST = (0.016, 12.0, 25.0)  # but at most this share of the expected duration, clamped
POLL_AIM = 0.96  # once the saved ids predict the end: poll ever more often until this share of it, as some fail,
POLL_APPROACH = 0.3  # after this share of the time left until then;
POLL_OVERDUE = 0.01  # later this share of the elapsed time
POLL_JITTER = 0.1  # live only, so that recordings repeat
POLL_FIRST_WITH_COUNT = 3  # with this poll, and each time polls have doubled, the saved ids are counted,
POLL_WITH_COUNT_EVERY = 2  # and every so many polls once they predict the end
POLL_MIN_FRACTION_FOR_ETA = 0.05  # a smaller counted share is too little to predict the end
POLL_FAILURES_MAX = timedelta(minutes=10)  # a watch ends after nothing but failures for this long
POLL_NEW_JOB = timedelta(seconds=60)  # a job as new as this may not be readable yet
WATCH_DEADLINE_FACTOR = 6.0  # times the upper estimate
WATCH_DEADLINE_MIN = timedelta(minutes=30)

# C: read so long after a lost reply. A replica may lag, so only when all of these reads agree is nothing there.
RECHECK_AFTER_SECONDS = (1.0, 20.0, 60.0)
PROJECT_READY_SECONDS = 120.0  # C: how long a new project may take to become readable
REPORT_MONTHS_MAX = 6  # A: longest period of one report
FEASIBILITY_GOAL_MAX = 10_000  # A: highest goal of a forecast

# C, measured: how the client treats the exchange.
CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
POLL_READ_SECONDS = 10.0
CALL_SECONDS = 60.0
UPLOAD_SECONDS = 120.0
IN_FLIGHT = 8
IN_FLIGHT_MAX = 256
IN_FLIGHT_PER_POOL = 8  # one httpx pool of many connections spends its time scanning them
REQUESTS_PER_SECOND = 10.0
REQUESTS_PER_SECOND_MAX = 10_000.0
RETRIES_PER_CALL = 5
RETRY_BUDGET = (30, timedelta(minutes=10))
BACKOFF_SECONDS = (0.5, 8.0)
RETRY_AFTER_MAX_SECONDS = 120.0
JSON_MAX_BYTES = 10_000_000
DOWNLOAD_MAX_BYTES = 8_000_000
REPORT_MAX_BYTES = 200_000_000
