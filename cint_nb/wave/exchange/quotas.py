"""The quotas of a launched group: read, changed by number, and replaced with what must be kept.

A write of profiles replaces all of them, and carries no version: it is read, merged, written and read back.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeAlias

from cint_nb.api.client import AsyncClient
from cint_nb.domain.errors import ApiError, InvalidState, PlanError, UnexpectedReply
from cint_nb.domain.ids import masked_repr, quote_foreign
from cint_nb.domain.models import TargetGroupRef
from cint_nb.domain.plan import Money, TargetGroupPlan
from cint_nb.domain.profiling.profiles import Profile, profiling_body
from cint_nb.domain.profiling.questions import parse_range
from cint_nb.domain.profiling.quotas import (
    LaunchedProfile,
    LaunchedProfiles,
    LaunchedTarget,
    UnreadableProfiling,
    comparable_profiling,
    quota_goal_changes,
    rescaled_goals,
    share_out,
    writable_profile,
)

Goals: TypeAlias = Mapping[Any, Mapping[Any, Any]]
CONTROL = "control quotas"
"""What `unverified=` may name: control blends, which no read of a launched group shows."""


async def raised_goals(
    client: AsyncClient, ref: TargetGroupRef, goal: int, plan: TargetGroupPlan
) -> list[dict[str, Any]]:
    """Return the goals of all quotas for another goal of the group, so that their shares stay as they are.

    With the goal alone the exchange computes them anew.

    Raises:
        UnexpectedReply: the group has quotas by its plan, and they cannot be read.
    """
    try:
        shown = await client.profiles.list(ref)
        _require_shown(shown, plan.profiling)
        goals = rescaled_goals(shown.with_quotas, goal)
    except (ApiError, UnreadableProfiling) as error:
        if plan.profiling is not None:
            raise UnexpectedReply(
                "The quotas of the target group cannot be read, so their shares could not be kept with another goal.",
                evidence={"reason": error.what if isinstance(error, ApiError) else str(error), **ref.path_params()},
                safe="nothing was changed.",
                next_step="run it again in a moment; if it recurs, raise both in the exchange's web interface.",
            ) from None
        client.http.warn(
            "Whether the target group has quotas could not be seen. If it has, the exchange computes them anew for the "
            "raised goal: compare them with wave.quotas()."
        )
        return []
    return quota_goal_changes(goals)


async def set_quotas(
    client: AsyncClient,
    ref: TargetGroupRef,
    goals: Goals,
    *,
    in_percent: bool,
    goal: int | None,
    budget: str | Money | None,
) -> LaunchedProfiles:
    """Set the goals of quotas that exist, and return what then is so.

    Raises:
        PlanError: a profile or target is not there, or goals do not add up to the goal of the group; nothing was sent.
        BudgetExceeded: a raised goal could cost more than the budget.
    """
    shown = await client.profiles.list(ref)
    present = shown.completes_goal
    wanted = present if goal is None else goal
    changes: dict[str, dict[str, int]] = {}
    try:
        for name, targets in goals.items():
            profile = _find_profile(shown, name)
            changes[str(profile.id)] = _new_goals(profile, targets, wanted, in_percent=in_percent)
        others = [each for each in shown.with_quotas if each.id not in changes]
        if wanted != present:
            changes |= rescaled_goals(others, wanted)
    except UnreadableProfiling as problem:
        raise _unreadable_error(ref, problem) from None
    await client.target_groups.set_completes_goal(ref, wanted, profiles=quota_goal_changes(changes), budget=budget)
    after = await client.profiles.list(ref)
    _compare(client, after, changes)
    return after


async def replace_profiles(
    client: AsyncClient,
    ref: TargetGroupRef,
    profiles: Sequence[Profile],
    *,
    remove: Collection[str | int],
    plan: TargetGroupPlan,
    written: Mapping[str, Any] | None,
    goal: int | None,
    budget: str | Money | None,
    unverified: Collection[str],
) -> tuple[LaunchedProfiles, dict[str, Any]]:
    """Replace, add and remove profiles, keep all others, and return what then is so, and what was written.

    Args:
        client: Reads and writes.
        ref: The target group.
        profiles: Those to write: each takes the place of the one about the same questions.
        remove: Names or question ids of those to delete.
        plan: The plan of the wave, for its locale.
        written: The draft as it was last written from here; None if it was not.
        goal: The goal of the group; its present one if None.
        budget: The most the group may cost.
        unverified: Whether the analyst vouches that there are no control quotas.

    Raises:
        InvalidState: it is not known whether there are control quotas, which the write would delete.
        PlanError: the exchange's validator refuses the profiles, or one to remove is not there.
    """
    shown = await client.profiles.list(ref)
    wanted = shown.completes_goal if goal is None else goal
    former = (written or {}).get("profiling")
    named = plan.model_copy(update={"profiling": tuple(profiles) or None})  # none, where some are only removed
    body = profiling_body((await client.profiles.look_up(named)).profiling) or {"profiles": []}
    present = _unit_of(former) or _unit_of(plan.profiling)
    unit = body.get("profile_adjustment_type") or present
    if unit is None:
        raise InvalidState(
            "It is not known whether the quotas of this group are percentages or numbers of completes: neither the "
            "plan nor this journal says it.",
            evidence=dict(ref.path_params()),
            safe="nothing was sent.",
            next_step="write one of the profiles that stay too, in the unit it has.",
        )
    if present not in (None, unit):
        raise PlanError(
            "The quotas of a launched group stay of their kind: percent, or numbers of completes.",
            evidence={"field": "profiles", "launched_with": quote_foreign(present, 30)},
            next_step=f"write the profiles by={'percent' if unit == 'nominal' else 'completes'!r}.",
        )
    gone = {_find_profile(shown, name).id for name in remove}
    new_questions = {frozenset(LaunchedProfile.model_validate(each).question_ids) for each in body["profiles"]}
    try:
        _require_shown(shown, former)
        control = _control_blends(former, unit, known=written is not None, shown=shown, unverified=unverified, ref=ref)
        kept = [
            writable_profile(each, unit)
            for each in shown.profiles or ()
            if each.id not in gone and frozenset(each.question_ids) not in new_questions and not each.is_control
        ]
    except UnreadableProfiling as problem:
        raise _unreadable_error(ref, problem) from None
    whole = {"profile_adjustment_type": unit, "profiles": [*kept, *body["profiles"], *control]}
    await _require_valid(client, plan.locale, wanted, whole)
    after = await client.profiles.replace(ref, wanted, whole, budget=budget)
    back = await client.profiles.list(ref)
    if not _shows_all(back, whole):
        client.http.warn(
            "The profiles were written, and the exchange shows others: somebody may have changed them in the same "
            "moment. Compare them with wave.quotas()."
        )
    return (back if back.profiles is not None else after), whole


def _find_profile(shown: LaunchedProfiles, name: str | int) -> LaunchedProfile:
    found = [each for each in shown.profiles or () if each.is_called(name)]
    if len(found) == 1:
        return found[0]
    names = [quote_foreign(each.label, 40) for each in shown.profiles or ()]
    raise PlanError(
        f"The target group has {'several profiles' if found else 'no profile'} called {masked_repr(name, 40)}.",
        evidence={"field": "profiles", "it_has": ", ".join(names) or "none"},
        safe="nothing was changed.",
        next_step="write a profile as wave.quotas() shows it, or the id of its question.",
    )


def _find_target(profile: LaunchedProfile, answer: Any) -> LaunchedTarget:
    is_range = isinstance(answer, str) or (isinstance(answer, tuple) and len(answer) == 2)
    span = parse_range(answer) if is_range else None
    found = profile.find(str(answer)) or (profile.find(f"{span[0]}-{span[1]}") if span else None)
    if found is None or found.id is None:
        shown = ", ".join(quote_foreign(each.label, 40) for each in profile.targets)
        raise PlanError(
            f"The profile {quote_foreign(profile.label, 60)} has no target {masked_repr(answer, 40)}.",
            evidence={"field": "profiles", "it_has": shown},
            safe="nothing was changed.",
            next_step="write a target as wave.quotas() shows it.",
        )
    return found


def _new_goals(profile: LaunchedProfile, targets: Mapping[Any, Any], goal: int, *, in_percent: bool) -> dict[str, int]:
    """Return the goal of each quota of a profile by its id, those that are not named included."""
    named = {str(_find_target(profile, answer).id): Decimal(str(number)) for answer, number in targets.items()}
    found = {str(each.id): each.quota.completes_goal for each in profile.targets if each.quota is not None}
    label = quote_foreign(profile.label, 60)
    if in_percent:
        if set(named) != set(found) or sum(named.values()) != 100:
            raise PlanError(
                f"The percentages of the profile {label} must name all of its targets and be 100 in all.",
                evidence={"targets": len(found), "named": len(named), "sum": f"{sum(named.values()):f}"},
                safe="nothing was changed.",
                next_step="name each target as wave.quotas() shows it.",
            )
        whole = dict(zip(named, share_out(goal, list(named.values())), strict=True))
    else:
        kept = {id_: number for id_, number in found.items() if id_ not in named}
        if any(number is None for number in kept.values()):
            raise UnreadableProfiling("a quota without its number")
        whole = {id_: int(named[id_]) if id_ in named else int(kept[id_] or 0) for id_ in found}
        if any(number % 1 for number in named.values()) or sum(whole.values()) != goal:
            raise PlanError(
                f"The quotas of the profile {label} would be {sum(whole.values()):,} in all, the goal {goal:,}.",
                evidence={"field": "profiles", "goal": goal},
                safe="nothing was changed.",
                next_step="name quotas that add up to the goal, or pass goal= with the budget for it.",
            )
    for target in profile.targets:
        wanted, completes = whole.get(str(target.id)), target.quota.completes if target.quota else None
        if wanted is not None and wanted < max(1, completes or 0):
            raise PlanError(
                f"The quota of {quote_foreign(target.label, 60)} cannot be {wanted:,}.",
                evidence={"field": "profiles", "completes": completes},
                safe="nothing was changed.",
                next_step="a quota is at least 1, and at least the completes it has.",
            )
    return whole


def _compare(client: AsyncClient, after: LaunchedProfiles, changes: Mapping[str, Mapping[str, int]]) -> None:
    """Warn where the exchange shows other goals than were written."""
    shown = {
        target.id: target.quota.completes_goal if target.quota else None
        for profile in after.profiles or ()
        for target in profile.targets
    }
    differing = [id_ for goals in changes.values() for id_, wanted in goals.items() if shown.get(id_) != wanted]
    if differing:
        client.http.warn(
            f"{len(differing)} quotas were set, and the exchange shows other goals for them: compare them with "
            "wave.quotas()."
        )


def _control_blends(
    former: Any,
    unit: str,
    *,
    known: bool,
    shown: LaunchedProfiles,
    unverified: Collection[str],
    ref: TargetGroupRef,
) -> list[dict[str, Any]]:
    """Return the control blends that a write must not delete: as they are shown, or were last written from here."""
    if seen := [each for each in shown.profiles or () if each.is_control]:
        return [writable_profile(each, unit) for each in seen]
    if known or CONTROL in unverified:
        profiles = former.get("profiles") if isinstance(former, Mapping) else None
        return [dict(each) for each in profiles or () if _is_control(each)]
    raise InvalidState(
        "A write of profiles deletes control quotas, and it is not known whether this group has any: no read shows "
        "them, and this journal did not create the draft.",
        evidence=dict(ref.path_params()),
        safe="nothing was sent.",
        next_step=f"look in the exchange's web interface; if there are none, pass unverified=[{CONTROL!r}].",
    )


def _require_shown(shown: LaunchedProfiles, written: Any) -> None:
    """Raise if a group that was launched with profiles shows none: it cannot lose all of them.

    Raises:
        UnreadableProfiling: it shows none.
    """
    profiles = written.get("profiles") if isinstance(written, Mapping) else written
    if not shown.profiles and any(not _is_control(each) for each in profiles or ()):
        raise UnreadableProfiling("none is shown, and the group was launched with some")


def _is_control(profile: Any) -> bool:
    return isinstance(profile, Mapping) and profile.get("blended_type") == "control"


def _unit_of(profiling: Mapping[str, Any] | Sequence[Profile] | None) -> str | None:
    """Return the unit of the quotas of profiling, in the exchange's word; None if it does not say it."""
    if not profiling:
        return None
    if isinstance(profiling, Mapping):
        unit = profiling.get("profile_adjustment_type")
        return None if unit is None else str(unit)
    return "percentage" if profiling[0].by == "percent" else "nominal"


def _shows_all(shown: LaunchedProfiles, whole: Mapping[str, Any]) -> bool:
    unit = str(whole["profile_adjustment_type"])
    try:
        found = comparable_profiling(
            {
                "profile_adjustment_type": unit,
                "profiles": [writable_profile(each, unit) for each in shown.profiles or ()],
            }
        )
        wanted = comparable_profiling(whole)
    except UnreadableProfiling:
        return False
    return all(each in found or each[0].endswith("control") for each in wanted) and found <= wanted


async def _require_valid(client: AsyncClient, locale: str, goal: int, profiling: Mapping[str, Any]) -> None:
    """Raise if the exchange's validator refuses profiles; what it only warns of is a warning.

    Raises:
        PlanError: it names what is wrong; nothing was changed.
    """
    if not profiling["profiles"]:
        raise PlanError(
            "A launched group cannot lose all of its profiles: the exchange takes no empty list.",
            evidence={"field": "profiles"},
            safe="nothing was changed.",
            next_step="keep one of them.",
        )
    problems = await client.profiles.validate(locale, goal, profiling)
    for each in problems:
        if each.is_warning:
            client.http.warn(f"The exchange's validator warns of the profiles: {each}.")
    if errors := [str(each) for each in problems if not each.is_warning]:
        raise PlanError(
            f"The exchange's validator refuses the profiles: {'; '.join(errors[:5])}.",
            evidence={"field": "profiles", "problems": len(errors)},
            safe="nothing was changed.",
            next_step="correct the profiles and run it again.",
        )


def _unreadable_error(ref: TargetGroupRef, problem: Exception) -> UnexpectedReply:
    return UnexpectedReply(
        f"The profiles of the target group cannot be read: {problem}.",
        evidence=dict(ref.path_params()),
        safe="nothing was changed.",
        next_step="change them in the exchange's web interface.",
    )
