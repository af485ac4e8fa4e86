"""The facts preflight needs about a wave that only the exchange knows."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from cint_nb.api.client import AsyncClient
from cint_nb.domain.errors import ApiError, UnexpectedReply
from cint_nb.domain.jobs import JobState
from cint_nb.domain.models import TargetGroupRef, text_or_none
from cint_nb.domain.plan import WHOLE_EXCHANGE, AllocationFormat, TargetGroupPlan
from cint_nb.domain.target_groups import TargetGroupSummary
from cint_nb.study.preflight.draft_witnesses import Read, compare_draft, shows_template
from cint_nb.study.preflight.registry import ActivityExclusionFact, SourceTargetGroup, UnreadFact, WaveFacts
from cint_nb.wave.exchange.choices import read_choices, read_profiles
from cint_nb.wave.exchange.people import GroupUploads, check_people, compare_open_groups
from cint_nb.wave.exchange.state import ExchangeState, GroupState
from cint_nb.wire.settings import Mode

T = TypeVar("T")

_UNRECORDED_FIELDS = frozenset({"live_url", "test_url"})


class _Reads:
    """Reads that a check can do without, each of which is named if it fails: silence is not "nothing found"."""

    def __init__(self) -> None:
        self.unread: list[UnreadFact] = []

    async def ask(self, what: str, request: Awaitable[T]) -> T | None:
        """Return the answer to a request; None, and a note, if it was refused or cannot be read."""
        try:
            return await request
        except ApiError as error:
            self.unread.append(unread_fact(what, error))
            return None


def unread_fact(what: str, error: ApiError, *, blocks: bool = False) -> UnreadFact:
    """Return the note of a read that failed."""
    refused = not isinstance(error, UnexpectedReply)
    return UnreadFact(what, f"refused ({error.status})" if refused else error.what, blocks)


async def read_exchange_facts(
    client: AsyncClient,
    facts: WaveFacts,
    sources: Sequence[TargetGroupRef],
    *,
    state: ExchangeState | None,
    uploads: GroupUploads | None,
    crosswalk: Mapping[str, str] | None = None,
) -> WaveFacts:
    """Add what the exchange knows about the wave's sources, business unit and, once there is one, target group.

    Args:
        client: Reads the facts.
        facts: What is known without the exchange.
        sources: Target groups the respondents come from.
        state: The state of the wave's target group; None before there is one.
        uploads: Its uploads and saved ids; None before there is one.
        crosswalk: RSID of each RID.
    """
    reads = _Reads()
    client.definitions.clear_cache()  # a refusal now is not "as an hour ago"
    facts = replace(facts, was_asked=True, sources=await _source_target_groups(client, sources, reads))
    units = await reads.ask("the currency of the business unit", client.definitions.business_units()) or ()
    facts = replace(facts, currency=_currency(facts.plan, {unit.id: unit.currency_code for unit in units}))
    if facts.step == "create":
        facts = replace(
            facts, choices=await read_choices(client, facts.plan), profiles=await read_profiles(client, facts.plan)
        )
    if state is None or uploads is None:
        return replace(facts, unread=(*facts.unread, *reads.unread))
    facts = await _target_group_facts(client, facts, state, uploads, reads)
    if facts.step != "create" and facts.respondents is not None:
        compared = compare_open_groups(client, state.ref, facts.respondents)
        facts = replace(facts, open_groups=await reads.ask("the other groups of the project in the field", compared))
    facts = replace(facts, unread=(*facts.unread, *reads.unread))
    if facts.step == "launch" and state.state is GroupState.DRAFT:
        facts = await _draft_facts(client, facts, state)
        if facts.respondents is not None:
            people = await check_people(client, state.ref, uploads, facts.respondents, crosswalk)
            facts = replace(facts, people=people)
    return facts


async def _target_group_facts(
    client: AsyncClient, facts: WaveFacts, state: ExchangeState, uploads: GroupUploads, reads: _Reads
) -> WaveFacts:
    """Add state, saved ids, the running upload, exclusions, and who of the list would be turned away."""
    ref = state.ref
    activity = await reads.ask("the activity exclusions of the target group", client.exclusions.activity(ref)) or ()
    excluded = await reads.ask("the excluded respondents", client.exclusions.effective_rsids(ref)) or ()
    groups = await _exclusion_groups(client, ref, reads) if facts.plan.is_recontact else None
    shared: set[str] = set()
    for source in facts.sources if groups else ():
        if source.target_group_id is not None:
            its = TargetGroupRef(project_id=source.project_id, target_group_id=source.target_group_id)
            shared |= (await _exclusion_groups(client, its, reads) or {}).keys() & (groups or {}).keys()
    lockout = getattr(state.group, "industry_lockout_code", None) if state.group else None
    running = next((job for job in uploads.jobs or () if job.state is JobState.RUNNING), None)
    return replace(
        facts,
        project_id=ref.project_id,
        saved_count=uploads.saved if facts.plan.is_recontact else None,
        running_job=running.job_id if running else None,
        target_group_state=str(state.state),
        activity_exclusions=[ActivityExclusionFact(each.type, each.id, each.duration) for each in activity],
        excluded_ids=excluded,
        industry_lockout=None if lockout is None else str(lockout),
        exclusion_groups=groups,
        shared_exclusion_groups=shared,
    )


async def _exclusion_groups(client: AsyncClient, ref: TargetGroupRef, reads: _Reads) -> dict[str, str | None] | None:
    """Return the tags of a target group's exclusion groups by their ids; None, and a note, if they cannot be read."""
    found = await reads.ask(f"the exclusion groups of {ref.target_group_id}", client.exclusions.groups(ref))
    return None if found is None else {each.exclusion_group_id: each.tag for each in found}


def unrecorded_fields(client: AsyncClient) -> frozenset[str]:
    """Return the fields of a draft that cannot be compared, because a recording does not hold their true values."""
    return _UNRECORDED_FIELDS if client.mode is Mode.REPLAY else frozenset()


async def _draft_facts(client: AsyncClient, facts: WaveFacts, state: ExchangeState) -> WaveFacts:
    """Add the draft as read, and the reads that show what it does not."""
    draft = None if state.group is None else state.group.model_dump(mode="json", exclude_unset=True)
    unrecorded = unrecorded_fields(client)
    allocations = facts.allocations or await template_allocations(client, facts.plan)
    compared = compare_draft(facts.plan, draft, allocations=allocations, unrecorded=unrecorded)
    missing = {each.witness.fallback for each in compared if not each.was_read}
    fallbacks: dict[Read, Mapping[str, Any]] = {}
    if "fielding assistant" in missing and (
        modules := await _reply_or_none(client.target_groups.fielding_assistant(state.ref))
    ):
        fallbacks["fielding assistant"] = {"fielding_assistant_assignment": modules}
    if "exclusion policy" in missing and (policy := await _reply_or_none(client.exclusions.policy(state.ref))):
        fallbacks["exclusion policy"] = {"exclusion": {"enabled": policy.project_exclusion_enabled}}
    if "allocation specification" in missing and (
        specification := await _reply_or_none(client.target_groups.allocation_specification(state.ref))
    ):
        fallbacks["allocation specification"] = {"allocations": specification}
    if "target group list" in missing and (strategy := await read_filling_strategy(client, state)):
        fallbacks["target group list"] = {"filling_strategy": strategy}
    return replace(facts, draft=draft, allocations=allocations, fallback_reads=fallbacks, unrecorded_fields=unrecorded)


async def template_allocations(client: AsyncClient, plan: TargetGroupPlan) -> dict[str, Any] | None:
    """Return what a plan's allocations lead to where it does not spell them out; None if it does, or it is not known.

    A plan that leaves them to the exchange means all of its suppliers.
    """
    if plan.allocation_format is AllocationFormat.OMITTED:
        return {"open_exchange_allocations": dict(WHOLE_EXCHANGE)}
    if shows_template(plan) or plan.allocation_template_id is None:
        return None
    template = await _reply_or_none(client.definitions.allocation_template(plan.allocation_template_id))
    if template is None or template.supply_allocations is None:
        return None
    return {"open_exchange_allocations": template.to_open_exchange_allocations()}


async def read_filling_strategy(client: AsyncClient, state: ExchangeState) -> str | None:
    """Return what counts toward the goal of a draft, which the list of the project's groups shows; None if it cannot.

    Raises:
        TransportError: the list could not be read.
    """
    group = state.group
    number = group.target_group_customer_reference_number if group else None
    search = None if number or group is None else group.name
    try:
        async for row in client.target_groups.list(
            state.ref.project_id, references=(number,) if number else (), search=search
        ):
            if row.id == state.ref.target_group_id:
                return filling_strategy_of(row)
    except ApiError:
        return None
    return None


def filling_strategy_of(row: TargetGroupSummary) -> str | None:
    """Return what a listed group counts toward its goal; None if it is not shown."""
    progress = (row.statistics or {}).get("progress")
    value = progress.get("value") if isinstance(progress, dict) else None
    return text_or_none(value.get("filling_strategy")) if isinstance(value, dict) else None


async def _reply_or_none(request: Awaitable[Any]) -> Any:
    """Return a reply; None if it was refused or unreadable, which the guard then counts as not read."""
    try:
        return await request
    except ApiError:
        return None


async def _source_target_groups(
    client: AsyncClient, refs: Sequence[TargetGroupRef], reads: _Reads
) -> tuple[SourceTargetGroup, ...]:
    """Return the target groups the respondents come from, with the times of their first and last complete."""
    found = []
    for ref in refs:
        asked = client.target_groups.performance(ref)
        performance = await reads.ask(f"the times of the completes of the source {ref.target_group_id}", asked)
        found.append(
            SourceTargetGroup(
                ref.project_id,
                ref.target_group_id,
                first_complete=performance.first_complete if performance else None,
                last_complete=performance.last_complete if performance else None,
            )
        )
    return tuple(found)


def _currency(plan: TargetGroupPlan, currencies: dict[int, str | None]) -> str | None:
    return currencies.get(plan.business_unit_id)
