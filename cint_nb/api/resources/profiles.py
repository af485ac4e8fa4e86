"""Profiles: look up names, have the exchange validate them, read and replace those of a launched target group."""

from __future__ import annotations

from typing import Any

from cint_nb.api import operations as ops
from cint_nb.api.parsing import parse
from cint_nb.api.resources.definitions import Definitions
from cint_nb.api.safety.send_once import send_once
from cint_nb.api.safety.spend_check import SpendCheck
from cint_nb.domain.arguments import check_arguments
from cint_nb.domain.errors import ApiError, InputError, UnexpectedReply
from cint_nb.domain.models import JsonObject, TargetGroupRef, evolve
from cint_nb.domain.plan import Completes, Money, MoneyText, TargetGroupPlan
from cint_nb.domain.profiling.profiles import Profile
from cint_nb.domain.profiling.questions import Question, find_question, unknown_question_error
from cint_nb.domain.profiling.quotas import (
    LaunchedProfiles,
    ProfileProblem,
    UnreadableProfiling,
    comparable_profiling,
    writable_profile,
)
from cint_nb.wire.http import Http
from cint_nb.wire.replies.error_body import parse_error_envelope

_INVALID_PROFILES = 422


@check_arguments()
class Profiles:
    """The profiles of target groups: from names to ids, validated, read with their quotas, replaced.

    Args:
        http: Sends the requests.
        definitions: Where the questions of a locale are read.
        spend_guard: Asks for a budget where a change can make a launched group dearer; without one nothing is asked.
    """

    def __init__(self, http: Http, definitions: Definitions, spend_guard: SpendCheck | None = None) -> None:
        self._http = http
        self._definitions = definitions
        self.spend_guard = spend_guard

    async def look_up(self, plan: TargetGroupPlan) -> TargetGroupPlan:
        """Return the plan with the ids of its profiles' questions and answers, from the library of its locale.

        Args:
            plan: The plan; one without named profiles, or with their ids already, is returned as it is.

        Raises:
            PlanError: the library has no such question or answer, or several of the name; nothing was created.
            ApiError: the library may not be read.

        Serves `GET …/questions-translation`.

        Example:
            >>> plan = fresh.plan
            >>> found = client.profiles.look_up(plan)
            >>> found.profiling[0]
            cint.Profile('gender', {'male': 50, 'female': 50}) (question 43)
        """
        profiles = plan.profiling
        if not isinstance(profiles, tuple) or all(profile.body is not None for profile in profiles):
            return plan
        found = [profile if profile.body else await self._look_up(profile, plan.locale) for profile in profiles]
        return evolve(plan, profiling=tuple(found))

    async def _look_up(self, profile: Profile, locale: str) -> Profile:
        return profile.look_up([await self._question(each, locale) for each in profile.questions])

    async def _question(self, wanted: str | int, locale: str) -> Question:
        """Return the question of a name or id: a search finds most; what it does not find may be the account's own."""
        ids, search = ([wanted], None) if isinstance(wanted, int) else ([], wanted)
        for custom in (False, True):
            listed = await self._definitions.questions(locale, ids=ids, search=search, custom=custom)
            if (found := find_question(wanted, listed)) is not None:
                return found
        # Whether a search looks at the names of questions is not documented: the whole library is looked through.
        listed = await self._definitions.questions(locale, custom=True)
        if (found := find_question(wanted, listed)) is not None:
            return found
        raise unknown_question_error(wanted, locale, listed)

    async def validate(
        self, locale: str, completes_goal: Completes, profiling: JsonObject
    ) -> tuple[ProfileProblem, ...]:
        """Have the exchange validate profiling; nothing is created.

        Args:
            locale: Language and country, such as `ger_de`.
            completes_goal: Completes wanted, which quotas share out.
            profiling: Cint's `profiling` object, without a template.

        Returns:
            What is wrong, or only to be warned of: see `ProfileProblem.is_warning`. Empty if it is valid.

        Raises:
            UnexpectedReply: the reply says that something is wrong, and not what.

        Serves `POST …/profiles/validate`.

        Example:
            >>> body = client.profiles.look_up(fresh.plan).to_body()
            >>> problems = client.profiles.validate("ger_de", 20, body["profiling"])
            >>> len(problems)
            0
        """
        body = {"locale": locale, "completes_goal": completes_goal, "profiling": dict(profiling)}
        try:
            await self._http.send(ops.VALIDATE_PROFILES.make_call(json=body))
        except ApiError as error:
            if error.status != _INVALID_PROFILES:
                raise
            return _read_problems(error)
        return ()

    async def list(self, ref: TargetGroupRef) -> LaunchedProfiles:
        """Read the profiles of a launched group, with their quotas and how far these are.

        Control blends, which the documents leave out of this list, may be missing.

        Raises:
            NotFound: the group does not exist, or is still a draft: a draft has them in its body.

        Serves `GET …/profiles`.

        Example:
            >>> listed = client.profiles.list(fresh.target_group)
            >>> [(profile.name, len(profile.targets)) for profile in listed.profiles]
            [('GENDER', 2)]
        """
        return parse(LaunchedProfiles, await self._http.send(ops.LIST_PROFILES.make_call(ref.path_params())))

    async def replace(
        self,
        ref: TargetGroupRef,
        completes_goal: Completes,
        profiling: JsonObject,
        *,
        budget: Money | MoneyText | None = None,
    ) -> LaunchedProfiles:
        """Replace all profiles of a launched group, and return what then is so.

        Everything that is not in `profiling` is deleted, control blends too, which `list` does not show:
        `wave.set_profiles` keeps what it should.

        Args:
            ref: The target group.
            completes_goal: The goal of the group.
            profiling: Cint's `profiling` object with all profiles.
            budget: The most the whole target group may cost. `Client` requires it if the group gets more expensive; the
                bare `AsyncClient` does not.

        Raises:
            InputError: the profiling has no profiles, or a form that cannot be read back; nothing was sent.
            InvalidState: the exchange refuses the profiles; nothing was changed.
            PlanError: a budget is missing; nothing was changed.
            BudgetExceeded: the group could cost more than the budget; nothing was changed.
            OutcomeUnknown: the reply was lost, and reading back did not show whether it took effect.

        Serves `POST …/profiles/manage-profiles`.

        Example:
            >>> body = client.profiles.look_up(fresh.plan).to_body()
            >>> replaced = client.profiles.replace(fresh.target_group, 20, body["profiling"])
            >>> [profile.name for profile in replaced.profiles]
            ['GENDER']
        """
        try:
            wanted = comparable_profiling(profiling)
        except UnreadableProfiling as problem:
            raise InputError(
                f"Profiles cannot be replaced by this: {problem}.",
                next_step="pass Cint's profiling object, spelled out.",
            ) from None
        approve = None
        if self.spend_guard is not None:
            approve = await self.spend_guard.check(
                ref, verb="client.profiles.replace", goal=completes_goal, budget=budget
            )
        body = {"completes_goal": completes_goal, "profiling": dict(profiling)}

        async def send() -> LaunchedProfiles:
            reply = await self._http.send(ops.REPLACE_PROFILES.make_call(ref.path_params(), json=body))
            return parse(LaunchedProfiles, reply) if reply.body.strip() else await self.list(ref)

        async def check() -> LaunchedProfiles | None:
            shown = await self.list(ref)
            return shown if shown.completes_goal == completes_goal and _shows(shown, wanted, profiling) else None

        found = await send_once(
            self._http,
            send,
            check,
            twice_is_once=True,
            what="replace the profiles",
            target_group_id=ref.target_group_id,
        )
        if approve is not None:
            approve()
        return found


def _shows(shown: LaunchedProfiles, wanted: frozenset[Any], profiling: JsonObject) -> bool:
    """Return whether what is shown is what was to be written; a control blend need not be shown."""
    unit = str(profiling["profile_adjustment_type"])
    try:
        profiles = [writable_profile(profile, unit) for profile in shown.profiles or ()]
        found = comparable_profiling({"profile_adjustment_type": unit, "profiles": profiles})
    except UnreadableProfiling:
        return False
    return found <= wanted and all(kind.endswith("control") for kind, _, _ in wanted - found)


def _read_problems(error: ApiError) -> tuple[ProfileProblem, ...]:
    """Return the problems of a refusal.

    Raises:
        UnexpectedReply: it names none: that is neither valid nor a warning.
    """
    rows = parse_error_envelope(error.body).get("invalid_params")
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise UnexpectedReply(
            "The exchange does not accept these profiles and does not say why: the reply to the request to "
            f"{ops.VALIDATE_PROFILES.description} has no 'invalid_params'.",
            evidence={"status": error.status, "request_id": error.evidence.get("request_id")},
            safe="nothing was changed.",
            next_step="run it again in a moment; if it recurs, check the profiles in the exchange's web interface.",
        ) from None
    return tuple(ProfileProblem.model_validate(row) for row in rows)
