"""Error replies turned into our exceptions: class, message, fields and next step."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote

from pydantic import SecretStr

from cint_nb.domain.errors import (
    ApiError,
    BadRequest,
    Conflict,
    JobAlreadyRunning,
    NotAuthenticated,
    NotFound,
    ServerError,
    error_class_for_status,
)
from cint_nb.domain.ids import quote_foreign
from cint_nb.wire.calls import Reply
from cint_nb.wire.replies.error_body import is_own_error, read_error_body

_SECRET_MIN = 8
_CREDENTIALS_REFUSED = ("invalid_client", "unauthorized_client", "access_denied")
"""OAuth's words for a wrong client id or secret, which it may send with a 400."""

PLAN_FIELD_NAMES: Mapping[str, str] = {
    "expected_completes": "completes_goal",
    "fielding_specification.start_at": "start_at",
    "fielding_specification.end_at": "end_at",
    "fielding_assistant_assignment.pricing.maximum_cpi": "maximum_cpi",
    "fielding_assistant_assignment.pricing.total_budget": "total_budget",
    "fielding_assistant_assignment.pricing.type": "pricing_model",
    "fielding_assistant_assignment.quota_overlay.prevent_overfill": "prevent_overfill",
    "fielding_assistant_assignment.quota_overlay.balance_fill": "balance_fill",
    "exclusion.enabled": "exclusion_enabled",
    "allocations.template_id": "allocation_template_id",
    "allocation_template.id": "allocation_template_id",
    "target_group_customer_reference_number": "customer_reference_number",
}
"""Names the exchange uses for fields that have another name in `TargetGroupPlan`."""

_NEXT_STEPS: Mapping[int, str] = {
    400: "correct the fields named and resend.",
    401: "check client id and secret, or renew CINT_NB_TOKEN.",
    409: "wait until the other change has ended, then try again.",
    412: "re-read the resource, then retry with its new ETag.",
    413: "send fewer ids: 100,000 bare ids are 3.7 MB, so a larger file contains something else.",
    415: "upload the file as multipart field 'file'.",
    422: "read the current state; this action is not allowed in it.",
    423: "wait until whoever holds the lock has ended, then try again.",
    425: "send it again in a moment: it was not worked on.",
    429: "wait before the next request; use webhooks or poll less often.",
}
_JOB_RUNS = "wait for the running job to finish, then resend; only one job per target group can run at a time."
WEB_PAGE_HINT = (
    "a gateway, a firewall or the sign-in page of a network stands in between: check the network, the proxy and "
    "CINT_NB_BASE_URL; `cint-nb doctor` tests them."
)
_THREE_CAUSES = (
    "403 has three causes: an expired token (a new one was tried), a missing Cint-API-Version header (always sent), "
    "or a right or feature this account lacks: ask your Cint integration consultant."
)


def error_from_reply(
    reply: Reply, *, operation: str, tried_new_token: bool = False, may_have_acted: bool = False
) -> ApiError:
    """Build the error for a reply that is no success.

    Args:
        reply: The error reply; its body is kept on the error and never printed in full.
        operation: What was requested, for the message.
        tried_new_token: Whether the request was already resent with a new token.
        may_have_acted: Whether the exchange may have acted, whatever the status says: the error is a `ServerError`.
    """
    said = read_error_body(reply.body)
    params = tuple((plan_field_name(name), reason) for name, reason in said.params)
    kind = ServerError if may_have_acted else error_class_for_status(reply.status)
    if kind is Conflict and ("/recontacts/" in reply.template or "/exclusions/" in reply.template):
        kind = JobAlreadyRunning
    if kind is NotFound and not is_own_error(reply.body):
        kind = ApiError  # a gateway knows no such address: whether the exchange has the resource is not known
    if kind is BadRequest and said.kind in _CREDENTIALS_REFUSED:
        kind = NotAuthenticated
    error = kind(
        _summary_line(reply, operation, said.detail),
        evidence={
            "status": reply.status,
            "object": said.kind,
            "fields": "; ".join(": ".join(filter(None, param)) for param in params) or None,
            "request_id": said.request_id or reply.request_id,
            "trace_id": reply.trace_id,
        },
        safe=_safe_line(reply),
        next_step=_next_step(reply, said.kind, kind, tried_new_token),
    )
    error.body = reply.body
    error.is_web_page = reply.is_web_page()
    error.invalid_params = params
    return error


def redact_reply(reply: Reply, secrets: Iterable[SecretStr | None]) -> Reply:
    """Return a reply that does not repeat the credentials that were sent: in its headers, or in the body of an error.

    A server, or a proxy before it, may quote the request it rejects. Texts of less than eight characters are not secret
    and stay: the sandbox's own secret is a word of its messages.
    """
    body, headers = reply.body, reply.headers
    every_value = "\n".join(headers.values())  # nearly no reply quotes anything: one search tells
    for secret in secrets:
        text = secret.get_secret_value() if secret is not None else None
        if text is None or len(text) < _SECRET_MIN:
            continue
        for written in dict.fromkeys((text, json.dumps(text)[1:-1], quote(text, safe=""))):
            if reply.status >= 300:
                body = body.replace(written.encode("utf-8"), b"(secret)")
            if written in every_value:
                headers = {name: value.replace(written, "(secret)") for name, value in headers.items()}
    if body == reply.body and headers is reply.headers:
        return reply
    return dataclasses.replace(reply, body=body, headers=headers)


def plan_field_name(name: object) -> str | None:
    """Return the plan's name for a field name of an error, such as `FieldingSpecification.EndAt`; None for no name."""
    quoted = quote_foreign(name)
    parts = [re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", part) for part in quoted.split(".")]
    name_in_plan = ".".join(parts).lower() or None
    if name_in_plan is None:
        return None
    for theirs, known in PLAN_FIELD_NAMES.items():
        if name_in_plan == theirs or name_in_plan.startswith((theirs + ".", theirs + "[")):
            return known
    return name_in_plan


def _summary_line(reply: Reply, operation: str, detail: str | None) -> str:
    status, words = reply.status, operation.replace("_", " ")
    rest = f": {detail}" if detail else "."
    if 300 <= status < 400:
        return f"The exchange answered the request to {words} with a redirect, which is never followed{rest}"
    if reply.is_web_page():
        return f"A web page answered the request to {words}, not the exchange; its status is {status}."
    if status == 404 and not is_own_error(reply.body):
        return f"Something answered the request to {words} with the status 404, and not as the exchange does{rest}"
    if status in (502, 503, 504) and not reply.body.strip():
        return f"The exchange could not {words}: a gateway before it gave the status {status} and no reason."
    if status == 408:
        return f"The exchange gave up waiting for the whole request to {words}{rest}"
    if status >= 500:
        return f"The exchange could not {words}{rest}"
    return f"The exchange rejected the request to {words}{rest}"


def _safe_line(reply: Reply) -> str:
    if reply.method == "GET":
        return "nothing was changed; repeating the read is safe."
    if reply.status == 408 or (reply.is_web_page() and reply.status >= 400):
        return "unknown: whether the exchange received the request does not show."
    if reply.status < 500:
        return "nothing was changed by this request."
    return "unknown: the request may have taken effect before the error."


def _next_step(reply: Reply, object_name: str | None, kind: type[ApiError], tried_new_token: bool) -> str:
    status = reply.status
    if status >= 400 and reply.is_web_page():
        return (
            WEB_PAGE_HINT
            if reply.method == "GET"
            else f"check whether it took effect before resending; {WEB_PAGE_HINT}"
        )
    if kind is JobAlreadyRunning:
        return _JOB_RUNS
    if status == 403:
        if object_name == "required_header_missing":
            return "a proxy is removing the Cint-API-Version header: allow it through. " + _THREE_CAUSES
        return _THREE_CAUSES if tried_new_token else _THREE_CAUSES.replace(" (a new one was tried)", "")
    if kind is NotAuthenticated and tried_new_token:
        return "a new token was rejected too: check that the client ID and secret belong to this account."
    if status == 404 and not is_own_error(reply.body):
        return f"whether the exchange has it is not known; {WEB_PAGE_HINT}"
    if status == 404:
        return _not_found_hint(reply.template)
    if status >= 500 or status == 408:
        return "check whether it took effect before resending; give request_id to Cint support if it recurs."
    return _NEXT_STEPS.get(status, "give request_id to Cint support if the request looks right.")


def _not_found_hint(template: str) -> str:
    last = template.rpartition("/")[2]
    if last in ("{job_id}", "{report_id}", "{fielding_run_id}"):
        return f"check the {last[1:-4].replace('_', ' ')}'s id, and that it is one of this account and target group."
    if last in ("{target_group_id}", "details", "overview"):
        return "check the ids; drafts and launched target groups have different URLs."
    return "check the ids of account, project and target group."
