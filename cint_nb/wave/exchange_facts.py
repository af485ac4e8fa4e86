"""The facts preflight needs about a wave that only the exchange knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cint_nb.api.client import AsyncClient
from cint_nb.domain.models import TargetGroupRef, evolve
from cint_nb.domain.plan import TargetGroupPlan
from cint_nb.domain.target_groups import TargetGroup
from cint_nb.study.preflight.registry import ActivityExclusionFact, SourceTargetGroup, WaveFacts
from cint_nb.wave.status_rows import answer_or_none
from cint_nb.wire.settings import Mode


async def read_exchange_facts(
    client: AsyncClient, facts: WaveFacts, ref: TargetGroupRef | None, sources: Sequence[TargetGroupRef]
) -> WaveFacts:
    """Add what the exchange knows about the wave's sources, business unit and, once there is one, target group."""
    facts = replace(facts, sources=await _source_target_groups(client, sources))
    return await _business_unit_facts(client, facts) if ref is None else await _target_group_facts(client, facts, ref)


async def _business_unit_facts(client: AsyncClient, facts: WaveFacts) -> WaveFacts:
    """Add what can be known before there is a target group: the currency of the business unit."""
    units = await answer_or_none(client.definitions.business_units()) or ()
    return replace(facts, currency=_currency(facts.plan, {unit.id: unit.currency_code for unit in units}))


async def _target_group_facts(client: AsyncClient, facts: WaveFacts, ref: TargetGroupRef) -> WaveFacts:
    """Add what the exchange knows about a target group.

    That is: its state, the fields of its draft, saved IDs, the running upload, exclusions, and who of the list would be
    turned away. What the account may not read stays unknown, and the rules about it stay silent.
    """
    facts = await _business_unit_facts(client, facts)
    group = await answer_or_none(client.target_groups.get(ref))
    running = await answer_or_none(client.recontacts.running_job(ref))
    activity = await answer_or_none(client.exclusions.activity(ref)) or ()
    excluded = await answer_or_none(client.exclusions.effective_rsids(ref)) or ()
    lockout = getattr(group, "industry_lockout_code", None)
    return replace(
        facts,
        project_id=ref.project_id,
        saved_count=await client.recontacts.saved_count(ref),
        running_job=running.job_id if running else None,
        target_group_state=None if group is None else "launched" if group.launched else "draft",
        draft=None if group is None or group.launched else _without_fields_not_recorded(client, group),
        activity_exclusions=[ActivityExclusionFact(each.type, each.id, each.duration) for each in activity],
        excluded_ids=excluded,
        industry_lockout=None if lockout is None else str(lockout),
    )


async def _source_target_groups(client: AsyncClient, refs: Sequence[TargetGroupRef]) -> tuple[SourceTargetGroup, ...]:
    """Return the target groups the respondents come from, with the times of their first and last complete."""
    found = []
    for ref in refs:
        performance = await answer_or_none(client.target_groups.performance(ref))
        found.append(
            SourceTargetGroup(
                ref.project_id,
                ref.target_group_id,
                first_complete=performance.first_complete if performance else None,
                last_complete=performance.last_complete if performance else None,
            )
        )
    return tuple(found)


def _without_fields_not_recorded(client: AsyncClient, group: TargetGroup) -> TargetGroup:
    """Return the group without the fields whose true values a recording does not contain."""
    return evolve(group, live_url=None, test_url=None) if client.mode is Mode.REPLAY else group


def _currency(plan: TargetGroupPlan, currencies: dict[int, str | None]) -> str | None:
    return currencies.get(plan.business_unit_id)
