"""The rule registry of preflight, and the facts that rules look at."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import wraps
from typing import Any, Literal, TypeAlias
from urllib.parse import SplitResult, urlsplit

from cint_nb.domain.findings import Finding, Severity
from cint_nb.domain.plan import TargetGroupPlan
from cint_nb.domain.profiling.quotas import ProfileProblem
from cint_nb.study.files.respondents import Respondents
from cint_nb.study.preflight.draft_witnesses import Read

Step: TypeAlias = Literal["create", "upload", "launch"]
STEPS: tuple[Step, ...] = ("create", "upload", "launch")
NOT_CREATED = "not created"
"""The state of a target group that was searched for on the exchange and does not exist."""


@dataclass(frozen=True, slots=True)
class ActivityExclusionFact:
    """One entry of a group's respondent-activity exclusions.

    Args:
        kind: `project` or `target-group`.
        id: The project or target group whose people are kept out.
        duration: How long after a complete, as an ISO 8601 period of days, weeks, months or years; 90 days by default.
    """

    kind: str
    id: str
    duration: str = "P90D"


@dataclass(frozen=True, slots=True)
class SourceTargetGroup:
    """One target group of an earlier wave whose respondents are recontacted.

    Args:
        project_id: Its project.
        target_group_id: Its id; None when only the project is known.
        first_complete: Time of its first complete, UTC.
        last_complete: Time of its last complete, UTC.
    """

    project_id: str
    target_group_id: str | None = None
    first_complete: datetime | None = None
    last_complete: datetime | None = None


@dataclass(frozen=True, slots=True)
class PeopleFact:
    """Who is in the target group, compared with the list of the wave.

    Args:
        saved: Number of ids saved.
        strangers: How many of them are not on the list; None if that could not be settled.
        unexplained_jobs: Upload jobs whose file names are not those of this list.
        reason: Why it could not be settled.
    """

    saved: int
    strangers: int | None
    unexplained_jobs: int = 0
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class OpenGroupFact:
    """Another target group of the project that is in the field, compared with the list.

    Args:
        target_group_id: Its id.
        name: Its name.
        saved: How many people are in it; None if that was not read.
        shared: How many of them are on the list too; None if that was not compared.
    """

    target_group_id: str
    name: str | None
    saved: int | None
    shared: int | None


@dataclass(frozen=True, slots=True)
class ChoicesFact:
    """What the exchange lets a plan choose from. What is None could not be asked.

    Args:
        business_units: Name and pricing models by number; models are None where they are not shown.
        project_managers: Name by UUID, in lower case.
        other_users: Name by UUID of the account's other users; read only where the manager is not among the former.
        locales: Codes.
        industries: Codes.
        study_types: Codes.
    """

    business_units: Mapping[int, tuple[str | None, Collection[str] | None]] | None = None
    project_managers: Mapping[str, str | None] | None = None
    other_users: Mapping[str, str | None] | None = None
    locales: Collection[str] | None = None
    industries: Collection[str] | None = None
    study_types: Collection[str] | None = None


@dataclass(frozen=True, slots=True)
class ProfilesFact:
    """What the exchange says about the profiles of a plan.

    Args:
        problems: What its validator found; None if it was not asked.
        names: Why names could not be looked up, and what to do; None if they were.
        reason: Why it could not be asked.
    """

    problems: Collection[ProfileProblem] | None = None
    names: tuple[str, str] | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class UnreadFact:
    """One thing the exchange was asked for and did not say.

    Args:
        what: What, in a few words.
        reason: Why not.
        blocks: Whether nothing can be decided without it.
    """

    what: str
    reason: str
    blocks: bool = False


@dataclass(frozen=True, slots=True)
class WithdrawnFact:
    """Who of the list has withdrawn from the study.

    Args:
        people: Those of the list; nobody where they could not be compared.
        rsids: The same people as RSIDs.
        uncompared: How many people have withdrawn whom a list of RIDs cannot be compared with: it has no crosswalk.
        is_uploaded: Whether this list is in the target group already, so that uploading it again sends nothing.
    """

    people: Respondents
    rsids: Respondents
    uncompared: int = 0
    is_uploaded: bool = False


@dataclass(frozen=True, slots=True)
class ExcludedElsewhereFact:
    """Who of the list is excluded by file from other target groups of the study, and not known here as withdrawn.

    Args:
        people: Those of the list, as RSIDs.
        groups: Names of the groups that exclude them.
        unseen: Names of groups whose exclusions by file could not be distinguished from others.
    """

    people: Respondents
    groups: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveFacts:
    """What is known about a wave. What is None is unknown, and rules about it find nothing.

    Args:
        plan: The target group to create, or as created.
        respondents: The people to recontact; None before a file is chosen, and for new people.
        now: The time of the check, UTC.
        step: What comes next: `create`, `upload` or `launch`.
        name: Name of the wave, used if the plan has none.
        has_list: Whether the wave was given a list of respondents; None if that is not known.
        project_id: Project of the new group.
        project_of_sources: Projects of the groups the respondents come from.
        sources: Those groups themselves, as far as known.
        saved_count: Number of ids in the target group now.
        already_saved_count: How many of the respondents are in it already.
        running_job: Id of a job that runs on the target group.
        target_group_state: State of the target group, such as `draft` or `live`; `NOT_CREATED` where there is none.
        was_asked: Whether the exchange was asked; then what it did not show blocks a launch.
        unread: What it was asked for and did not say.
        draft: The draft as read from the exchange, in the exchange's field names; None if it was not read.
        fallback_reads: Other replies that show fields of the draft, in the draft's field names.
        unrecorded_fields: Fields of the draft whose true values a recording does not hold.
        draft_written_at: When this journal last wrote the draft; None if it did not.
        last_written: What it wrote.
        allocations: What the template of the plan's allocations leads to, spelled out; None if that is not known.
        unverified: Fields that the analyst has checked elsewhere.
        people: Who is in the target group.
        withdrawn: Who of the list has withdrawn from the study; None if nobody has, as far as the journal holds it.
        excluded_elsewhere: Who of the list other groups of the study exclude by file; None if that was not read.
        open_groups: Other groups of the project that are in the field; None if they were not listed.
        project_exclusion: Whether the group's exclusion policy, read back, excludes people of its project.
        group_strategy: Filling strategy read back from the group.
        currency: Currency of the business unit.
        choices: What a plan may choose from; None before the exchange was asked.
        profiles: What the exchange says about the plan's profiles; None before it was asked.
        activity_exclusions: The group's respondent-activity exclusions.
        excluded_ids: Ids that the exchange excludes from the group, from its list of effective exclusions.
        industry_lockout: Code of an industry lockout set on the group.
        exclusion_groups: Tags of the exclusion groups that the target group is in, by their ids; None if they were not
            read.
        shared_exclusion_groups: Ids of those that a source is in too.
        list_made_on: Day on which the list of respondents was created.
        earlier_waves: Respondents of other waves, for evidence of RSID or RID.
        crosswalk: RSID of each RID, as the analyst gave it.
    """

    plan: TargetGroupPlan
    respondents: Respondents | None
    now: datetime
    step: Step = "create"
    name: str | None = None
    has_list: bool | None = None
    project_id: str | None = None
    project_of_sources: Collection[str] = ()
    sources: Collection[SourceTargetGroup] = ()
    saved_count: int | None = None
    already_saved_count: int | None = None
    running_job: str | None = None
    target_group_state: str | None = None
    was_asked: bool = False
    unread: Collection[UnreadFact] = ()
    draft: Mapping[str, Any] | None = None
    fallback_reads: Mapping[Read, Mapping[str, Any]] = field(default_factory=dict)
    unrecorded_fields: Collection[str] = ()
    draft_written_at: datetime | None = None
    last_written: Mapping[str, Any] | None = None
    allocations: Mapping[str, Any] | None = None
    unverified: Collection[str] = ()
    people: PeopleFact | None = None
    withdrawn: WithdrawnFact | None = None
    excluded_elsewhere: ExcludedElsewhereFact | None = None
    open_groups: Collection[OpenGroupFact] | None = None
    project_exclusion: bool | None = None
    group_strategy: str | None = None
    currency: str | None = None
    choices: ChoicesFact | None = None
    profiles: ProfilesFact | None = None
    activity_exclusions: Collection[ActivityExclusionFact] = ()
    excluded_ids: Collection[str] = ()
    industry_lockout: str | None = None
    exclusion_groups: Mapping[str, str | None] | None = None
    shared_exclusion_groups: Collection[str] = ()
    list_made_on: date | None = None
    earlier_waves: Collection[Respondents] = ()
    crosswalk: Mapping[str, str] | None = None

    @property
    def source_projects(self) -> frozenset[str]:
        """Every project from which respondents are known to come."""
        return frozenset({*self.project_of_sources, *(source.project_id for source in self.sources)})

    @property
    def last_complete(self) -> datetime | None:
        """The time of the last complete of the sources; None if unknown."""
        times = [source.last_complete for source in self.sources if source.last_complete]
        return max(times, default=None)

    @property
    def eligible_count(self) -> int:
        """How many ids can take part: at launch the saved ones, otherwise the usable ones plus those already saved."""
        if self.step == "launch" and self.saved_count is not None:
            return self.saved_count
        usable = 0 if self.respondents is None else len(self.respondents)
        return usable + (self.saved_count or 0) - (self.already_saved_count or 0)


RuleFunction: TypeAlias = Callable[[WaveFacts], Iterable[Finding] | Finding | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its code, the steps it serves, the guide section, and its function."""

    code: str
    steps: frozenset[Step]
    section: str | None
    function: RuleFunction

    def findings(self, facts: WaveFacts) -> Iterator[Finding]:
        """Yield what the rule finds in the facts."""
        found = self.function(facts)
        yield from () if found is None else (found,) if isinstance(found, Finding) else found


RULES: dict[str, Rule] = {}
"""Every rule by its code, in the order of registration."""


def rule(
    code: str, *, steps: Iterable[Step] = STEPS, section: str | None = None
) -> Callable[[Callable[[WaveFacts, RuleReport], Iterable[Finding] | Finding | None]], RuleFunction]:
    """Register a preflight rule; your own rules run like the built-in ones.

    ```python
    @rule("weekday", steps=["launch"])
    def weekday(facts, report):
        if facts.now.weekday() > 4:
            return report.warn("The wave starts on a weekend.", fix="launch on Monday.")
    ```

    Args:
        code: Stable code, words joined by dashes. A code that exists replaces that rule.
        steps: Where it runs.
        section: The guide section it serves.
    """

    def register(function: Callable[[WaveFacts, RuleReport], Iterable[Finding] | Finding | None]) -> RuleFunction:
        report = RuleReport(code, section)

        @wraps(function)
        def run_rule(facts: WaveFacts) -> Iterable[Finding] | Finding | None:
            return function(facts, report)

        RULES[code] = Rule(code, frozenset(steps), section, run_rule)
        return run_rule

    return register


@dataclass(frozen=True, slots=True)
class RuleReport:
    """Create findings for one rule; each method takes the message, the evidence and the fix."""

    code: str
    section: str | None = None

    def block(self, message: str, *, evidence: str | None = None, fix: str | None = None) -> Finding:
        """Create a finding that blocks the wave."""
        return Finding(self.code, Severity.BLOCK, message, evidence, fix, self.section)

    def warn(self, message: str, *, evidence: str | None = None, fix: str | None = None) -> Finding:
        """Create a finding that needs a decision."""
        return Finding(self.code, Severity.WARN, message, evidence, fix, self.section)

    def note(self, message: str, *, evidence: str | None = None, fix: str | None = None) -> Finding:
        """Create a finding for information."""
        return Finding(self.code, Severity.NOTE, message, evidence, fix, self.section)


def split_url(url: str) -> SplitResult | None:
    """Split a survey URL; None if it is not one. The brackets of a variable are not those of an IPv6 address."""
    try:
        return urlsplit(url.replace("[", "").replace("]", ""))
    except ValueError:
        return None


def duration_days(period: str) -> timedelta | None:
    """Parse an ISO 8601 period of years, months, weeks and days; None if it is not one.

    A month counts 31 days and a year 366, so that a date derived from it is never too early.
    """
    left, total, number = period.strip().upper(), 0, ""
    if not left.startswith("P") or len(left) < 3:
        return None
    sizes = {"Y": 366, "M": 31, "W": 7, "D": 1}
    for sign in left[1:]:
        if sign.isascii() and sign.isdigit():
            number += sign
        elif sign in sizes and number:
            total, number = total + int(number) * sizes[sign], ""
        else:
            return None
    return None if number else timedelta(days=total)
