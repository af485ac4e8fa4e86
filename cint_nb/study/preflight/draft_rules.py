"""Rules about the draft as the exchange holds it: a plan changed after `create` does not change it by itself."""

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
    "bring it up to the plan with client.run(client.target_groups.update_draft(wave.target_group, wave.plan)), "
    "or plan again what it holds."
)
_COMPARED_FIELDS = ("locale", "expected_length_of_interview_minutes", "expected_incidence_rate", "collects_pii")


@rule("draft-cost", steps=["launch"], section=_CREATE)
def draft_cost(facts: WaveFacts, report: RuleReport) -> Iterator[Finding]:
    """The draft cannot cost more than the plan, by which the budget is checked."""
    plan, draft = facts.plan, facts.draft
    goal, cap = draft.get("completes_goal"), _price_cap(draft)
    if isinstance(goal, int) and goal > plan.completes_goal:
        yield report.block(
            "The draft's goal is higher than the plan's, by which the budget is checked.",
            evidence=f"draft={goal:,}, plan={plan.completes_goal:,}",
            fix=_FIX,
        )
    planned = plan.price_cap
    dearer = cap and planned and (cap.currency_code != planned.currency_code or cap.value > planned.value)
    if dearer:
        yield report.block(
            "The draft's highest price is above the plan's, by which the budget is checked.",
            evidence=f"draft={cap}, plan={planned}",
            fix=_FIX,
        )
    if plan.prevent_overfill and _get_path(draft, _ASSIGNMENT, "quota_overlay", "prevent_overfill") is False:
        yield report.block(
            "The draft lets completes go over the goal, which the plan does not.",
            evidence="prevent_overfill=false",
            fix=_FIX,
        )


@rule("draft-survey", steps=["launch"], section=_CREATE)
def draft_survey(facts: WaveFacts, report: RuleReport) -> Finding | None:
    """The draft leads people to the survey of the plan."""
    held = facts.draft.get("live_url")
    if not isinstance(held, str) or not held or _comparable_url(held) == _comparable_url(facts.plan.live_url):
        return None
    return report.block("The draft leads people to another survey than the plan.", evidence="live_url", fix=_FIX)


@rule("draft-as-planned", steps=["launch"], section=_CREATE)
def draft_as_planned(facts: WaveFacts, report: RuleReport) -> Finding | None:
    """What else of the draft can be compared is as planned."""
    differing = [
        name
        for name in _COMPARED_FIELDS
        if facts.draft.get(name) not in (None, "") and facts.draft[name] != getattr(facts.plan, name)
    ]
    if not differing:
        return None
    return report.warn("The draft is not as planned.", evidence=", ".join(differing), fix=_FIX)


@rule("overfill", steps=["create", "launch"], section=_CREATE)
def overfill(facts: WaveFacts, report: RuleReport) -> Finding | None:
    """Completes stop at the goal."""
    if facts.plan.prevent_overfill:
        return None
    return report.warn(
        "Overfill is allowed: completes may go over the goal, and each one costs.",
        evidence="prevent_overfill=false; the budget must cover every id of the list",
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
