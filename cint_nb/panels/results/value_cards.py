"""Respondents, outcomes, job snapshots and plans as cards."""

from __future__ import annotations

from cint_nb.domain import limits
from cint_nb.domain.jobs import JobSnapshot
from cint_nb.domain.plan import TargetGroupPlan
from cint_nb.panels.job_progress.model import describe, job_title
from cint_nb.panels.look.card import Bar, Block, Card, Dots, Facts, Note, Say, Shares, percent
from cint_nb.panels.look.text_format import format_count, format_moment, show_money
from cint_nb.study.files.respondents import Respondents
from cint_nb.study.outcome.upload_outcome import LineOutcome, Outcome
from cint_nb.wave.budget import worst_case_cost

_OUTCOME_COLOURS = {
    LineOutcome.SAVED: "good",
    LineOutcome.ALREADY_SAVED: "good",
    LineOutcome.REJECTED: "bad",
    LineOutcome.UNKNOWN: "warn",
    LineOutcome.MALFORMED: "warn",
}
_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "pipes"}
_ENCODINGS = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8", "cp1252": "Windows-1252"}


def _warning_notes(warnings: tuple[str, ...]) -> list[Block]:
    return [Note("warn", "▲", text) for text in warnings]


def respondents_card(people: Respondents, mode: str | None) -> Card:
    """Return a card of respondents: how many can be sent, where they come from, and whether they fit."""
    counts, info = people.counts, people.source_info
    left_out = counts.lines - counts.usable
    about = [f"column {info.column}" if info.column else "", f"sheet {info.sheet}" if info.sheet else ""]
    about += [_ENCODINGS.get(info.encoding, info.encoding) if info.encoding else ""]
    about += [_SEPARATORS.get(info.separator, f"separator {info.separator}") if info.separator else ""]
    lines = f"· {format_count(counts.lines, 'line')}" + (f", {left_out:,} left out" if left_out else "")
    problems = people.upload_problems
    fits = f"one target group: {limits.IDS_PER_TARGET_GROUP:,} allowed" if not problems else problems[0].what
    rows = [
        ("from", ", ".join(bit for bit in (people.source_name or "a list", *about) if bit), lines),
        ("fits", fits, f"Fix: {problems[0].fix}" if problems else ""),
        ("ids", "masked; whole only in `respondents.ids` and in files you name", ""),
    ]
    who = format_count(len(people), *(("person", "people") if str(people.entity_type) == "RSID" else ("visit",)))
    blocks: list[Block] = [
        Say(who, f"{people.entity_type}, one line each", big=True),
        Facts(rows),
        *_warning_notes(people.warnings),
        Say(soft="every line with its verdict: `respondents.lines()`", tiny=True),
    ]
    return Card("Respondents", blocks, mode)


def outcome_card(outcome: Outcome, mode: str | None) -> Card:
    """Return a card of an outcome: what became of every line, and how many of the ids sent were saved."""
    frame = outcome.summary()
    rows = frame[frame["outcome"] != "warning"].to_dict("records")
    counts = outcome.counts
    total = outcome.respondents.counts.lines
    sent = len(outcome.respondents)
    saved = counts["saved"] + counts["already_saved"]
    shown = [
        (
            _OUTCOME_COLOURS.get(LineOutcome(row["outcome"]), "calm"),
            str(row["outcome"]).replace("_", " "),
            int(row["lines"]),
            int(row["lines"]) / max(total, 1),
            str(row["meaning"]),
        )
        for row in rows
        if row["lines"]
    ]
    of_sent = f"{percent(saved / sent)} of the {sent:,} ids sent are saved. " if sent else ""
    blocks: list[Block] = [
        Shares(("Outcome", "Lines", "Share", "Meaning"), shown, (total, "every line is counted once")),
        *_warning_notes(outcome.warnings),
        Say(soft=f"{of_sent}`wave.outcome.frame()` · `wave.outcome.rejected`", tiny=True),
    ]
    return Card(f"What became of the {format_count(total, 'line')}", blocks, mode)


def snapshot_card(snapshot: JobSnapshot, mode: str | None) -> Card:
    """Return a card of one poll of a job."""
    text = describe(snapshot)
    blocks: list[Block] = [
        Say(text.detail, state=(text.css, text.icon, text.word)),
        Bar(text.css, text.low, text.high, text.bar),
        Dots([text.bar, *text.facts]),
    ]
    if text.exchange_message:
        blocks.append(Note("bad" if text.css == "bad" else "calm", "❝", f"The exchange says: {text.exchange_message}"))
    if text.advice:
        blocks.append(Say(f"{text.advice} `{text.code}`" if text.code else text.advice))
    blocks += _warning_notes(text.warnings)
    if not snapshot.is_final:
        blocks.append(Say(soft="A picture of one moment; `job.wait()` follows it.", tiny=True))
    return Card(job_title(snapshot.handle, snapshot.id_count), blocks, mode)


def plan_card(plan: TargetGroupPlan, mode: str | None) -> Card:
    """Return a card of a plan: what is wanted, what it may cost, and when."""
    worst = worst_case_cost(plan)
    days = (plan.end_at - plan.start_at).total_seconds() / 86_400
    price, cap = plan.cost_per_interview, plan.price_cap
    each = f"{show_money(price.value, price.currency_code, exact=True)} each" if price else "by the rate card"
    most = f"at most {show_money(cap.value, cap.currency_code, exact=True)}" if cap and cap != price else ""
    profiles = "everybody of the list" if plan.is_recontact else "everybody of the locale"
    if plan.profiling:
        profiles = format_count(len(plan.profiling), "profile") if isinstance(plan.profiling, tuple) else "as given"
    field = f"{format_moment(plan.start_at)} – {format_moment(plan.end_at)} UTC"
    rows = [
        ("locale", plan.locale, ""),
        (
            "completes",
            f"{plan.completes_goal:,}",
            "" if plan.prevent_overfill else "overfill is allowed",
        ),
        ("price", each, most),
        ("worst case", show_money(worst.value, worst.currency_code) if worst else "not bounded by the plan", ""),
        ("field", field, format_count(round(days), "day") if days >= 1 else ""),
        ("interview", f"{plan.expected_length_of_interview_minutes} min", ""),
        ("incidence", f"{plan.expected_incidence_rate:.2f}", "expected"),
        ("live url", plan.live_url, ""),
        ("who", profiles, ""),
        ("excludes", "who completed another group of the project" if plan.exclusion_enabled else "nobody", ""),
    ]
    usual = sum(getattr(plan, name) == field.default for name, field in TargetGroupPlan.model_fields.items())
    blocks: list[Block] = [
        Facts(rows, columns=2),
        Say(soft=f"{format_count(usual, 'field')} as usual; printed, the plan shows all.", tiny=True),
    ]
    return Card(f"Target group plan, {plan.kind}", blocks, mode)
