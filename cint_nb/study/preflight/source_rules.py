"""Rules about the earlier waves respondents come from, and about exclusions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from cint_nb.domain.findings import Finding
from cint_nb.domain.ids import EntityType, mask_ids_in
from cint_nb.study.preflight.registry import RuleReport, WaveFacts, duration_days, rule

_LAUNCH = "recontact guide, step 4"
_EXCLUSIONS = "API reference, exclusions"
_REPORTS = "API reference, reports"
_REPORT_MONTHS = 12
_RECONCILIATION_DAY = 25


@rule("activity-exclusions", section=_EXCLUSIONS)
def activity_exclusions(facts: WaveFacts, report: RuleReport) -> Iterator[Finding]:
    """Activity exclusions that cover the sources keep their people out for a time."""
    for entry in facts.activity_exclusions:
        covered = [
            source
            for source in facts.sources
            if entry.id in ({source.project_id} if entry.kind == "project" else {source.target_group_id})
        ]
        known = bool(covered) or (entry.kind == "project" and entry.id in facts.source_projects)
        period = duration_days(entry.duration)
        ends = [source.last_complete + period for source in covered if source.last_complete and period]
        last = max(ends) if ends and len(ends) == len(covered) else None
        if not known or (last and last <= facts.now):
            continue
        when = (
            f"the last of them become available on {last:%Y-%m-%d}"
            if last
            else "when all become available is not known"
        )
        yield report.warn(
            f"An activity exclusion keeps out respondents of a source {entry.kind}; {when}.",
            evidence=f"{entry.kind} {entry.id}, {entry.duration}",
            fix="remove the exclusion, or launch after that day.",
        )


@rule("industry-lockout", section=_EXCLUSIONS)
def industry_lockout(facts: WaveFacts, report: RuleReport) -> Finding | None:
    """An industry lockout turns away people who took part in a similar study, such as the first wave."""
    if (
        not facts.plan.is_recontact
        or not facts.industry_lockout
        or facts.industry_lockout.lower() in {"none", "not_applicable", "no_lockout"}
    ):
        return None
    return report.warn(
        "An industry lockout is set: people of an earlier wave may be turned away.",
        evidence=f"industry_lockout_code={facts.industry_lockout}",
        fix="remove it from the target group.",
    )


@rule("exclusion-groups", steps=["upload", "launch"], section=_EXCLUSIONS)
def exclusion_groups(facts: WaveFacts, report: RuleReport) -> Iterator[Finding]:
    """A wave and the wave before in one exclusion group: whoever took part is turned away, which is everybody."""
    if not facts.plan.is_recontact or not facts.exclusion_groups:
        return
    shared = [name for name in facts.exclusion_groups if name in facts.shared_exclusion_groups]
    other = [name for name in facts.exclusion_groups if name not in facts.shared_exclusion_groups]
    if shared:
        yield report.block(
            "The target group is in an exclusion group with a wave its people come from: they would be turned away.",
            evidence=_tags(facts, shared),
            fix="take this target group out of the exclusion group in the web interface before anybody enters.",
        )
    if other:
        yield report.warn(
            "The target group is in an exclusion group: whoever completes another of its target groups is turned away.",
            evidence=_tags(facts, other),
            fix="make sure that no wave these people took part in is in it; client.wave(…, sources=[…]) compares those "
            "it names.",
        )


def _tags(facts: WaveFacts, names: list[str]) -> str:
    tags = facts.exclusion_groups or {}
    return ", ".join(f"{mask_ids_in(tags.get(name) or 'no tag')} ({name})" for name in names)


@rule("asked-twice", steps=["upload", "launch"], section=_EXCLUSIONS)
def asked_twice(facts: WaveFacts, report: RuleReport) -> Iterator[Finding]:
    """People of the list who are in another open group of the project would be asked twice.

    Where it holds the same people as this group, no fewer and no more, it is most likely this wave itself, launched
    from elsewhere or renamed since: a second launch would spend the money again, so somebody has to vouch for it.
    """
    if facts.open_groups is None:
        if facts.was_asked and facts.plan.is_recontact:
            yield report.note("Whether other open groups of the project hold people of this list could not be seen.")
        return
    for group in facts.open_groups:
        if not group.shared:
            continue
        evidence = f"{group.shared:,} in {mask_ids_in(group.name or group.target_group_id)}"
        is_same = facts.step == "launch" and group.shared == group.saved == facts.saved_count
        if is_same and "asked twice" not in facts.unverified:
            yield report.block(
                "Another open target group of the project holds the same people: it may be this very wave.",
                evidence=evidence,
                fix="look whether that group is this wave: then work with it under its name, or complete it first. If "
                "all of them are to be asked twice, pass unverified=['asked twice'].",
            )
        else:
            yield report.warn(
                "People of this list are in another open target group of the project, and would be asked twice.",
                evidence=evidence,
                fix="take them off this list with respondents.difference(…), or complete that group first.",
            )
    unseen = [group for group in facts.open_groups if group.shared is None]
    if unseen:
        names = ", ".join(mask_ids_in(group.name or group.target_group_id) for group in unseen[:5])
        yield report.note(
            "Other open groups of the project were not compared with this list.",
            evidence=names + (f" and {len(unseen) - 5} more" if len(unseen) > 5 else ""),
        )


@rule("not-read", section=_LAUNCH)
def not_read(facts: WaveFacts, report: RuleReport) -> Iterator[Finding]:
    """What the exchange would not say is named: the rules about it have found nothing because they could not look."""
    for each in facts.unread:
        find = report.block if each.blocks else report.warn
        yield find(
            f"The exchange did not say: {each.what}.",
            evidence=each.reason,
            fix="run it again; if it recurs, check the account's permissions."
            if each.blocks
            else "check it in the web interface, or ask for the permission to read it.",
        )


@rule("excluded-ids", section=_EXCLUSIONS)
def excluded_ids(facts: WaveFacts, report: RuleReport) -> Finding | None:
    """Respondents on the list of effective exclusions are turned away."""
    people = facts.respondents
    if people is None or not facts.excluded_ids or people.entity_type is not EntityType.RSID:
        return None
    found = people.intersection(facts.excluded_ids)
    excluded = len(found)
    if not excluded:
        return None
    left = max(0, facts.eligible_count - excluded)
    # Whoever has withdrawn is excluded on purpose: nobody is advised to let them in again.
    others = excluded if facts.withdrawn is None else len(found.difference(facts.withdrawn.people))
    if not others:
        remove = ""
    elif others == excluded:
        remove = "remove the exclusions, or "
    else:
        remove = "remove the exclusions of those who have not withdrawn, or "
    other_way = (
        f"lower completes_goal to {left:,} or fewer."
        if left
        else "recontact other people: nobody on this list can enter."
    )
    evidence = f"{excluded:,} of {len(people):,} IDs are excluded"
    if facts.plan.completes_goal > left:
        return report.block(
            "Exclusions remove so many respondents that the goal cannot be reached.",
            evidence=f"{evidence}; completes_goal={facts.plan.completes_goal:,}",
            fix=f"{remove}{other_way}",
        )
    if not others:
        return None
    return report.warn(
        f"{others:,} respondents would be turned away by exclusions.",
        evidence=evidence,
        fix=f"{remove}omit these people with respondents.difference(…).",
    )


@rule("report-horizon", steps=["create"], section=_REPORTS)
def report_horizon(facts: WaveFacts, report: RuleReport) -> Finding | None:
    """Reports reach back 12 months; older RSIDs cannot be recovered."""
    first = min((source.first_complete for source in facts.sources if source.first_complete), default=None)
    if first is None:
        return None
    ends = _months_later(first, _REPORT_MONTHS)
    if ends <= facts.now:
        return report.warn(
            "A source is older than reports cover: its RSIDs can no longer be retrieved.",
            evidence=f"first complete {first:%Y-%m-%d}, reports reach back {_REPORT_MONTHS} months",
            fix="use the list you have, and archive lists when a wave closes.",
        )
    if ends <= facts.now + timedelta(days=31):
        return report.note(
            "Reports on a source will soon be unavailable.",
            evidence=f"available until {ends:%Y-%m-%d}",
            fix="archive its respondent analysis report now.",
        )
    return None


@rule("list-age", steps=["create", "upload"], section=_REPORTS)
def list_age(facts: WaveFacts, report: RuleReport) -> Finding | None:
    """Completes may be reversed until the 25th of the next month; an older list may include such people."""
    if facts.list_made_on is None or facts.last_complete is None:
        return None
    cut_off = reconciliation_date(facts.last_complete)
    if facts.list_made_on >= cut_off.date():
        return None
    if facts.now >= cut_off:
        return report.warn(
            "The list was created before reconciliation ended: it may include people whose completes were reversed.",
            evidence=f"list of {facts.list_made_on:%Y-%m-%d}, cut-off {cut_off:%Y-%m-%d}",
            fix="rebuild the list from a new report.",
        )
    return report.note(
        "Completes of the sources can still be reversed.",
        evidence=f"until {cut_off:%Y-%m-%d}",
        fix="rebuild the list after that day, or accept a few people who did not complete.",
    )


def reconciliation_date(moment: datetime) -> datetime:
    """Return the day from which completes of a moment's month are final: the 25th of the month after it."""
    moment = moment.astimezone(UTC)
    later = _months_later(moment.replace(day=1), 1)
    return later.replace(day=_RECONCILIATION_DAY, hour=0, minute=0, second=0, microsecond=0)


def _months_later(moment: datetime, months: int) -> datetime:
    index = moment.month - 1 + months
    year, month = moment.year + index // 12, index % 12 + 1
    for day in range(moment.day, 27, -1):
        try:
            return moment.replace(year=year, month=month, day=day)
        except ValueError:
            continue
    return moment.replace(year=year, month=month, day=min(moment.day, 28))
