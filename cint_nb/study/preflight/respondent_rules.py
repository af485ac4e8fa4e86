"""Rules about the respondent list and the target group that holds it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cint_nb.domain import limits
from cint_nb.domain.files import UploadProblem
from cint_nb.domain.findings import Finding
from cint_nb.domain.ids import EntityType, mask_ids_in
from cint_nb.study.files.id_array import is_in
from cint_nb.study.preflight.registry import NOT_CREATED, RuleReport, WaveFacts, WithdrawnFact, rule

_GOAL = "recontact guide, step 1"
_UPLOAD = "recontact guide, step 2"
_JOB_STATUS = "recontact guide, step 3"
_LAUNCH = "recontact guide, step 4"
_HIGH_RATE = 0.8  # above what motivated panels reach from wave to wave


@rule("respondents", section=_UPLOAD)
def respondents(facts: WaveFacts, report: RuleReport) -> Finding | None:
    """A recontact has its list: without one it could reach nobody, or people nobody meant."""
    if not facts.plan.is_recontact or facts.has_list is not False:
        return None
    return report.block(
        "The plan recontacts people, and the wave was given no list of them.",
        evidence="respondents=None",
        fix="pass respondents=cint.read_respondents(…), or picker.value once the file picker is ready; for new people "
        "use TargetGroupPlan.fresh.",
    )


@rule("goal", section=_GOAL)
def goal(facts: WaveFacts, report: RuleReport) -> Finding | None:
    """The goal does not exceed the number of ids; before launch only saved ones count."""
    wanted = facts.plan.completes_goal
    if not facts.plan.is_recontact:
        return None
    if facts.step == "launch":
        if not facts.saved_count or wanted <= facts.saved_count:  # that none is saved has a rule of its own
            return None
        return report.block(
            "The goal exceeds the respondents saved in the target group.",
            evidence=f"completes_goal={wanted:,}, saved={facts.saved_count:,}",
            fix=f"wave.lower_goal() lowers the goal to {facts.saved_count:,}; or upload more respondents.",
        )
    if facts.respondents is None or wanted <= facts.eligible_count:
        return None
    return report.block(
        "The goal exceeds the number of respondents.",
        evidence=f"completes_goal={wanted:,}, ids={facts.eligible_count:,}",
        fix=f"lower completes_goal to {facts.eligible_count:,} or fewer, or add respondents.",
    )


@rule("goal-rate", section=_GOAL)
def goal_rate(facts: WaveFacts, report: RuleReport) -> Finding | None:
    """A goal close to the number of ids is rarely reached."""
    if (
        not facts.plan.is_recontact
        or not facts.eligible_count
        or not _HIGH_RATE < facts.plan.completes_goal / facts.eligible_count <= 1
    ):
        return None
    share = facts.plan.completes_goal / facts.eligible_count
    return report.warn(
        f"{share:.0%} of the respondents would have to complete; few panels reach that return rate.",
        evidence=f"completes_goal={facts.plan.completes_goal:,}, ids={facts.eligible_count:,}",
        fix="lower the goal or add respondents; forecast from your own earlier waves.",
    )


@rule("no-ids", steps=["create", "upload"], section=_UPLOAD)
def no_ids(facts: WaveFacts, report: RuleReport) -> Finding | None:
    """The source contains someone to contact."""
    if facts.respondents is None or not _problem(facts, "no-ids"):
        return None
    return report.block(
        "The source contains no usable respondent ID.",
        evidence=f"{facts.respondents.counts.lines:,} lines, {facts.respondents.counts.malformed:,} malformed",
        fix="check respondents.summary() and respondents.lines() to see why.",
    )


@rule("nothing-saved", steps=["launch"], section=_LAUNCH)
def nothing_saved(facts: WaveFacts, report: RuleReport) -> Finding | None:
    """The launch of a recontact needs respondents in the target group."""
    if not facts.plan.is_recontact or facts.saved_count is None or facts.saved_count:
        return None
    return report.block(
        "The target group contains no respondents, so nobody can take part.",
        evidence="saved=0",
        fix="upload the respondents first: wave.upload().",
    )


@rule("people-of-the-list", steps=["launch"], section=_LAUNCH)
def people_of_the_list(facts: WaveFacts, report: RuleReport) -> Finding | None:
    """Everybody in the target group is on the list of the wave: nobody who withdrew, nobody else's people."""
    people = facts.people
    if people is None or people.strangers == 0 or "people" in facts.unverified:
        return None
    if people.strangers:
        return report.block(
            "The target group contains respondents who are not on this list: people who withdrew, or somebody else's.",
            evidence=f"{people.strangers:,} of {people.saved:,} saved",
            fix="run wave.remove() and wave.upload() to have exactly this list in the group, or use the list that was "
            "uploaded.",
        )
    return report.block(
        "Whether everybody in the target group is on this list could not be settled.",
        evidence=f"saved={people.saved:,}, uploads that do not name this list={people.unexplained_jobs:,}"
        + (f", {people.reason}" if people.reason and people.reason != "rids" else ""),
        fix="give the wave a RID-to-RSID crosswalk, or check them yourself and pass unverified=['people']."
        if people.reason == "rids"
        else "run it again; or run wave.remove() and wave.upload() to have exactly this list in the group.",
    )


@rule("withdrawn", section=_UPLOAD)
def withdrawn(facts: WaveFacts, report: RuleReport) -> Finding | None:
    """Nobody who has withdrawn from the study is on a list to upload, or may enter a group that is launched."""
    found, people = facts.withdrawn, facts.respondents
    if found is None or people is None:
        return None
    if found.uncompared:
        find = report.warn if found.is_uploaded or facts.step == "launch" else report.block
        return find(
            f"{found.uncompared:,} people have withdrawn from this project; whether they are on this list of RIDs "
            "is not known.",
            evidence=people.source_name,
            fix="give the wave a RID-to-RSID crosswalk: client.wave(…, crosswalk=report.crosswalk()).",
        )
    if facts.step == "launch":
        return _not_kept_out(facts, found, report)
    if not len(found.people) or found.is_uploaded:
        return None
    return report.block(
        f"{len(found.people):,} of the {len(people):,} people of this list have withdrawn.",
        evidence=people.source_name,
        fix="leave them out and open the wave with the list that remains: respondents.difference(wave.withdrawn).",
    )


@rule("excluded-elsewhere", steps=["upload", "launch"], section=_UPLOAD)
def excluded_elsewhere(facts: WaveFacts, report: RuleReport) -> Iterator[Finding]:
    """Who is excluded by file from another wave of the study may have withdrawn there, on another machine."""
    found = facts.excluded_elsewhere
    if found is None:
        return
    waiting = found.people if facts.step == "upload" else found.people.difference(facts.excluded_ids)
    if len(waiting):
        yield report.block(
            f"{len(waiting):,} people of this list are excluded from another target group of the study, and may have "
            "withdrawn there.",
            evidence=_some_names(found.groups),
            fix="run wave.find_withdrawals(), which counts them as withdrawn here too, and leave them out; for those "
            "who have not withdrawn run wave.undo_withdrawal(people).",
        )
    if found.unseen:
        yield report.note(
            "Whether people of this list have withdrawn from other target groups of the study could not be seen.",
            evidence=_some_names(found.unseen),
        )


def _some_names(names: Sequence[str]) -> str:
    shown = ", ".join(mask_ids_in(name) for name in names[:5])
    return shown + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _not_kept_out(facts: WaveFacts, found: WithdrawnFact, report: RuleReport) -> Finding | None:
    """Return what is so before a launch, once the exclusions of the group were asked for."""
    if not facts.was_asked or not len(found.rsids):
        return None
    left = len(found.rsids.difference(facts.excluded_ids))
    if not left:
        return report.note(
            f"{len(found.rsids):,} people of this list have withdrawn; the target group excludes them.",
            evidence=f"saved={facts.saved_count:,}" if facts.saved_count is not None else None,
        )
    return report.block(
        f"{left:,} people of this list have withdrawn, and the target group is not seen to exclude them.",
        evidence=f"{len(found.rsids):,} withdrawn, {len(found.rsids) - left:,} excluded",
        fix="run wave.withdraw(wave.withdrawn): it excludes them on this target group.",
    )


@rule("partly-saved", steps=["launch"], section=_JOB_STATUS)
def partly_saved(facts: WaveFacts, report: RuleReport) -> Finding | None:
    """Some respondents of the list are not in the target group."""
    if facts.respondents is None or facts.saved_count is None or not 0 < facts.saved_count < len(facts.respondents):
        return None
    missing = len(facts.respondents) - facts.saved_count
    return report.warn(
        f"{missing:,} of the respondents are not saved in the target group.",
        evidence=f"saved={facts.saved_count:,}, ids={len(facts.respondents):,}",
        fix="check the outcome and resubmit only the rejected IDs.",
    )


@rule("capacity", steps=["create", "upload"], section=_UPLOAD)
def capacity(facts: WaveFacts, report: RuleReport) -> Finding | None:
    """Existing and new ids together are 100,000 at most."""
    people, most = facts.respondents, limits.IDS_PER_TARGET_GROUP
    if people is None or facts.eligible_count <= most:
        return None
    saved = facts.saved_count or 0
    left = max(0, most - saved)
    evidence = f"new={len(people):,}, saved={saved:,}, room left={left:,}"
    if len(people) <= most and saved and facts.already_saved_count is None:
        return report.warn(
            f"The target group may exceed {most:,} IDs.",
            evidence=f"{evidence}; how many of the new IDs it contains already is not known",
            fix="compare with its list of saved IDs before uploading.",
        )
    return report.block(
        f"The target group would contain {facts.eligible_count:,} IDs; the limit is {most:,}.",
        evidence=evidence,
        fix=f"upload {left:,} or fewer, or use another target group for the rest."
        if saved
        else "use respondents.split(100_000) and one target group for each part.",
    )


@rule("file-size", steps=["upload"], section=_UPLOAD)
def file_size(facts: WaveFacts, report: RuleReport) -> Finding | None:
    """The file that is uploaded is smaller than 5 MB."""
    problem = _problem(facts, "file-size")
    if problem is None:
        return None
    return report.block(problem.what, evidence=f"{problem.evidence['bytes']:,} bytes", fix=problem.fix)


@rule("hidden-lines", steps=["create", "upload"], section=_UPLOAD)
def hidden_lines(facts: WaveFacts, report: RuleReport) -> Finding | None:
    """What is hidden in the source is neither sent nor left out before the analyst says so."""
    problem = _problem(facts, "hidden")
    if problem is None:
        return None
    return report.block(problem.what, evidence=f"{problem.evidence['hidden']:,} lines", fix=problem.fix)


@rule("mixed-kinds", steps=["create", "upload"], section=_UPLOAD)
def mixed_kinds(facts: WaveFacts, report: RuleReport) -> Iterator[Finding]:
    """A list holds ids of one kind, as far as its source, a crosswalk and other waves show."""
    people = facts.respondents
    if people is None:
        return
    if (problem := _problem(facts, "mixed-kinds")) is not None:
        yield report.block(problem.what, evidence=people.source_name, fix=problem.fix)
    known: list[tuple[str, int]] = []
    if facts.crosswalk is not None:
        pairs = facts.crosswalk.keys() if people.entity_type is EntityType.RSID else facts.crosswalk.values()
        known.append(("the crosswalk", len(frozenset(pairs).intersection(people.ids))))
    others = [wave for wave in facts.earlier_waves if wave.entity_type is not people.entity_type]
    known += [("the list of another wave", int(is_in(people.id_array, wave.id_array).sum())) for wave in others]
    other = "RIDs (one per visit)" if people.entity_type is EntityType.RSID else "RSIDs (one per person)"
    for where, number in known:
        if number:
            yield report.block(
                f"{number:,} of the {len(people):,} IDs are {other} according to {where}; an ID is never both.",
                evidence=people.source_name,
                fix="keep one kind in the source and read it again with its entity_type.",
            )


def _problem(facts: WaveFacts, name: str) -> UploadProblem | None:
    """Return what the judge of uploads says about the list."""
    problems = () if facts.respondents is None else facts.respondents.upload_problems
    return next((each for each in problems if each.rule == name), None)


@rule("lines-left-out", steps=["create", "upload"], section=_UPLOAD)
def lines_left_out(facts: WaveFacts, report: RuleReport) -> Iterator[Finding]:
    """Lines that are not ids are not sent; the analyst should know."""
    if facts.respondents is None:
        return
    counts = facts.respondents.counts
    if counts.malformed:
        yield report.warn(
            f"{counts.malformed:,} malformed lines will be skipped.",
            evidence=f"{counts.malformed:,} of {counts.lines:,} lines",
            fix="check respondents.summary(); correct the source if these lines are respondents.",
        )
    others = [(getattr(counts, name), name) for name in ("duplicate", "blank", "header", "hidden")]
    if any(number for number, _ in others):
        skipped = ", ".join(f"{number:,} {name}" for number, name in others if number)
        yield report.note("Other lines are skipped as well.", evidence=skipped)
    if not facts.respondents.source_info.hidden_undecided:
        for sentence in facts.respondents.source_info.notes:
            yield report.warn(
                sentence,
                evidence=facts.respondents.source_name,
                fix="check respondents.lines(); keep if this is right.",
            )


@rule("entity-type", steps=["create", "upload"], section=_UPLOAD)
def entity_type(facts: WaveFacts, report: RuleReport) -> Iterator[Finding]:
    """What is known about the ids does not contradict their stated type."""
    people = facts.respondents
    if people is None:
        return
    other = "RID" if people.entity_type is EntityType.RSID else "RSID"
    for warning in people.kind_warnings:
        yield report.warn(
            warning, evidence=people.source_name, fix=f'read them again with entity_type="{other}", or keep.'
        )
    if people.entity_type is EntityType.RID:
        common = sum(
            len(people.intersection(wave)) for wave in facts.earlier_waves if wave.entity_type is EntityType.RID
        )
        if common:
            yield report.warn(
                "IDs read as RIDs recur across waves; visits never do, people do.",
                evidence=f"{common:,} IDs in common with other waves",
                fix='read them again with entity_type="RSID".',
            )
        yield report.note(
            "The exchange maps RIDs to RSIDs and lists only those.",
            evidence=f"{len(people):,} RIDs",
            fix="keep a crosswalk of RIDs and RSIDs to know the outcome of each line.",
        )


@rule("job-running", steps=["upload", "launch"], section=_UPLOAD)
def job_running(facts: WaveFacts, report: RuleReport) -> Finding | None:
    """One job at a time runs on a target group."""
    if not facts.running_job:
        return None
    return report.block(
        "Another job is running on this target group.",
        evidence=f"job_id={facts.running_job}",
        fix="wait for it to finish, or attach to it.",
    )


@rule("group-state", section=_LAUNCH)
def group_state(facts: WaveFacts, report: RuleReport) -> Finding | None:
    """A launch starts from a draft; a finished group accepts nobody."""
    if facts.target_group_state is None:
        return None
    if facts.target_group_state == NOT_CREATED:
        return report.block("The wave has no target group yet.", fix="run wave.create() first.")
    state = mask_ids_in(facts.target_group_state.lower())  # shown as the exchange wrote it
    if facts.step == "launch" and state != "draft":
        return report.block(
            "Only a draft can be launched.", evidence=f"state={state}", fix="resume or relaunch the group instead."
        )
    if facts.step == "upload" and state in {"completed", "archived"}:
        return report.warn(
            "The target group is completed; respondents added now cannot take part.",
            evidence=f"state={state}",
            fix="create a new wave, or relaunch the group.",
        )
    return None
