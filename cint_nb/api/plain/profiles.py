"""Profiles as plain verbs."""

# Generated from cint_nb/api/resources/profiles.py by `nox -s plain`; change that file instead.

from __future__ import annotations

from cint_nb.api.resources import profiles
from cint_nb.domain.models import JsonObject, TargetGroupRef
from cint_nb.domain.plan import Completes, Money, MoneyText, TargetGroupPlan
from cint_nb.domain.profiling.quotas import LaunchedProfiles, ProfileProblem
from cint_nb.wire import loop_thread


class Profiles:
    """The profiles of target groups: from names to ids, validated, read with their quotas, replaced.

    Args:
        http: Sends the requests.
        definitions: Where the questions of a locale are read.
        spend_guard: Asks for a budget where a change can make a launched group dearer; without one nothing is asked.
    """

    def __init__(self, aio: profiles.Profiles) -> None:
        self._aio = aio

    def look_up(self, plan: TargetGroupPlan) -> TargetGroupPlan:
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
        return loop_thread.run(self._aio.look_up(plan))

    def validate(self, locale: str, completes_goal: Completes, profiling: JsonObject) -> tuple[ProfileProblem, ...]:
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
        return loop_thread.run(self._aio.validate(locale, completes_goal, profiling))

    def list(self, ref: TargetGroupRef) -> LaunchedProfiles:
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
        return loop_thread.run(self._aio.list(ref))

    def replace(
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
        return loop_thread.run(self._aio.replace(ref, completes_goal, profiling, budget=budget))
