"""What the exchange lets a plan choose from, and what it says about its profiles: read before a draft is created."""

from __future__ import annotations

from collections.abc import Awaitable, Collection, Mapping
from typing import TypeVar

from cint_nb.api.client import AsyncClient
from cint_nb.domain.definitions import User
from cint_nb.domain.errors import ApiError, PlanError, UnexpectedReply
from cint_nb.domain.plan import TargetGroupPlan
from cint_nb.domain.profiling.profiles import profiling_body
from cint_nb.study.preflight.registry import ChoicesFact, ProfilesFact

T = TypeVar("T")


async def read_choices(client: AsyncClient, plan: TargetGroupPlan) -> ChoicesFact:
    """Read what the exchange lists for each choice of a plan; what it does not list is None."""
    listed = client.definitions
    units = await _answer_or_none(listed.business_units())
    managers = _names(await _answer_or_none(listed.users(project_managers=True)))
    others = None
    if managers is not None and plan.project_manager_id.strip().lower() not in managers:
        others = _names(await _answer_or_none(listed.users()))
    locales = await _answer_or_none(listed.locales())
    industries = await _answer_or_none(listed.industries())
    study_types = await _answer_or_none(listed.study_types())
    return ChoicesFact(
        business_units=None if units is None else {unit.id: (unit.name, unit.pricing_models) for unit in units},
        project_managers=managers,
        other_users=others,
        locales=None if locales is None else frozenset(code for each in locales for code in each.codes()),
        industries=None if industries is None else frozenset(each.code for each in industries),
        study_types=None if study_types is None else frozenset(each.code for each in study_types),
    )


async def read_profiles(client: AsyncClient, plan: TargetGroupPlan) -> ProfilesFact | None:
    """Have names looked up and profiles validated; None for a plan without profiles, or with a template's alone."""
    if plan.profiling is None:
        return None
    try:
        profiling = profiling_body((await client.profiles.look_up(plan)).profiling)
    except PlanError as error:
        return ProfilesFact(names=(error.what, error.next_step or ""))
    except ApiError as error:
        return ProfilesFact(names=(f"The question library could not be read: {_reason(error)}.", "run it again."))
    if not profiling or not profiling.get("profiles") or profiling.get("template_id"):
        return None
    try:
        return ProfilesFact(await client.profiles.validate(plan.locale, plan.completes_goal, profiling))
    except ApiError as error:
        return ProfilesFact(reason=_reason(error))


async def require_valid_profiles(client: AsyncClient, plan: TargetGroupPlan) -> None:
    """Raise if the exchange's validator refuses the profiles of a plan; what it only warns of is a warning.

    Raises:
        PlanError: it names what is wrong; nothing was written.
    """
    found = await read_profiles(client, plan)
    if found is None:
        return
    if found.names is not None:
        raise PlanError(found.names[0], evidence={"field": "profiling"}, next_step=found.names[1])
    if found.problems is None:
        client.http.warn(f"The profiles were not validated: the exchange could not be asked ({found.reason}).")
    for each in found.problems or ():
        if each.is_warning:
            client.http.warn(f"The exchange's validator warns of the profiles: {each}.")
    if errors := [str(each) for each in found.problems or () if not each.is_warning]:
        raise PlanError(
            f"The exchange's validator refuses the profiles: {'; '.join(errors[:5])}.",
            evidence={"field": "profiling", "problems": len(errors)},
            next_step="correct the profiles and run it again.",
        )


def _names(users: Collection[User] | None) -> Mapping[str, str | None] | None:
    return None if users is None else {user.id.lower(): user.name for user in users}


def _reason(error: ApiError) -> str:
    return error.what.rstrip(".") if isinstance(error, UnexpectedReply) else f"refused ({error.status})"


async def _answer_or_none(request: Awaitable[T]) -> T | None:
    try:
        return await request
    except ApiError:
        return None
