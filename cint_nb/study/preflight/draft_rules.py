"""Rules about the draft on the exchange: it must still match the plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import unquote, urlsplit

from cint_nb.domain.findings import Finding
from cint_nb.domain.plan import Money
from cint_nb.study.preflight.registry import RuleReport, WaveFacts, rule

_CREATE = "create guide, request body"
_ASSIGNMENT = "fielding_assistant_assignment"
_FIX = (
    "update it to match the plan with client.target_groups.update_draft(wave.target_group, wave.plan), "
    "or change the plan to match it."
)
_COMPARED_FIELDS = ("locale", "expected_length_of_interview_minutes", "expected_incidence_rate", "collects_pii")


@rule("draft-cost", steps=["launch"], section=_CREATE)
def draft_cost(facts: WaveFacts, report: RuleReport) -> Iterator[Finding]:
    """The draft costs no more than the plan, against which the budget is checked."""
    plan, draft = facts.plan, facts.draft
    goal, cap = draft.get("completes_goal"), _price_cap(draft)
    if isinstance(goal, int) and goal > plan.completes_goal:
        yield report.block(
            "The draft's goal is higher than the plan's, against which the budget is checked.",
            evidence=f"draft={goal:,}, plan={plan.completes_goal:,}",
            fix=_FIX,
        )
    planned = plan.price_cap
    exceeds = cap and planned and (cap.currency_code != planned.currency_code or cap.value > planned.value)
    if exceeds:
        yield report.block(
            "The draft's maximum price is above the plan's, against which the budget is checked.",
            evidence=f"draft={cap}, plan={planned}",
            fix=_FIX,
        )
    if plan.prevent_overfill and _get_path(draft, _ASSIGNMENT, "quota_overlay", "prevent_overfill") is False:
        yield report.block(
            "The draft allows completes to exceed the goal; the plan does not.",
            evidence="prevent_overfill=false",
            fix=_FIX,
        )


@rule("draft-survey", steps=["launch"], section=_CREATE)
def draft_survey(facts: WaveFacts, report: RuleReport) -> Finding | None:
    """The draft sends respondents to the survey of the plan."""
    url = facts.draft.get("live_url")
    if not isinstance(url, str) or not url or _comparable_url(url) == _comparable_url(facts.plan.live_url):
        return None
    return report.block(
        "The draft sends respondents to a different survey than the plan.", evidence="live_url", fix=_FIX
    )


@rule("draft-as-planned", steps=["launch"], section=_CREATE)
def draft_as_planned(facts: WaveFacts, report: RuleReport) -> Finding | None:
    """All other comparable fields of the draft match the plan."""
    differing = [
        name
        for name in _COMPARED_FIELDS
        if facts.draft.get(name) not in (None, "") and facts.draft[name] != getattr(facts.plan, name)
    ]
    if not differing:
        return None
    return report.warn("The draft does not match the plan.", evidence=", ".join(differing), fix=_FIX)


@rule("overfill", steps=["create", "launch"], section=_CREATE)
def overfill(facts: WaveFacts, report: RuleReport) -> Finding | None:
    """Completes stop at the goal."""
    if facts.plan.prevent_overfill:
        return None
    return report.warn(
        "Overfill is allowed: completes may exceed the goal, and each one costs money.",
        evidence="prevent_overfill=false; the budget must cover every ID of the list",
        fix="set prevent_overfill to True.",
    )


def _comparable_url(url: str) -> tuple[str, str, str, str]:
    """Return a URL in a comparable form; brackets of a variable are not an IPv6 address."""
    try:
        parts = urlsplit(unquote(url).replace("[", "").replace("]", ""))
    except ValueError:
        return "", "", url, ""
    return parts.scheme.lower(), parts.netloc.lower(), parts.path.rstrip("/"), parts.query


def _price_cap(draft: Mapping[str, Any]) -> Money | None:
    amount = _get_path(draft, _ASSIGNMENT, "pricing", "maximum_cpi") or draft.get("cost_per_interview")
    if not isinstance(amount, Mapping) or amount.get("value") is None:
        return None
    try:
        return Money(value=Decimal(str(amount["value"])), currency_code=str(amount.get("currency_code", "")).upper())
    except (ValueError, InvalidOperation):
        return None


def _get_path(body: Any, *names: str) -> Any:
    for name in names:
        body = body.get(name) if isinstance(body, Mapping) else None
    return body
