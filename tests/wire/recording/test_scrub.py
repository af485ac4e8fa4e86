"""What may stand in a recording."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cint_nb.domain.ids import is_synthetic, synthetic_id
from cint_nb.domain.limits import RECONTACT_TEMPLATE_ID
from cint_nb.domain.plan import AllocationFormat, TargetGroupPlan
from cint_nb.wire.recording.allowlist import ALLOWED_FIELDS, PUBLIC_IDS
from cint_nb.wire.recording.scrub import REMOVED, Scrubber, find_leaks
from tests.support.strategies import any_text

REAL = "0f1ce179-a917-4bd1-9a4f-1234567890ab"
OTHER = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
ULID = "01JX2KPG5VEBF8498Z8YTTE8TB"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
SYNTHETIC = synthetic_id("wave", 1)


@pytest.fixture
def live() -> Scrubber:
    return Scrubber("seed", "live")


@pytest.fixture
def sandboxed() -> Scrubber:
    return Scrubber("seed", "sandbox")


def test_synthetic_ids_stay_and_real_ones_are_replaced_the_same_way_each_time(sandboxed: Scrubber) -> None:
    first, again = (
        sandboxed.scrub_value({"data": [REAL, SYNTHETIC, OTHER]}),
        sandboxed.scrub_value({"data": [REAL.upper(), OTHER]}),
    )
    assert first["data"][1] == SYNTHETIC
    assert first["data"][0] == again["data"][0].lower()
    assert first["data"][2] == again["data"][1]
    assert len({*first["data"]}) == 3
    assert all(is_synthetic(one) for one in first["data"] + again["data"])


def test_an_upper_case_id_is_replaced_by_an_upper_case_one(sandboxed: Scrubber) -> None:
    assert sandboxed.scrub_value([REAL.upper()])[0].isupper()


def test_a_recording_confirms_nobody_since_respondents_are_replaced_by_order() -> None:
    assert Scrubber("s", "live").scrub_value([REAL]) == Scrubber("s", "live").scrub_value([OTHER])


def test_staff_and_things_are_replaced_by_value_so_that_constants_find_their_answer() -> None:
    reading, asking = Scrubber("s", "live"), Scrubber("s", "live")
    reading.scrub_value({"data": [OTHER]})
    answered = reading.scrub_value({"project_manager_id": REAL})["project_manager_id"]
    asked = asking.scrub_value({"project_manager_id": REAL}, in_request=True)["project_manager_id"]
    assert answered == asked != REAL
    assert asking.scrub_path(f"/v1/demand/accounts/101/reports/{REAL}") == f"/demand/accounts/101/reports/{asked}"


def test_the_ids_the_guides_print_stay(live: Scrubber) -> None:
    for public in PUBLIC_IDS:
        assert live.scrub_value({"project_manager_id": public}) == {"project_manager_id": public}
    assert live.scrub_value({"template_id": RECONTACT_TEMPLATE_ID}) == {"template_id": RECONTACT_TEMPLATE_ID}


def test_things_of_the_real_exchange_get_other_ids_and_those_of_the_sandbox_keep_theirs(
    live: Scrubber, sandboxed: Scrubber
) -> None:
    replaced = live.scrub_value({"project_id": ULID})["project_id"]
    assert replaced != ULID
    assert len(replaced) == 26
    assert live.scrub_path(f"/v1/demand/accounts/5555/projects/{ULID}") == f"/demand/accounts/101/projects/{replaced}"
    assert live.scrub_value({"project_id": replaced})["project_id"] == replaced
    assert sandboxed.scrub_value({"project_id": ULID}) == {"project_id": ULID}


def test_the_account_is_everywhere_the_sandboxes(live: Scrubber) -> None:
    assert live.scrub_value({"account_id": 5555}) == {"account_id": 101}


def test_accounts_and_business_units_of_the_real_exchange_lose_their_names_and_accounts_their_numbers(
    live: Scrubber, sandboxed: Scrubber
) -> None:
    accounts = {"accounts": [{"id": 5555, "name": "Acme Research"}, {"id": 5556, "name": "Acme Other"}]}
    assert live.scrub_value(accounts) == {"accounts": [{"id": 101, "name": REMOVED}, {"id": 102, "name": REMOVED}]}
    units = {"business_units": [{"id": 1234, "name": "Acme Europe", "currency_code": "EUR"}]}
    assert live.scrub_value(units) == {"business_units": [{"id": 1234, "name": REMOVED, "currency_code": "EUR"}]}
    named = {"accounts": [{"id": 101, "name": "Sandbox Research"}]}
    assert sandboxed.scrub_value(named) == named


def test_what_is_not_on_the_allow_list_is_emptied_to_its_last_part(sandboxed: Scrubber) -> None:
    unknown = {"note": "free", "count_of": 7, "flag": True, "gone": None, "deep": {"name": "Ada", "x": ["a", 1]}}
    assert sandboxed.scrub_value(unknown) == {
        "note": REMOVED,
        "count_of": 0,
        "flag": True,
        "gone": None,
        "deep": {"name": REMOVED, "x": [REMOVED, 0]},
    }


def test_persons_lose_everything_but_their_id(sandboxed: Scrubber) -> None:
    person = sandboxed.scrub_value(
        {"users": [{"id": REAL, "name": "Ada Lovelace", "email": "ada@example.com", "status": "on"}]}
    )
    (only,) = person["users"]
    assert is_synthetic(only.pop("id"))
    assert only == {"name": REMOVED, "email": REMOVED, "status": REMOVED}


@pytest.mark.sampled(every=2)
@pytest.mark.parametrize(
    "planted",
    [
        "ada@example.com",
        "a.b+c@x.co.uk",
        "ada%40example.com",
        JWT,
        f"Bearer {JWT}",
        "bearer abcdef123",
        REAL,
        OTHER.upper(),
    ],
)
@pytest.mark.parametrize("field", ["detail", "name", "file_name", "live_url", "note"])
def test_no_text_keeps_an_e_mail_address_a_token_or_a_real_id(live: Scrubber, field: str, planted: str) -> None:
    text = json.dumps(live.scrub_value({field: f"before {planted} after", planted: [planted]}))
    assert planted not in text
    assert find_leaks(text) == []


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("write to ada@example.com", "e-mail"),
        (f'{{"x": "{JWT}"}}', "token"),
        ('{"access_token": "x"}', "token"),
        ('{"Authorization": "x"}', "token"),
        (f'["{REAL}"]', "not synthetic"),
    ],
)
def test_the_second_look_finds_what_the_first_would_have_missed(text: str, finding: str) -> None:
    assert any(finding in found for found in find_leaks(text))


def test_the_second_look_is_content_with_synthetic_ids() -> None:
    assert find_leaks(json.dumps([SYNTHETIC, SYNTHETIC.upper(), *PUBLIC_IDS, ULID])) == []


def test_survey_addresses_keep_only_cints_variables(live: Scrubber) -> None:
    url = "https://user:pw@client.com/s/42?RID=[%RID%]&RECONTACT_RSID=[%RECONTACT_RSID%]&key=s3cret&empty="
    assert live.scrub_value({"live_url": url}) == {
        "live_url": "https://survey.invalid/?RID=[%RID%]&RECONTACT_RSID=[%RECONTACT_RSID%]&key=x&empty=x"
    }
    example = "https://survey.example.com/s/42?RID=[%RID%]&wave=2"
    assert live.scrub_value({"live_url": example}) == {"live_url": example}
    assert "[broken" not in live.scrub_value({"live_url": "https://[broken"})["live_url"]


def test_page_marks_are_replaced_since_they_may_hold_an_id(sandboxed: Scrubber) -> None:
    first = sandboxed.scrub_value({"data": [], "next_cursor": REAL})["next_cursor"]
    assert first == "cursor-1"
    assert sandboxed.scrub_query([("start_after", REAL), ("page_size", "100")]) == [
        ["page_size", "100"],
        ["start_after", "cursor-1"],
    ]
    assert sandboxed.scrub_query([("start_after", "cursor-1")]) == [["start_after", "cursor-1"]]
    for end in (None, "", " "):
        assert sandboxed.scrub_value({"next_cursor": end}) == {"next_cursor": end}


def test_headers_are_kept_by_an_allow_list(live: Scrubber) -> None:
    headers = httpx.Headers(
        {
            "authorization": f"Bearer {JWT}",
            "set-cookie": "session=s3cret",
            "x-anything": "s3cret",
            "etag": 'W/"7"',
            "retry-after": "3",
            "location": f"https://api.cint.com/v1/demand/accounts/5555/jobs/{ULID}?user=ada@example.com",
            "content-disposition": f'attachment; filename="{REAL}.csv"',
            "traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01",
        }
    )
    kept = live.scrub_headers(headers)
    assert set(kept) == {"etag", "retry-after", "location", "content-disposition", "traceparent"}
    assert kept["etag"] == 'W/"7"'
    assert kept["traceparent"] == headers["traceparent"]
    assert kept["location"].startswith("/demand/accounts/101/jobs/00SYNTH")
    assert find_leaks(json.dumps(kept)) == []


def test_an_upload_is_described_and_not_kept(sandboxed: Scrubber) -> None:
    content = f"{SYNTHETIC}\n{REAL}\n\nada@example.com\n".encode()
    described = sandboxed.describe_upload("wave.csv", content)
    stand_in = sandboxed.scrub_value([REAL])[0]
    text = f"{SYNTHETIC}\n{stand_in}\n\n?"
    assert described == {"name": "wave.csv", "lines": 4, "sha256": hashlib.sha256(text.encode()).hexdigest()}


def test_the_same_upload_is_described_the_same_in_a_replay_and_another_is_not() -> None:
    content = f"{REAL}\n{OTHER}\n".encode()
    recording, replay, other = (Scrubber("s", "live") for _ in range(3))
    recording.scrub_value({"data": [OTHER]})  # answers come scrubbed in a replay: they must not shift the numbers
    assert recording.describe_upload("w.csv", f"{REAL}\n".encode()) == replay.describe_upload(
        "w.csv", f"{REAL}\n".encode()
    )
    assert (
        other.describe_upload("w.csv", content)["sha256"]
        != replay.describe_upload("w.csv", f"{REAL}\n".encode())["sha256"]
    )


def test_real_ids_this_process_uploaded_come_back_in_a_replay() -> None:
    recording, replay = Scrubber("s", "live"), Scrubber("s", "live")
    for scrubber in (recording, replay):
        scrubber.describe_upload("w.csv", f"{REAL}\n{OTHER}\n".encode())
    answered = json.dumps(recording.scrub_value({"data": [OTHER, REAL]}))
    assert OTHER not in answered
    assert json.loads(replay.restore_ids(answered)) == {"data": [OTHER, REAL]}
    assert Scrubber("s", "live").restore_ids(answered) == answered


def test_a_downloaded_list_keeps_its_lines_and_no_real_id(sandboxed: Scrubber) -> None:
    assert sandboxed.scrub_table(f"{SYNTHETIC}\r\n{SYNTHETIC}\n") == f"{SYNTHETIC}\r\n{SYNTHETIC}\n"
    table = sandboxed.scrub_table(f"{REAL}\nada@example.com\n\n{SYNTHETIC}\n")
    assert table.splitlines()[1:] == ["?", "", SYNTHETIC]
    assert find_leaks(table) == []


def test_a_report_keeps_the_allowed_columns(sandboxed: Scrubber) -> None:
    report = "RSID,Email,Client Status,Name\r\n" + f'{REAL},ada@example.com,10,"Lovelace, Ada"\r\n'
    report += f"{SYNTHETIC},x,20,y\r\nodd,row\r\n"
    lines = sandboxed.scrub_table(report).splitlines()
    assert lines[0] == "RSID,removed,Client Status,removed"
    assert lines[1].endswith(",removed,10,removed")
    assert lines[2] == f"{SYNTHETIC},removed,20,removed"
    assert lines[3] == "removed,removed"
    assert find_leaks("\n".join(lines)) == []


def test_a_report_of_one_column_keeps_its_name(sandboxed: Scrubber) -> None:
    lines = sandboxed.scrub_table(f"Response ID (RID)\r\n{SYNTHETIC}\r\nodd\r\n").split("\r\n")
    assert lines == ["Response ID (RID)", SYNTHETIC, "?", ""]


@pytest.mark.parametrize("name", ["Email", "Ada Lovelace", "Name"])
def test_a_list_keeps_no_other_first_line(sandboxed: Scrubber, name: str) -> None:
    assert sandboxed.scrub_table(f"{name}\n{SYNTHETIC}\n") == f"?\n{SYNTHETIC}\n"


def _names(value: dict[str, Any] | float | int | str) -> set[str]:
    if isinstance(value, dict):
        return set(value) | set().union(*map(_names, value.values()), set())
    return set().union(*map(_names, value), set()) if isinstance(value, list) else set()


def test_every_field_of_a_draft_is_kept_so_that_two_plans_are_told_apart() -> None:
    for shape in AllocationFormat:
        plan = TargetGroupPlan.recontact(
            business_unit_id=1,
            project_manager_id=REAL,
            locale="ger_de",
            completes_goal=1,
            expected_length_of_interview_minutes=10,
            expected_incidence_rate=0.8,
            start_at=datetime(2026, 9, 2, tzinfo=UTC),
            end_at=datetime(2026, 9, 9, tzinfo=UTC),
            live_url="https://survey.example.com/?RECONTACT_RSID=[%RECONTACT_RSID%]",
            cost_per_interview="2.50 EUR",
            allocation_format=shape,
        )
        assert _names(plan.to_body(name="name", customer_reference_number="abc")) - ALLOWED_FIELDS == set()


_texts = st.sampled_from(
    [REAL, OTHER.upper(), SYNTHETIC, ULID, JWT, "ada@example.com", "https://x.com/?k=s", "Completed"]
)
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | any_text(12) | _texts | st.builds("{} {}".format, _texts, _texts),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["data", "id", "name", "detail", "email", "zz", "next_cursor"]) | _texts, inner, max_size=4
        )
    ),
    max_leaves=20,
)


@given(_values, st.sampled_from(["live", "sandbox"]))
def test_whatever_an_answer_holds_nothing_leaks_and_scrubbing_again_changes_nothing(
    value: dict[str, Any] | int | list[Any] | str | None, source: str
) -> None:
    scrubber = Scrubber("seed", source)
    once = scrubber.scrub_value(value)
    assert find_leaks(json.dumps(once, ensure_ascii=False)) == []
    assert Scrubber("seed", source).scrub_value(once, in_request=True) == once


@given(st.lists(any_text(20) | _texts, max_size=6).map("\n".join))
def test_whatever_a_file_holds_nothing_leaks(text: str) -> None:
    assert find_leaks(Scrubber("seed", "live").scrub_table(text)) == []


def test_what_people_have_answered_is_kept_of_invented_people_only() -> None:
    table = f"RSID,AGE,RATING,NAME\n{synthetic_id('somebody', 1)},44,71,Ann\n"
    assert Scrubber("1", "sandbox").scrub_table(table).splitlines()[1].split(",")[1:] == ["44", "71", "removed"]
    assert Scrubber("1", "live").scrub_table(table).splitlines()[1].split(",")[1:] == ["removed"] * 3
