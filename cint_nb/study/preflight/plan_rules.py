"""Rules about the plan: what both guides require of a target group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import unquote
from uuid import UUID

from cint_nb.domain import limits
from cint_nb.domain.findings import Finding
from cint_nb.domain.ids import mask_ids_in
from cint_nb.domain.plan import AllocationFormat, TargetGroupPlan
from cint_nb.study.preflight.registry import RuleReport, WaveFacts, rule, split_url

_RECONTACT = "recontact guide, step 1"
_CREATE = "create guide, request body"
_DATES = "create guide, error responses"
_VARIABLE = limits.RECONTACT_URL_VARIABLE


_SOON = timedelta(days=1)
"""A plan says when it means to start, and who launches within a day of that does so knowingly."""


def _urls(facts: WaveFacts) -> tuple[tuple[str, str], ...]:
    """Return the URLs that were given; without one of its own a test has the live one."""
    test = facts.plan.test_url
    return (("live_url", facts.plan.live_url), *((("test_url", test),) if test and test != facts.plan.live_url else ()))


@rule("study-type", section=_RECONTACT)
def study_type(facts: WaveFacts, report: RuleReport) -> Finding | None:
    """A recontact group has the study type `recontact`, and no other group has it."""
    if (facts.plan.study_type_code == limits.RECONTACT_STUDY_TYPE) == facts.plan.is_recontact:
        return None
    if not facts.plan.is_recontact:
        return report.block(
            'The study type is "recontact", which admits the people of a list only, and this plan has none.',
            evidence="study_type_code=recontact",
            fix="use TargetGroupPlan.recontact and a list, or another study type, such as adhoc.",
        )
    return report.block(
        'The study type is not "recontact", so the target group cannot use a respondent list.',
        evidence=f"study_type_code={facts.plan.study_type_code}",
        fix='set study_type_code to "recontact".',
    )


@rule("url-variable", section=_RECONTACT)
def url_variable(facts: WaveFacts, report: RuleReport) -> Iterator[Finding]:
    """Both URLs of a recontact contain the recontact variable, literally; elsewhere nothing replaces it."""
    if not facts.plan.is_recontact:
        for field, url in _urls(facts):
            if _VARIABLE.lower() in unquote(url).lower():
                yield report.warn(
                    f"{field} contains {_VARIABLE}, which the exchange replaces for a recontact only.",
                    evidence=field,
                    fix=f"leave it out; {limits.RESPONDENT_URL_VARIABLE} passes the RSID of new people.",
                )
        return
    for field, url in _urls(facts):
        if _VARIABLE in url:
            continue
        if _VARIABLE in unquote(url):
            yield report.block(
                f"The variable in {field} is percent-encoded, so the exchange will not replace it.",
                evidence=f"{field} contains %5B or %25",
                fix=f"write {_VARIABLE} with its brackets and percent signs, and save the URL unencoded.",
            )
        elif _VARIABLE.lower() in url.lower():
            yield report.block(
                f"The variable in {field} is not in capital letters.",
                evidence=field,
                fix=f"write {_VARIABLE}.",
            )
        else:
            yield report.block(
                f"{field} does not contain {_VARIABLE}: returning respondents could not be identified.",
                evidence=f"{field} has {len(url)} characters",
                fix=f"add RECONTACT_RSID={_VARIABLE} to {field}.",
            )


@rule("url-form", section=_RECONTACT)
def url_form(facts: WaveFacts, report: RuleReport) -> Iterator[Finding]:
    """Both URLs are web URLs of a length that the exchange accepts."""
    for field, url in _urls(facts):
        parts = split_url(url)
        scheme = parts.scheme if parts else None
        if parts is None or scheme not in {"https", "http"} or not parts.hostname or url != url.strip() or " " in url:
            yield report.block(
                f"{field} is not a web URL.",
                evidence=f"scheme={scheme or 'none'}",
                fix="give the full URL, starting with https:// and without spaces.",
            )
        elif scheme == "http":
            yield report.warn(f"{field} is not encrypted.", evidence="http://", fix="use https://.")
        if len(url) > limits.URL_MAX_CHARACTERS:
            yield report.block(
                f"{field} is longer than {limits.URL_MAX_CHARACTERS:,} characters.",
                evidence=f"{len(url):,} characters",
                fix="shorten it.",
            )


@rule("url-rid", steps=["create"], section=_RECONTACT)
def url_rid(facts: WaveFacts, report: RuleReport) -> Finding | None:
    """The visit's id in the survey data makes later reconciliation possible."""
    if limits.RID_URL_VARIABLE in facts.plan.live_url:
        return None
    return report.note(
        f"live_url does not pass {limits.RID_URL_VARIABLE}: survey data will not contain the visit's ID.",
        fix=f"add RID={limits.RID_URL_VARIABLE} to have RIDs and RSIDs side by side for the next wave.",
    )


@rule("allocation-template", section=_RECONTACT)
def allocation_template(facts: WaveFacts, report: RuleReport) -> Finding | None:
    """A recontact group uses the recontact allocation template."""
    plan = facts.plan
    if not plan.is_recontact:
        return None
    if plan.allocation_format is AllocationFormat.OMITTED:
        return report.block(
            "The plan names no allocation template, and a recontact needs the recontact template.",
            evidence="allocation_format=omitted",
            fix="leave allocation_format out.",
        )
    if plan.allocation_format is AllocationFormat.OPEN_EXCHANGE:
        return report.note(
            "Allocations are given explicitly, so they cannot be compared with the recontact template here.",
            fix="compare the group's allocation specification with the template.",
        )
    if plan.allocation_template_id == limits.RECONTACT_TEMPLATE_ID:
        return None
    return report.block(
        "The allocation template is not the recontact template.",
        evidence=f"template_id={plan.allocation_template_id}",
        fix=f"use {limits.RECONTACT_TEMPLATE_ID}.",
    )


@rule("project-exclusion", section=_RECONTACT)
def project_exclusion(facts: WaveFacts, report: RuleReport) -> Finding | None:
    """Project exclusion turns away everyone who ever completed in the same project."""
    shared = bool(facts.project_id) and facts.project_id in facts.source_projects
    enabled = facts.plan.exclusion_enabled if facts.project_exclusion is None else facts.project_exclusion
    if enabled and shared:
        return report.block(
            "Project exclusion is on, but the respondents come from the same project and would be turned away.",
            evidence="exclusion.enabled=true",
            fix="set exclusion_enabled to False.",
        )
    if enabled and not facts.source_projects and facts.plan.is_recontact:
        return report.warn(
            "Exclusion is on: respondents who completed another group of this project would be turned away.",
            evidence="exclusion.enabled=true; the projects of the sources are not known",
            fix="set exclusion_enabled to False if any respondent comes from this project.",
        )
    return None


@rule("profiling", section=_RECONTACT)
def profiling(facts: WaveFacts, report: RuleReport) -> Finding | None:
    """Profiling filters the list further; leftover profiles turn people away."""
    number = _profile_count(facts.plan)
    if not number or not facts.plan.is_recontact:
        return None
    return report.warn(
        "Profiling is set: only respondents of the list who also match it can take part.",
        evidence=f"{number} profile{'s' if number > 1 else ''}",
        fix="omit profiling unless only part of the list should take part.",
    )


def _profile_count(plan: TargetGroupPlan) -> int:
    if isinstance(plan.profiling, tuple):
        return len(plan.profiling)
    profiles = (plan.profiling or {}).get("profiles")
    return len(profiles) if isinstance(profiles, list) else int(bool(profiles))


@rule("quota-percentages", section="create guide, example request body")
def quota_percentages(facts: WaveFacts, report: RuleReport) -> Iterator[Finding]:
    """The quotas of a profile share the goal: their percentages sum to 100."""
    for name, shares in _quotas(facts.plan, "percentage"):
        if shares and sum(shares) != 100:
            yield report.block(
                f"The quotas of the profile {name} do not sum to 100 %.",
                evidence=f"{' + '.join(format(share.normalize(), 'f') for share in shares)} = {sum(shares):f}",
                fix="change completes_goal_percentage of its targets.",
            )


@rule("quota-completes", section="API reference, profiles")
def quota_completes(facts: WaveFacts, report: RuleReport) -> Iterator[Finding]:
    """Quotas in numbers of completes add up to the goal."""
    for name, numbers in _quotas(facts.plan, "nominal"):
        if numbers and sum(numbers) != facts.plan.completes_goal:
            yield report.block(
                f"The quotas of the profile {name} do not make up the completes goal.",
                evidence=f"{' + '.join(f'{number:f}' for number in numbers)} = {sum(numbers):f}, "
                f"completes_goal={facts.plan.completes_goal:,}",
                fix="change the quotas or the goal.",
            )


def _quotas(plan: TargetGroupPlan, unit: str) -> Iterator[tuple[str, list[Decimal]]]:
    """Yield the quotas of each profile that has them in this unit, under a name that is safe to show."""
    if isinstance(plan.profiling, tuple):
        for each in plan.profiling:
            if ("percentage" if each.by == "percent" else "nominal") == unit:
                yield mask_ids_in(each.label)[:60], [cell.quota for cell in each.cells if cell.quota is not None]
        return
    profiling = plan.profiling or {}
    profiles = profiling.get("profiles")
    if profiling.get("profile_adjustment_type", "percentage") != unit or not isinstance(profiles, list):
        return
    for profile in profiles:
        if isinstance(profile, Mapping):
            # Masked before it is truncated: what is left of a truncated id is not recognised as one.
            yield mask_ids_in(str(profile.get("name", "without a name")))[:60], _quota_numbers(profile, unit)


def _quota_numbers(profile: Mapping[str, Any], unit: str) -> list[Decimal]:
    if not profile.get("quotas_enabled", False):
        return []
    targets = profile.get("targets")
    quotas = (
        [target.get("quota") for target in targets if isinstance(target, Mapping)] if isinstance(targets, list) else []
    )
    key = "completes_goal_percentage" if unit == "percentage" else "completes_goal"
    values = [quota.get(key) for quota in quotas if isinstance(quota, Mapping)]
    return [Decimal(str(value)) for value in values if isinstance(value, int | float) and not isinstance(value, bool)]


@rule("dates", section=_DATES)
def dates(facts: WaveFacts, report: RuleReport) -> Iterator[Finding]:
    """Fielding dates lie in the future, and the end an hour ahead at least."""
    plan, soonest = facts.plan, facts.now + limits.MIN_END_LEAD_TIME
    if plan.end_at < soonest:
        yield report.block(
            "Fielding would end less than one hour from now.",
            evidence=f"end_at={plan.end_at:%Y-%m-%d %H:%M} UTC, now={facts.now:%Y-%m-%d %H:%M} UTC",
            fix=f"set end_at to {soonest:%Y-%m-%d %H:%M} UTC or later.",
        )
    if plan.start_at < facts.now and facts.step == "create":
        yield report.block(
            "Fielding would start in the past.",
            evidence=f"start_at={plan.start_at:%Y-%m-%d %H:%M} UTC, now={facts.now:%Y-%m-%d %H:%M} UTC",
            fix="set start_at to a time in the future.",
        )
    if facts.step == "launch" and plan.start_at > facts.now + _SOON:
        yield report.warn(
            "A launch does not wait for the start in the plan: people can enter at once.",
            evidence=f"start_at={plan.start_at:%Y-%m-%d %H:%M} UTC, now={facts.now:%Y-%m-%d %H:%M} UTC",
            fix="launch it on that day; or let the exchange do so with client.fielding.schedule(…).",
        )
    if plan.end_at <= plan.start_at:
        yield report.block(
            "Fielding would end before it starts.",
            evidence=f"start_at={plan.start_at:%Y-%m-%d %H:%M}, end_at={plan.end_at:%Y-%m-%d %H:%M}",
            fix="set end_at after start_at.",
        )


@rule("currency", steps=["create"], section=_CREATE)
def currency(facts: WaveFacts, report: RuleReport) -> Iterator[Finding]:
    """All prices are in the currency of the business unit."""
    plan = facts.plan
    prices = {
        "cost_per_interview": plan.cost_per_interview,
        "maximum_cpi": plan.maximum_cpi,
        "total_budget": plan.total_budget,
    }
    named = {field: price.currency_code for field, price in prices.items() if price is not None}
    for field, code in named.items():
        if facts.currency and code != facts.currency:
            yield report.block(
                f"{field} is not in the currency of the business unit.",
                evidence=f"{field} in {code}, business unit in {facts.currency}",
                fix=f"give the price in {facts.currency}.",
            )
    if len(set(named.values())) > 1:
        yield report.block(
            "The prices are in different currencies.",
            evidence=", ".join(f"{field} in {code}" for field, code in named.items()),
            fix="use the currency of the business unit for all of them.",
        )


@rule("price-cap", steps=["create"], section=_CREATE)
def price_cap(facts: WaveFacts, report: RuleReport) -> Finding | None:
    """The maximum price is not below the price."""
    price, cap = facts.plan.cost_per_interview, facts.plan.maximum_cpi
    if price is None or cap is None or price.currency_code != cap.currency_code or cap.value >= price.value:
        return None
    return report.warn(
        "The maximum price per complete is below the price.",
        evidence=f"maximum_cpi={cap}, cost_per_interview={price}",
        fix="raise maximum_cpi or lower cost_per_interview.",
    )


@rule("price-bound", section=_CREATE)
def price_bound(facts: WaveFacts, report: RuleReport) -> Iterator[Finding]:
    """Something bounds what a wave of new people can cost: a price cap with overfill prevented, or a total budget."""
    plan = facts.plan
    if plan.maximum_cpi is not None and plan.total_budget is not None:
        yield report.block(
            "The exchange takes a price cap or a total budget, not both.",
            evidence=f"maximum_cpi={plan.maximum_cpi}, total_budget={plan.total_budget}",
            fix="leave one of them out.",
        )
    if plan.pricing_model == "rate_card" and (plan.cost_per_interview or plan.total_budget):
        yield report.block(
            "With a rate card the exchange takes neither a price per complete nor a total budget.",
            evidence="pricing_model=rate_card",
            fix="leave cost_per_interview and total_budget out; maximum_cpi bounds the price.",
        )
    if plan.is_recontact or plan.total_budget is not None or (plan.maximum_cpi is not None and plan.prevent_overfill):
        return
    example = plan.maximum_cpi or plan.cost_per_interview or "2.75 EUR"
    yield report.block(
        "Nothing bounds what this wave can cost: new people are not limited by a list.",
        evidence=f"maximum_cpi={plan.maximum_cpi or 'none'}, prevent_overfill={plan.prevent_overfill}",
        fix=f"pass maximum_cpi={str(example)!r} with prevent_overfill=True, or total_budget.",
    )


@rule("overfill-prescreens", section="API reference, fielding assistant")
def overfill_prescreens(facts: WaveFacts, report: RuleReport) -> Finding | None:
    """What `prevent_overfill` does: it limits those who pass the screener, not only completes."""
    if facts.plan.is_recontact or not facts.plan.prevent_overfill:
        return None
    return report.note(
        "The exchange prevents overfill by a quota of those who pass the screener, so that it bounds the cost, and a "
        "wave can stop letting people in before it has its completes.",
        evidence=f"prevent_overfill=true, filling_strategy={facts.plan.filling_strategy}",
        fix="compare prescreens with completes in wave.quotas() and the overview; raise the goal if too few complete.",
    )


@rule("locale-list", steps=["create"], section=_CREATE)
def locale_list(facts: WaveFacts, report: RuleReport) -> Finding | None:
    """The language is of the list that the exchange uses: ISO 639 has two codes for some languages."""
    language, _, country = facts.plan.locale.partition("_")
    if language not in limits.OTHER_LANGUAGE_CODES:
        return None
    return report.warn(
        "The locale has a language code of the other ISO list: the exchange's examples have the bibliographic one.",
        evidence=f"locale={facts.plan.locale}",
        fix=f"write {limits.OTHER_LANGUAGE_CODES[language]}_{country}; client.choices.locales() lists the codes.",
    )


@rule("name-length", steps=["create"], section=_CREATE)
def name_length(facts: WaveFacts, report: RuleReport) -> Finding | None:
    """A name has 5 to 128 characters."""
    name = facts.plan.name or facts.name
    low, high = limits.NAME_CHARACTERS
    if not name or low <= len(name) <= high:
        return None
    return report.block(
        f"A target group's name has {low} to {high} characters.",
        evidence=f"{len(name)} characters",
        fix=f"choose a name of {low} to {high} characters.",
    )


@rule("project-manager", steps=["create"], section=_CREATE)
def project_manager(facts: WaveFacts, report: RuleReport) -> Finding | None:
    """The project manager is given by UUID, not by name or e-mail address."""
    given = facts.plan.project_manager_id
    try:
        UUID(given)
    except ValueError:
        return report.block(
            "project_manager_id is not a UUID.",
            evidence=f"{len(given)} characters",
            fix="copy the user's ID, replacing the placeholder of the guide.",
        )
    return None


@rule("filling-strategy", section="API reference, filling strategy")
def filling_strategy(facts: WaveFacts, report: RuleReport) -> Finding | None:
    """Only completes count towards the goal."""
    strategy = facts.group_strategy or facts.plan.filling_strategy
    if strategy == "completes":
        return None
    return report.warn(
        "Respondents who pass screening would count toward the goal, not only completes.",
        evidence=f"filling_strategy={strategy or 'not set'}",
        fix='set filling_strategy to "completes".',
    )
