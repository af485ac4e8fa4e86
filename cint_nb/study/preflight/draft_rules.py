"""Rules about the draft on the exchange: it must still match the plan."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import unquote

from cint_nb.domain.findings import Finding
from cint_nb.domain.models import Amount
from cint_nb.domain.plan import Money
from cint_nb.study.preflight.registry import RuleReport, WaveFacts, rule, split_url

_CREATE = "create guide, request body"
_FIX = (
    "update it to match the plan with client.target_groups.update_draft(wave.target_group, wave.plan), "
    "or change the plan to match it."
)
_COMPARED_FIELDS = ("locale", "expected_length_of_interview_minutes", "expected_incidence_rate", "collects_pii")


@rule("draft-cost", steps=["launch"], section=_CREATE)
def draft_cost(facts: WaveFacts, report: RuleReport) -> Iterator[Finding]:
    """The draft costs no more than the plan, against which the budget is checked."""
    plan, draft = facts.plan, facts.draft
    if draft is None:
        return
    if draft.completes_goal is not None and draft.completes_goal > plan.completes_goal:
        yield report.block(
            "The draft's goal is higher than the plan's, against which the budget is checked.",
            evidence=f"draft={draft.completes_goal:,}, plan={plan.completes_goal:,}",
            fix=_FIX,
        )
    if plan.price_cap and draft.price_cap and _is_above(draft.price_cap, plan.price_cap):
        yield report.block(
            "The draft's maximum price is above the plan's, against which the budget is checked.",
            evidence=f"draft={draft.price_cap}, plan={plan.price_cap}",
            fix=_FIX,
        )
    if plan.prevent_overfill and draft.fielding_assistant_assignment.quota_overlay.prevent_overfill is False:
        yield report.block(
            "The draft allows completes to exceed the goal; the plan does not.",
            evidence="prevent_overfill=false",
            fix=_FIX,
        )


@rule("draft-survey", steps=["launch"], section=_CREATE)
def draft_survey(facts: WaveFacts, report: RuleReport) -> Finding | None:
    """The draft sends respondents to the survey of the plan."""
    url = facts.draft.live_url if facts.draft else None
    if not url or _comparable_url(url) == _comparable_url(facts.plan.live_url):
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
        if getattr(facts.draft, name, None) not in (None, "", getattr(facts.plan, name))
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


def _comparable_url(url: str) -> tuple[str, ...]:
    parts = split_url(unquote(url))
    if parts is None:
        return (url,)
    return parts.scheme, parts.netloc.lower(), parts.path.rstrip("/"), parts.query


def _is_above(amount: Amount, most: Money) -> bool:
    if amount.value is None or not amount.currency_code:
        return False
    return amount.currency_code.upper() != most.currency_code or amount.value > most.value
