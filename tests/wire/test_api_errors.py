from __future__ import annotations

from typing import Any

import httpx
import pytest

from cint_nb.domain import errors
from cint_nb.domain.ids import quote_foreign
from cint_nb.wire.api_errors import error_from_reply, plan_field_name
from cint_nb.wire.calls import Call, make_reply
from cint_nb.wire.retry_policy import Idempotency

OWN = {"object": "not_found_error", "detail": "there is none"}
GROUP = "/demand/accounts/{account_id}/projects/{project_id}/target-groups/{target_group_id}"


def error(
    status: int,
    body: bytes | dict[str, Any] = b"",
    template: str = GROUP,
    method: str = "POST",
    tried_new_token: bool = False,
) -> errors.ApiError:
    call = Call("create the draft target group", method, template, Idempotency.NON_IDEMPOTENT)
    content = httpx.Response(status, json=body).content if isinstance(body, dict) else body
    headers = httpx.Headers({"traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01"})
    return error_from_reply(
        make_reply(call, status, headers, content), operation=call.operation, tried_new_token=tried_new_token
    )


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.BadRequest),
        (401, errors.NotAuthenticated),
        (403, errors.PermissionDenied),
        (404, errors.NotFound),
        (405, errors.ApiError),
        (409, errors.Conflict),
        (412, errors.PreconditionFailed),
        (413, errors.FileTooLarge),
        (415, errors.UnsupportedMediaType),
        (422, errors.InvalidState),
        (429, errors.RateLimited),
        (500, errors.ServerError),
        (503, errors.ServerError),
    ],
)
def test_each_status_has_its_class_and_four_lines(status: int, kind: type[errors.ApiError]) -> None:
    made = error(status, {"id": "1f", "object": "some_error", "detail": "the reason given"})
    assert type(made) is kind
    lines = str(made).splitlines()
    assert "the reason given" in lines[0]
    assert [line.split(":")[0] for line in lines[1:]] == ["Known", "Safe", "Next"]
    assert f"status={status}" in lines[1]
    assert "request_id=1f" in lines[1]
    assert "trace_id=aaaa" in lines[1]


def test_the_create_guides_example_error_names_our_fields() -> None:
    made = error(
        400,
        {
            "object": "bad_request_error",
            "detail": "request had validation errors",
            "invalid_params": [
                {"name": "FieldingSpecification.EndAt", "reason": "must be one hour ahead."},
                {"name": "ExpectedCompletes", "reason": "must not be empty."},
            ],
        },
    )
    assert made.invalid_params == (("end_at", "must be one hour ahead."), ("completes_goal", "must not be empty."))
    assert "completes_goal: must not be empty." in str(made)
    assert "ExpectedCompletes" not in str(made)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("ExpectedCompletes", "completes_goal"),
        ("FieldingSpecification.StartAt", "start_at"),
        ("BusinessUnitID", "business_unit_id"),
        ("BusinessUnitId", "business_unit_id"),
        ("LiveURL", "live_url"),
        ("CollectsPII", "collects_pii"),
        ("Allocations", "allocations"),
        ("Allocations.TemplateId", "allocation_template_id"),
        ("FieldingAssistantAssignment.Pricing.MaximumCpi.Value", "maximum_cpi"),
        ("Profiling.Profiles[0].Targets[1].Quota", "profiling.profiles[0].targets[1].quota"),
        ("expected_completes", "completes_goal"),
        ("end_fielding_at", "end_fielding_at"),
        ("", None),
    ],
)
def test_field_names_become_the_names_of_the_plan(theirs: str, ours: str | None) -> None:
    assert plan_field_name(theirs) == ours


@pytest.mark.parametrize("room", ["recontacts", "exclusions"])
def test_a_conflict_at_recontacts_or_exclusions_is_a_running_job(room: str) -> None:
    made = error(409, {"object": "conflict_error", "detail": "busy"}, f"{GROUP}/{room}/jobs/upload-respondents-by-file")
    assert type(made) is errors.JobAlreadyRunning
    assert "wait for the running job" in str(made.next_step)


@pytest.mark.parametrize(
    ("rest", "says"),
    [
        ("", "drafts and launched target groups"),
        ("/recontacts/jobs/remove-all-rsids/{job_id}", "check the job's id"),
        ("/fielding-runs/{fielding_run_id}", "check the fielding run's id"),
        ("/recontacts/overview", "different URLs"),
        ("/recontacts/rsids", "account, project and target group"),
    ],
)
def test_what_was_not_found_is_named(rest: str, says: str) -> None:
    assert says in str(error(404, OWN, template=GROUP + rest).next_step)


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>nginx: 404 Not Found</html>", {"message": "no Route matched with those values"}, {"detail": "no"}],
)
def test_a_404_that_is_not_the_exchanges_leaves_it_open_whether_the_resource_exists(body: Any) -> None:
    made = error(404, body)
    assert type(made) is errors.ApiError
    assert made.status == 404
    assert "is not known" in str(made.next_step) or "a gateway" in str(made.next_step)


def test_a_permission_error_lists_its_three_causes() -> None:
    made = error(403, {"object": "authorization_error", "detail": "no"}, tried_new_token=True)
    for cause in ("expired token", "a new one was tried", "Cint-API-Version", "right or feature"):
        assert cause in str(made.next_step)
    assert "was tried" not in str(error(403, {"object": "authorization_error"}).next_step)


def test_a_missing_version_header_is_called_what_it_is() -> None:
    assert "proxy" in str(error(403, {"object": "required_header_missing", "detail": "missing"}).next_step)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Bad gateway planted-secret</html>",
        b'{"cut": ',
        b"[]",
        b"null",
        {"invalid_params": "x"},
        {"detail": 3},
        {"object": {}},
    ],
)
def test_any_body_makes_an_error_and_none_is_printed_whole(body: bytes | dict[str, Any]) -> None:
    made = error(502, body)
    assert isinstance(made, errors.ServerError)
    assert "planted-secret" not in str(made)


def test_the_raw_body_is_kept() -> None:
    assert error(500, b"<html>planted</html>").body == b"<html>planted</html>"


def test_what_a_failed_write_left_behind_is_called_unknown_and_a_read_safe() -> None:
    assert "unknown" in str(error(500).safe)
    assert "safe" in str(error(500, method="GET").safe)
    assert "nothing was changed" in str(error(400).safe)


def test_foreign_text_is_made_fit_for_a_message() -> None:
    nasty = "who 0F1CE179-A917-4bd1-9a4f-1234567890ab\x1b[31m\r\n\tmail x.y@example.com " + "long " * 200
    text = quote_foreign(nasty)
    assert "0F1CE179-A917" not in text
    assert "example.com" not in text
    assert text.isprintable()
    assert len(text) <= 300
    assert quote_foreign(None) == quote_foreign({}) == quote_foreign(True) == ""


@pytest.mark.parametrize(
    "echo",
    [
        "0F1CE179A9174BD19A4F1234567890AB is unknown",
        "row {0f1ce179-a917-4bd1-9a4f-1234567890ab}",
        "id=0f1ce179a9174bd19a4f1234567890ab;",
    ],
)
def test_an_id_the_exchange_echoes_is_masked_in_every_form_a_file_may_have(echo: str) -> None:
    assert "0f1ce179" not in quote_foreign(echo).lower()
    assert "90ab" in quote_foreign(echo).lower()


def test_an_e_mail_address_in_an_address_is_removed_too() -> None:
    assert "example" not in quote_foreign("see /users?mail=x.y%40example.com")


def test_the_request_id_is_whole_since_support_needs_it_and_other_uuids_are_masked() -> None:
    known = "b551326b-ac9d-4d32-8823-4f025787dab9"
    made = error(400, {"id": known, "object": "bad_request_error", "detail": f"respondent {known} is not known"})
    assert made.evidence["request_id"] == known
    assert known not in made.what


def test_a_request_id_of_another_form_is_left_out() -> None:
    assert "someone" not in str(error(400, {"id": "<b>x</b> someone@example.com", "object": "bad_request_error"}))
