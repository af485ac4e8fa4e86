"""Profiles by name: which people may take part, and how many of each, as an analyst says it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, TypeAlias

from cint_nb.domain.arguments import UNUSABLE, check_arguments
from cint_nb.domain.errors import PlanError
from cint_nb.domain.ids import mask_ids_in, masked_repr, printable
from cint_nb.domain.profiling.questions import AGES, Answer, Question, parse_range

QuotaUnit: TypeAlias = Literal["percent", "completes"]
_UNITS = ("percent", "completes")
_QUESTIONS_MAX = 3
_QUOTAS_MAX = 350
_PERCENT_STEP = Decimal("0.01")


@printable
@dataclass(frozen=True)
class Cell:
    """One target of a profile: the answers of each of its questions, of which one will do, and their quota.

    Args:
        answers: For each question of the profile, its answers.
        quota: Percent of the goal or a number of completes; None where the profile has no quotas.
        name: Name of the quota; None for none.
    """

    answers: tuple[tuple[Answer, ...], ...]
    quota: Decimal | None
    name: str | None = None

    @property
    def label(self) -> str:
        """The answers as one text, such as `male, 18-34`."""
        return ", ".join("/".join(map(_answer_text, each)) for each in self.answers)


@check_arguments(PlanError, refusals=UNUSABLE)
@dataclass(frozen=True, repr=False)
class Profile:
    """Which answers to a question let people take part, and how many completes each may have.

    ```python
    cint.Profile("gender", {"male": 50, "female": 50})  # percent of the goal
    cint.Profile("age", {"18-34": 40, "35-54": 35, (55, 99): 25})  # ranges, both ends included
    cint.Profile("gender", {"male": 120, "female": 80}, by="completes")  # numbers of completes
    cint.Profile("gender", ["female"])  # who may take part, without quotas
    cint.Profile("region", {("North", "East"): 40, ("South", "West"): 60})  # any answer of a tuple counts
    cint.Profile(  # blended: quotas of combinations
        ("gender", "age"),
        {("male", "18-49"): 25, ("male", "50+"): 25, ("female", "18-49"): 25, ("female", "50+"): 25},
    )
    ```

    Names are looked up in the question library of the plan's locale before anything is created: `wave.check(ask=True)`
    and `wave.create()` do it, and `wave.quotas()` shows the ids that were found.

    Args:
        question: Name of the question, such as `gender`, or its id; for a blended profile two or three of them.
        targets: What may be answered, with the quota of each: an answer as the library writes it, in English or in the
            language of the locale, or the id of its option; a range `"18-34"`, `"65+"` or `(18, 34)`, from 1 to 99; a
            tuple of answers of which any counts. For a blended profile a tuple with one entry per question. Without
            quotas, a list of answers.
        by: Unit of the quotas. `percent` of the completes goal, with at most two decimals, 100 in all; or `completes`,
            whole numbers that add up to the goal. All profiles of a plan have the same unit.
        name: Name of the profile; the exchange's own, or for a blended profile the questions, when omitted.
        quota_names: Names of quotas, by target as in `targets`.
        body: Cint's own form, filled in when the names are looked up.

    Raises:
        PlanError: quotas do not add up, ranges overlap, or a target cannot be read.

    Example:
        >>> cint.Profile("age", {"18-34": 40, "35+": 60})
        cint.Profile('age', {'18-34': 40, '35+': 60})
    """

    question: str | int | tuple[str | int, ...] | list[str | int]
    targets: Mapping[Any, Any] | list[Any] | tuple[Any, ...]
    by: QuotaUnit = field(default="percent", kw_only=True)
    name: str | None = field(default=None, kw_only=True)
    quota_names: Mapping[Any, str] | None = field(default=None, kw_only=True)
    body: Mapping[str, Any] | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        """Compare the targets with each other."""
        if self.by not in _UNITS:
            raise self._error(f"has quotas by {masked_repr(self.by, 30)}", "write by='percent' or by='completes'.")
        if not 1 <= len(self.questions) <= _QUESTIONS_MAX or len({*map(str, self.questions)}) < len(self.questions):
            raise self._error(
                f"names {len(self.questions)} questions", f"name one question, or 2 to {_QUESTIONS_MAX} different ones."
            )
        cells = self.cells
        if not cells:
            raise self._error("has no targets", "write which answers may take part.")
        if len(cells) > _QUOTAS_MAX:
            raise self._error(f"has {len(cells)} targets", f"{_QUOTAS_MAX} are the most; join some answers in a tuple.")
        if self.quota_names and (unknown := [key for key in self.quota_names if key not in list(self._keys())]):
            raise self._error(
                f"names a quota of {masked_repr(unknown[0], 40)}, which is none of its targets",
                "write the targets in quota_names as in targets.",
            )
        self._check_answers(cells)
        self._check_quotas(cells)

    @property
    def questions(self) -> tuple[str | int, ...]:
        """The questions, by name or id as they were written."""
        return tuple(self.question) if isinstance(self.question, tuple | list) else (self.question,)

    @property
    def is_blended(self) -> bool:
        """Whether the quotas are those of combinations of answers."""
        return len(self.questions) > 1

    @property
    def has_quotas(self) -> bool:
        """Whether each target has a quota."""
        return isinstance(self.targets, Mapping)

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The targets in one form.

        Raises:
            PlanError: a target or its quota cannot be read.
        """
        names = self.quota_names or {}
        return tuple(
            Cell(
                self._read_key(key),
                self._read_quota(key, self.targets[key]) if isinstance(self.targets, Mapping) else None,
                names.get(key),
            )
            for key in self._keys()
        )

    @property
    def label(self) -> str:
        """Its name, or its questions as one text."""
        return self.name or ", ".join(map(str, self.questions))

    def look_up(self, questions: Sequence[Question]) -> Profile:
        """Return the profile with its ids.

        Args:
            questions: The questions as the library has them, in the order of the profile's own.

        Raises:
            PlanError: a question has no such answer.

        Example:
            >>> questions = client.definitions.questions("ger_de", search="gender")
            >>> cint.Profile("gender", {"male": 50, "female": 50}).look_up(questions)
            cint.Profile('gender', {'male': 50, 'female': 50}) (question 43)
        """
        targets = [self._target_body(cell, questions) for cell in self.cells]
        body: dict[str, Any] = {"object": "blended" if self.is_blended else "regular"}
        if self.is_blended:
            body["blended_type"] = "interlock"
        if self.name or self.is_blended:
            body["name"] = self.label
        return replace(self, body={**body, "quotas_enabled": self.has_quotas, "targets": targets})

    def _target_body(self, cell: Cell, questions: Sequence[Question]) -> dict[str, Any]:
        conditions = [
            condition
            for question, answers in zip(questions, cell.answers, strict=True)
            for condition in question.make_conditions(answers)
        ]
        if cell.quota is None:
            return {"object": "nominal", "conditions": conditions}
        name = cell.name or (cell.label if len(conditions) > 1 else None)  # with several conditions it needs one
        unit = "completes_goal_percentage" if self.by == "percent" else "completes_goal"
        return {"conditions": conditions, "quota": {**({"name": name} if name else {}), unit: json_number(cell.quota)}}

    def _keys(self) -> Iterator[Any]:
        yield from self.targets

    def _read_key(self, key: Any) -> tuple[tuple[Answer, ...], ...]:
        if not self.is_blended:
            return (self._read_answers(key),)
        if not isinstance(key, tuple) or len(key) != len(self.questions):
            raise self._error(
                f"has the target {masked_repr(key, 60)}",
                f"a blended profile has one answer per question in each: {len(self.questions)} in a tuple.",
            )
        return tuple(self._read_answers(each) for each in key)

    def _read_answers(self, given: Any) -> tuple[Answer, ...]:
        if isinstance(given, tuple) and given and not _is_span(given):
            return tuple(self._read_answer(each) for each in given)
        return (self._read_answer(given),)

    def _read_answer(self, given: Any) -> Answer:
        if _is_span(given):
            low, high = given
            if parse_range((low, high)) is None:
                raise self._error(
                    f"has the range {masked_repr(given, 40)}",
                    f"ranges have whole numbers from {AGES[0]} to {AGES[1]}, the lower one first.",
                )
            return int(low), int(high)
        if isinstance(given, int) and not isinstance(given, bool):
            return str(given)  # the id of an option
        if not isinstance(given, str) or not given.strip():
            raise self._error(
                f"has the target {masked_repr(given, 60)}",
                "write the answer as text, the id of its option, or a range such as (18, 34).",
            )
        return given.strip()

    def _read_quota(self, key: Any, given: Any) -> Decimal:
        try:
            value = Decimal(str(given)) if isinstance(given, int | float | Decimal | str) else None
        except InvalidOperation:
            value = None
        if value is None or isinstance(given, bool) or not value.is_finite() or value < 0:
            raise self._error(
                f"has the quota {masked_repr(given, 40)} for {masked_repr(key, 40)}",
                "a quota is a number: percent of the goal, or completes with by='completes'.",
            )
        return value

    def _check_answers(self, cells: Sequence[Cell]) -> None:
        if len({cell.answers for cell in cells}) < len(cells):
            raise self._error("has a target twice", "write each target once.")
        if self.is_blended:
            return
        spans = sorted(span for cell in cells for each in cell.answers[0] if (span := parse_range(each)))
        for (low, high), (next_low, next_high) in itertools.pairwise(spans):
            if next_low <= high:
                raise self._error(
                    f"has the ranges {low}-{high} and {next_low}-{next_high}, which overlap",
                    "both ends of a range belong to it: begin the next one a year later.",
                )

    def _check_quotas(self, cells: Sequence[Cell]) -> None:
        quotas = [cell.quota for cell in cells if cell.quota is not None]
        if not quotas:
            if self.is_blended:
                raise self._error("has no quotas", "a blended profile always has them: write a number for each target.")
            return
        if self.by == "completes":
            if any(quota % 1 for quota in quotas) or not any(quotas):
                raise self._error("has quotas that are no numbers of completes", "write whole numbers, one above 0.")
            return
        if any(quota % _PERCENT_STEP for quota in quotas):
            raise self._error("has quotas with more than two decimals", "round them to two decimals, 100 in all.")
        if sum(quotas) != 100:
            raise self._error(
                f"has quotas that add up to {sum(quotas):f} %",
                "the percentages of a profile are 100 in all, as 33.33, 33.33 and 33.34; "
                "for numbers of completes pass by='completes'.",
            )

    def _error(self, problem: str, next_step: str) -> PlanError:
        shown = mask_ids_in(", ".join(map(str, self.questions)) or "nothing")[:60]
        return PlanError(f"The profile of {shown} {problem}.", evidence={"field": "profiling"}, next_step=next_step)

    @printable
    def __repr__(self) -> str:
        """Show what was written, and the ids once they were looked up."""
        options = "".join(
            f", {name}={value!r}" for name, value, usual in (("by", self.by, "percent"), ("name", self.name, None))
            if value != usual
        )  # fmt: skip
        targets = dict(self.targets) if isinstance(self.targets, Mapping) else list(self.targets)
        ids = f" (question {', '.join(map(str, self.question_ids))})" if self.question_ids else ""
        return f"cint.Profile({self.question!r}, {targets!r}{options}){ids}"

    @property
    def question_ids(self) -> tuple[int, ...]:
        """The ids of its questions, once they were looked up."""
        conditions = [each for target in (self.body or {}).get("targets", ()) for each in target["conditions"]]
        return tuple(dict.fromkeys(each["question_id"] for each in conditions))


def profiling_body(profiling: Mapping[str, Any] | Sequence[Profile] | None) -> dict[str, Any] | None:
    """Return profiling in the exchange's form; None for none.

    Raises:
        PlanError: names have not been looked up yet.
    """
    if profiling is None or isinstance(profiling, Mapping):
        return None if profiling is None else dict(profiling)
    if not profiling:
        return None
    if waiting := [profile.label for profile in profiling if profile.body is None]:
        raise PlanError(
            f"The names of these profiles have not been looked up yet: {mask_ids_in(', '.join(waiting))[:120]}.",
            evidence={"field": "profiling"},
            next_step="a wave does it by itself; before client.target_groups.create_draft(…) run "
            "plan = client.profiles.look_up(plan).",
        )
    unit = "percentage" if profiling[0].by == "percent" else "nominal"
    return {"profile_adjustment_type": unit, "profiles": [dict(profile.body or {}) for profile in profiling]}


def json_number(value: Decimal) -> int | float:
    """Return a number as JSON writes it: whole numbers without a point."""
    return int(value) if value == value.to_integral_value() else float(value)


def _is_span(given: Any) -> bool:
    return (
        isinstance(given, tuple)
        and len(given) == 2
        and all(isinstance(each, int) and not isinstance(each, bool) for each in given)
    )


def _answer_text(answer: Answer) -> str:
    return answer if isinstance(answer, str) else f"{answer[0]}-{answer[1]}"
