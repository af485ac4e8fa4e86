"""Rules about the draft on the exchange: what is launched must be what the plan says, and must have been seen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cint_nb.domain.findings import Finding
from cint_nb.study.preflight.draft_witnesses import (
    UNWITNESSED,
    Bearing,
    FieldComparison,
    compare_draft,
    get_field,
    normalised,
    shows_template,
)
from cint_nb.study.preflight.registry import NOT_CREATED, RuleFunction, RuleReport, WaveFacts, rule

_CREATE = "create guide, request body"
_MEANINGS: dict[Bearing, str] = {
    "cost": "The draft can cost something else than the plan",
    "audience": "The draft addresses other people than the plan",
    "survey": "The draft sends respondents to a different survey than the plan",
    "time": "The draft runs at another time than the plan",
}


def _comparisons(facts: WaveFacts) -> list[FieldComparison]:
    return _compare(facts) if facts.draft is not None or facts.fallback_reads else []


def _compare(facts: WaveFacts) -> list[FieldComparison]:
    return compare_draft(
        facts.plan,
        facts.draft,
        fallbacks=facts.fallback_reads,
        allocations=facts.allocations,
        unrecorded=frozenset(facts.unrecorded_fields),
    )


def _differing_fields_rule(bearing: Bearing) -> RuleFunction:
    def differing_fields(facts: WaveFacts, report: RuleReport) -> Finding | None:
        unlike = [each for each in _comparisons(facts) if each.witness.bears_on == bearing and not each.agrees]
        differing = [each for each in unlike if each.was_read]
        if not differing:
            return None
        return report.block(
            f"{_MEANINGS[bearing]}.",
            evidence="; ".join(_describe(each) for each in differing),
            fix=_update([each.witness.field for each in unlike]),  # one may have pushed out another
        )

    differing_fields.__doc__ = f"Every field of the draft that bears on {bearing} is the plan's."
    return rule(f"draft-{bearing}", steps=["launch"], section=_CREATE)(differing_fields)


for _bearing in _MEANINGS:
    _differing_fields_rule(_bearing)


@rule("draft-dates", steps=["launch"], section=_CREATE)
def draft_dates(facts: WaveFacts, report: RuleReport) -> Finding | None:
    """Dates that somebody moved in the draft are named: the launch sends the plan's."""
    written = facts.last_written
    if written is None:
        return None
    moved = [
        each
        for each in _comparisons(facts)
        if each.witness.bears_on == "superseded"
        and each.was_read
        and not each.agrees
        and each.found != normalised(each.witness, get_field(written, each.witness.field))
    ]
    if not moved:
        return None
    return report.warn(
        "The dates of the draft were changed on the exchange; the launch starts now and ends when the plan says.",
        evidence="; ".join(_describe(each) for each in moved),
        fix="if the other dates are right, change the plan's.",
    )


@rule("draft-labels", steps=["launch"], section=_CREATE)
def draft_labels(facts: WaveFacts, report: RuleReport) -> Finding | None:
    """Fields that change nothing about the fieldwork match the plan too."""
    differing = [
        each.witness.field
        for each in _comparisons(facts)
        if each.witness.bears_on == "label" and each.was_read and not each.agrees
    ]
    if not differing:
        return None
    return report.warn("The draft does not match the plan.", evidence=", ".join(differing), fix=_update(differing))


@rule("draft-not-read", steps=["launch"], section=_CREATE)
def draft_not_read(facts: WaveFacts, report: RuleReport) -> Iterator[Finding]:
    """Every field of the draft that matters was read back: what nobody has seen is not launched."""
    if not facts.was_asked or facts.target_group_state == NOT_CREATED:
        return
    unread = [
        each.witness.field for each in _compare(facts) if not each.was_read and each.witness.bears_on in _MEANINGS
    ]
    opened = [field for field in unread if field in facts.unverified]
    closed = [field for field in unread if field not in facts.unverified]
    if closed:
        yield report.block(
            "The draft could not be read back, so it is not known what would be launched.",
            evidence=", ".join(closed) if facts.draft is not None else "no field of the draft was shown",
            fix="run it again in a moment; if the exchange never shows these fields, check them in its web interface "
            f"and name them: unverified={closed!r}.",
        )
    if opened:
        yield report.note("Launched without having been read back, as you asked.", evidence=", ".join(opened))


@rule("draft-not-shown", steps=["launch"], section=_CREATE)
def draft_not_shown(facts: WaveFacts, report: RuleReport) -> Iterator[Finding]:
    """What no documented read shows counts as it was last written from here; otherwise it must be named."""
    if not facts.was_asked or facts.target_group_state == NOT_CREATED:
        return
    hidden = [each for each in UNWITNESSED if each.name != "template" or not shows_template(facts.plan)]
    if not hidden:
        return
    if facts.draft_written_at is not None:
        yield report.note(
            f"The exchange does not show {' or '.join(each.meaning for each in hidden)}; "
            f"they count as last written from here, on {facts.draft_written_at:%Y-%m-%d %H:%M} UTC."
        )
        return
    closed = [each for each in hidden if each.name not in facts.unverified]
    if closed:
        yield report.block(
            f"The exchange does not show {' or '.join(each.meaning for each in closed)}, "
            "and this journal does not know that they were written as planned.",
            evidence=", ".join(each.name for each in closed),
            fix="write the draft again with wave.update(wave.plan), "
            f"or check it in the web interface and pass unverified={[each.name for each in closed]!r}.",
        )


@rule("overfill", steps=["create", "launch"], section=_CREATE)
def overfill(facts: WaveFacts, report: RuleReport) -> Finding | None:
    """Completes stop at the goal."""
    if facts.plan.prevent_overfill:
        return None
    bound = "the budget must cover every ID of the list" if facts.plan.is_recontact else "the goal bounds no cost"
    return report.warn(
        "Overfill is allowed: completes may exceed the goal, and each one costs money.",
        evidence=f"prevent_overfill=false; {bound}",
        fix="set prevent_overfill to True.",
    )


def _update(fields: list[str]) -> str:
    """Return what brings draft and plan in line; without `overwrite` an update keeps what a colleague changed."""
    return (
        f"write the plan's values with wave.update(wave.plan, overwrite={fields!r}), "
        "or take those of the exchange with wave.plan_from_exchange()."
    )


def _describe(comparison: FieldComparison) -> str:
    """Name a field with both values; of a URL only that it differs, since it may carry a key."""
    field = comparison.witness.field.removeprefix("fielding_assistant_assignment.")
    if field.endswith("_url"):
        return field
    return f"{field}: draft={_format(comparison.found)}, plan={_format(comparison.planned)}"


def _format(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, tuple):
        return f"{value[0]:,f} {value[1]}"
    if isinstance(value, frozenset):  # profiles
        return f"{len(value)} profile{'s' if len(value) != 1 else ''}"
    text = format(value, "f") if hasattr(value, "as_tuple") else str(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
