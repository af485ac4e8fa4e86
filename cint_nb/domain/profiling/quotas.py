"""Quotas of a target group: as written, as shown, how far they are, and what changes them. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias

from cint_nb.domain.errors import PlanError
from cint_nb.domain.ids import printable, quote_foreign
from cint_nb.domain.models import ApiModel, OptionalText
from cint_nb.domain.profiling.profiles import json_number
from cint_nb.domain.profiling.questions import plain_name

Condition: TypeAlias = tuple[int, str, tuple[str, ...]]
"""A condition in a comparable form: question, kind, and what is answered."""
ComparableTarget: TypeAlias = tuple[frozenset[Condition], Decimal | None]
ComparableProfile: TypeAlias = tuple[str, bool, frozenset[ComparableTarget]]


class UnreadableProfiling(ValueError):
    """A part of profiling that is not of a known form, so that nothing can equal it."""


class LaunchedQuota(ApiModel):
    """The quota of one target: its goal, and how far it is."""

    name: OptionalText = None
    completes_goal_percentage: Decimal | None = None
    completes_goal: int | None = None
    completes: int | None = None
    prescreens: int | None = None


class LaunchedTarget(ApiModel):
    """One target of a profile, with the answers that lead to it."""

    id: OptionalText = None
    name: OptionalText = None
    text: OptionalText = None
    text_translated: OptionalText = None
    conditions: tuple[dict[str, Any], ...]
    quota: LaunchedQuota | None = None

    @property
    def label(self) -> str | None:
        """What it is called: its name, its text in English or in the language of the locale, or its range.

        The name of a quota is the older place of the name of its target, and counts as that.
        """
        own = self.name or (self.quota.name if self.quota else None) or self.text_translated or self.text
        named = [each.get("condition_name_translated") or each.get("condition_name") for each in self.conditions]
        return own or (", ".join(map(str, named)) if named and all(named) else self.options)

    @property
    def options(self) -> str | None:
        """The options and ranges of its conditions, such as `1` or `18-34`."""
        try:
            found = [", ".join(comparable_condition(each)[2]) for each in self.conditions]
        except UnreadableProfiling:
            return None
        return "; ".join(found)


class LaunchedProfile(ApiModel):
    """A profile of a target group as the exchange shows it."""

    id: OptionalText = None
    object: OptionalText = None
    blended_type: OptionalText = None
    name: OptionalText = None
    description: OptionalText = None
    description_translated: OptionalText = None
    quotas_enabled: bool | None = None
    targets: tuple[LaunchedTarget, ...]

    @property
    def label(self) -> str | None:
        """What it is called."""
        return self.name or self.description_translated or self.description

    @property
    def question_ids(self) -> tuple[int, ...]:
        """The ids of its questions."""
        ids = (each.get("question_id") for target in self.targets for each in target.conditions)
        return tuple(dict.fromkeys(each for each in ids if isinstance(each, int)))

    @property
    def is_control(self) -> bool:
        """Whether it is a control blend, which the list of a launched group's profiles may leave out."""
        return self.object == "blended" and self.blended_type == "control"

    def is_called(self, wanted: str | int) -> bool:
        """Return whether this profile is meant by a name or by the id of its only question."""
        if isinstance(wanted, int):
            return self.question_ids == (wanted,)
        own = (self.name, self.description_translated, self.description, self.id)
        return plain_name(wanted) in {plain_name(each) for each in own if each}

    def find(self, answer: str) -> LaunchedTarget | None:
        """Return the target of an answer: by its text, name, option or range; None if there is none."""
        wanted = answer.strip().casefold()
        for target in self.targets:
            names = (target.name, target.text, target.text_translated, target.label, target.options, target.id)
            if wanted in {each.strip().casefold() for each in names if each}:
                return target
        return None


class LaunchedProfiles(ApiModel):
    """The profiles of a launched target group; endpoint `GET …/profiles`. `profiles` is None where none was shown."""

    locale: OptionalText = None
    completes_goal: int
    profiles: tuple[LaunchedProfile, ...] | None = None

    @property
    def with_quotas(self) -> tuple[LaunchedProfile, ...]:
        """The profiles whose targets have quotas."""
        return tuple(each for each in self.profiles or () if each.quotas_enabled)


class ProfileProblem(ApiModel):
    """What the exchange's validator says about profiling: a warning, or an error that stops a draft."""

    error_type: OptionalText = None
    name: OptionalText = None
    reason: OptionalText = None
    detail: OptionalText = None
    metadata: dict[str, Any] | None = None

    @property
    def is_warning(self) -> bool:
        """Whether the profiling may be used all the same; what says nothing about it is an error."""
        return str((self.metadata or {}).get("error_level") or "").lower() == "warning"

    @property
    def question_ids(self) -> tuple[int, ...]:
        """The questions it is about, as far as they are named."""
        found = (self.metadata or {}).get("question_id")
        ids = found if isinstance(found, list) else [found]
        return tuple(each for each in ids if isinstance(each, int))

    @printable
    def __str__(self) -> str:
        """Return it as one sentence."""
        words = quote_foreign(self.detail or self.reason or self.name or "no reason was given", 200).rstrip(".")
        about = f" (question {', '.join(map(str, self.question_ids))})" if self.question_ids else ""
        return f"{words}{about}"


# --- comparing ----------------------------------------------------------------------------------------------------


def comparable_profiling(profiling: Any) -> frozenset[ComparableProfile]:
    """Return profiling in a form in which what was written equals what is shown of it: without ids, names and texts.

    Raises:
        UnreadableProfiling: it is not of a known form, or comes from a template, whose profiles it does not say.
    """
    if not isinstance(profiling, Mapping) or profiling.get("template_id"):
        raise UnreadableProfiling("not profiling that says its profiles")
    unit = profiling.get("profile_adjustment_type")
    if unit not in ("percentage", "nominal"):
        raise UnreadableProfiling("profiling without its kind of quotas")
    profiles = profiling.get("profiles")
    if not isinstance(profiles, list | tuple):
        raise UnreadableProfiling("no list of profiles")
    quota = "completes_goal_percentage" if unit == "percentage" else "completes_goal"
    return frozenset(_comparable_profile(each, quota) for each in profiles)


def _comparable_profile(profile: Any, quota: str) -> ComparableProfile:
    if not isinstance(profile, Mapping) or not isinstance(profile.get("targets"), list | tuple):
        raise UnreadableProfiling("not a profile")
    enabled = profile.get("quotas_enabled")
    if not isinstance(enabled, bool):
        raise UnreadableProfiling("a profile that does not say whether it has quotas")
    kind = str(profile.get("object"))
    if kind == "blended":
        kind += str(profile.get("blended_type") or "interlock")
    return kind, enabled, frozenset(_comparable_target(each, quota if enabled else None) for each in profile["targets"])


def _comparable_target(target: Any, quota: str | None) -> ComparableTarget:
    if not isinstance(target, Mapping) or not isinstance(target.get("conditions"), list | tuple):
        raise UnreadableProfiling("not a target")
    shown = target.get("quota")
    number = shown.get(quota) if quota is not None and isinstance(shown, Mapping) else None
    if quota is not None and number is None:
        raise UnreadableProfiling("a quota without its number")
    return comparable_conditions(target["conditions"]), None if number is None else _decimal(number)


def comparable_conditions(conditions: Iterable[Any]) -> frozenset[Condition]:
    """Return conditions in a comparable form.

    Raises:
        UnreadableProfiling: one of them cannot be read.
    """
    return frozenset(map(comparable_condition, conditions))


def comparable_condition(condition: Any) -> Condition:
    """Return one condition in a comparable form.

    Raises:
        UnreadableProfiling: it cannot be read.
    """
    if not isinstance(condition, Mapping) or not isinstance(condition.get("question_id"), int):
        raise UnreadableProfiling("not a condition")
    question, kind = int(condition["question_id"]), str(condition.get("object"))
    if kind == "selection":
        answer: tuple[str, ...] = (str(condition.get("option")),)
    elif kind == "range":
        answer = (f"{condition.get('min')}-{condition.get('max')}",)
    elif kind == "open_ended":
        values = condition.get("open_ended_values")
        if condition.get("allow_all_values") is True:
            answer = ("any",)
        elif isinstance(values, list | tuple):
            answer = tuple(sorted(set(map(str, values))))
        else:
            raise UnreadableProfiling("an open-ended condition without its values")
    else:
        raise UnreadableProfiling("a condition of an unknown kind")
    return question, kind, answer


def _decimal(value: Any) -> Decimal:
    if isinstance(value, bool):
        raise UnreadableProfiling("a truth value")
    try:
        return Decimal(str(value)).normalize()
    except InvalidOperation:
        raise UnreadableProfiling("not a number") from None


# --- the forms that are written -----------------------------------------------------------------------------------


def writable_profiling(profiling: Mapping[str, Any]) -> dict[str, Any]:
    """Return profiling as a draft shows it in the form in which it is written: without ids and texts.

    Raises:
        UnreadableProfiling: a part of it cannot be read.
    """
    comparable_profiling(profiling)
    unit = str(profiling["profile_adjustment_type"])
    profiles = [LaunchedProfile.model_validate(each) for each in profiling["profiles"]]
    return {"profile_adjustment_type": unit, "profiles": [writable_profile(each, unit) for each in profiles]}


def writable_profile(profile: LaunchedProfile, unit: str) -> dict[str, Any]:
    """Return a profile as the exchange shows it in the form in which it is written.

    Args:
        profile: The profile.
        unit: `percentage` or `nominal`: which of the two numbers of a quota is written.

    Raises:
        UnreadableProfiling: a part of it cannot be read.
    """
    body: dict[str, Any] = {"object": profile.object}
    if profile.object == "blended":
        body["blended_type"] = profile.blended_type or "interlock"
    if profile.name:
        body["name"] = profile.name
    targets = [_writable_target(target, unit, bool(profile.quotas_enabled)) for target in profile.targets]
    return {**body, "quotas_enabled": bool(profile.quotas_enabled), "targets": targets}


_CONDITION_KEYS = {
    "selection": ("object", "question_id", "option"),
    "range": ("object", "question_id", "min", "max"),
    "open_ended": ("object", "question_id", "allow_all_values", "open_ended_values"),
}


def _writable_target(target: LaunchedTarget, unit: str, has_quotas: bool) -> dict[str, Any]:
    conditions = []
    for condition in target.conditions:
        _, kind, _ = comparable_condition(condition)
        conditions.append({key: condition.get(key) for key in _CONDITION_KEYS[kind]})
    if not has_quotas:
        return {"object": "nominal", "conditions": conditions}
    quota = target.quota
    number = None
    if quota is not None:
        number = quota.completes_goal_percentage if unit == "percentage" else quota.completes_goal
    if quota is None or number is None:
        raise UnreadableProfiling("a quota without its number")
    name = target.name or quota.name or (target.label if len(conditions) > 1 else None)
    key = "completes_goal_percentage" if unit == "percentage" else "completes_goal"
    return {
        "conditions": conditions,
        "quota": {**({"name": name} if name else {}), key: json_number(Decimal(number))},
    }


def quota_goal_changes(goals: Mapping[str, Mapping[str, int]]) -> list[dict[str, Any]]:
    """Return new goals of quotas in the form of `PUT …/profiles/completes-goal`.

    Args:
        goals: For the id of each profile, the goal by the id of each quota.
    """
    return [
        {
            "profile_id": profile_id,
            "targets": [{"id": target_id, "quota": {"completes_goal": goal}} for target_id, goal in quotas.items()],
        }
        for profile_id, quotas in goals.items()
    ]


def share_out(goal: int, weights: Sequence[Decimal]) -> list[int]:
    """Return whole numbers that add up to a goal, in proportion to weights, by the largest remainders.

    >>> share_out(10, [Decimal(1), Decimal(1), Decimal(1)])
    [4, 3, 3]
    """
    total = sum(weights, Decimal(0))
    exact = [goal * weight / total for weight in weights]
    shares = [int(each) for each in exact]
    by_remainder = sorted(range(len(exact)), key=lambda place: (shares[place] - exact[place], place))
    for place in by_remainder[: goal - sum(shares)]:
        shares[place] += 1
    return shares


def rescaled_goals(profiles: Iterable[LaunchedProfile], goal: int) -> dict[str, dict[str, int]]:
    """Return the goals of all quotas for another goal of the group, in the proportions they have now.

    A goal without quotas makes the exchange compute the quotas anew from what suppliers can deliver.

    Raises:
        UnreadableProfiling: a quota does not show its id or its number.
        PlanError: a quota would have no completes at all, which the exchange does not take.
    """
    found: dict[str, dict[str, int]] = {}
    for profile in profiles:
        quotas = [(target.id, target.quota.completes_goal if target.quota else None) for target in profile.targets]
        if profile.id is None or any(id_ is None or number is None for id_, number in quotas):
            raise UnreadableProfiling("a quota without its id or its number")
        weights = [Decimal(number or 0) for _, number in quotas]
        shares = share_out(goal, weights)
        if any(share < 1 for share in shares):
            raise PlanError(
                f"With the goal {goal:,} a quota of the profile {quote_foreign(profile.label, 60)} would be 0, "
                "which the exchange does not take.",
                evidence={"field": "goal", "goal": goal},
                safe="nothing was changed.",
                next_step="set the quotas yourself: wave.set_quotas({…}, goal=…, budget=…).",
            )
        found[profile.id] = {str(id_): share for (id_, _), share in zip(quotas, shares, strict=True)}
    return found


def quota_rows(profiles: Iterable[LaunchedProfile]) -> Iterator[dict[str, Any]]:
    """Yield one row per target: what it asks for, its goal and how far it is; what is not shown is None."""
    for profile in profiles:
        for target in profile.targets:
            quota = target.quota if profile.quotas_enabled else None
            yield {
                "profile": profile.label,
                "target": target.label,
                "question_ids": ", ".join(map(str, profile.question_ids)) or None,
                "options": target.options,
                "percent": quota.completes_goal_percentage if quota else None,
                "goal": quota.completes_goal if quota else None,
                "completes": quota.completes if quota else None,
                "prescreens": quota.prescreens if quota else None,
                "quota_id": target.id,
            }
