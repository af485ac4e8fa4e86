"""Rules about what the exchange lets a plan choose from, and about profiles as its own validator sees them.

A choice that could not be asked is named: that no rule objects to it means nothing then.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator

from cint_nb.domain.findings import Finding
from cint_nb.domain.ids import quote_foreign
from cint_nb.study.preflight.registry import RuleReport, WaveFacts, rule

_DEFINITIONS = "API reference, definitions"
_PROFILES = "API reference, profiles"
_SHOWN = 5


@rule("unknown-choice", steps=["create"], section=_DEFINITIONS)
def unknown_choice(facts: WaveFacts, report: RuleReport) -> Iterator[Finding]:
    """Business unit, project manager, locale, industry and study type exist at the exchange."""
    known, plan = facts.choices, facts.plan
    if known is None:
        return
    if known.business_units is not None and plan.business_unit_id not in known.business_units:
        units = [f"{number} ({quote_foreign(name, 40)})" for number, (name, _) in known.business_units.items()]
        yield report.block(
            "The account has no such business unit.",
            evidence=f"business_unit_id={plan.business_unit_id}; it has {_some(units)}",
            fix="choose one of client.choices.business_units().",
        )
    yield from _manager_findings(facts, report)
    for field, given, codes in (
        ("locale", plan.locale, known.locales),
        ("industry_code", plan.industry_code, known.industries),
        ("study_type_code", plan.study_type_code, known.study_types),
    ):
        if codes is not None and given not in codes:
            close = difflib.get_close_matches(given, codes, n=3, cutoff=0.5)
            listing = {"locale": "locales", "industry_code": "industries", "study_type_code": "study_types"}[field]
            yield report.block(
                f"The exchange has no such {field}.",
                evidence=f"{field}={quote_foreign(given, 60)}"
                + (f"; close to it: {', '.join(close)}" if close else ""),
                fix=f"choose one of client.choices.{listing}().",
            )


def _manager_findings(facts: WaveFacts, report: RuleReport) -> Iterator[Finding]:
    known, given = facts.choices, facts.plan.project_manager_id.strip().lower()
    if known is None or known.project_managers is None or given in known.project_managers:
        return
    if given in (known.other_users or {}):
        name = quote_foreign((known.other_users or {}).get(given), 60)
        yield report.warn(
            "The project manager is a user of the account, but not listed among its project managers.",
            evidence=f"{name or 'a user without a name'}",
            fix="choose one of client.choices.project_managers().",
        )
        return
    names = [quote_foreign(name, 40) for name in known.project_managers.values() if name]
    yield report.block(
        "The account has no such project manager.",
        evidence=f"project_manager_id does not belong to {_some(names)}",
        fix="choose one of client.choices.project_managers().",
    )


@rule("pricing-model", steps=["create"], section=_DEFINITIONS)
def pricing_model(facts: WaveFacts, report: RuleReport) -> Finding | None:
    """The business unit has the plan's pricing model."""
    units = facts.choices.business_units if facts.choices else None
    _, models = (units or {}).get(facts.plan.business_unit_id, (None, None))
    if models is None or facts.plan.pricing_model in models:
        return None
    return report.block(
        "The business unit does not have the plan's pricing model.",
        evidence=f"pricing_model={facts.plan.pricing_model}; it has {', '.join(models) or 'none'}",
        fix=f"pass pricing_model={next(iter(models), 'dynamic')!r}.",
    )


@rule("not-asked", steps=["create"], section=_DEFINITIONS)
def not_asked(facts: WaveFacts, report: RuleReport) -> Iterator[Finding]:
    """A choice that the exchange could not be asked about is not known to be right."""
    known = facts.choices
    if known is None:
        return
    for words, listed in (
        ("business unit", known.business_units),
        ("project manager", known.project_managers),
        ("locale", known.locales),
        ("industry", known.industries),
        ("study type", known.study_types),
    ):
        if listed is None:
            yield report.warn(
                f"It was not asked whether the {words} exists: the exchange did not list them.",
                fix="run it again in a moment; if it recurs, check it in the exchange's web interface.",
            )
    if facts.profiles is not None and facts.profiles.problems is None and facts.profiles.names is None:
        yield report.warn(
            "The profiles were not validated: the exchange could not be asked.",
            evidence=facts.profiles.reason,
            fix="run it again in a moment; the draft is refused if they are wrong.",
        )


@rule("profiles", steps=["create"], section=_PROFILES)
def profiles(facts: WaveFacts, report: RuleReport) -> Iterator[Finding]:
    """The names of profiles are known to the exchange, and its own validator accepts them."""
    known = facts.profiles
    if known is None:
        return
    if known.names is not None:
        problem, fix = known.names
        yield report.block(problem, fix=fix)
    for each in known.problems or ():
        find = report.warn if each.is_warning else report.block
        yield find(
            f"The exchange's validator says about the profiles: {each}.",
            evidence=quote_foreign(each.reason, 120) or None,
            fix="keep it if that is meant." if each.is_warning else "correct the profiles.",
        )


def _some(names: Collection[str]) -> str:
    shown = list(names)[:_SHOWN]
    more = len(names) - len(shown)
    return (", ".join(shown) or "nobody") + (f" and {more} more" if more > 0 else "")
