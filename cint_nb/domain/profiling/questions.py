"""The question library of a locale: questions with their answers, by which names become ids."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import Any, TypeAlias

from cint_nb.domain.errors import PlanError
from cint_nb.domain.ids import masked_repr, quote_foreign
from cint_nb.domain.models import ApiModel, OptionalText

Answer: TypeAlias = str | tuple[int, int]
"""One answer as a user writes it: its text or the id of its option, or a range with both ends included."""

AGES = (1, 99)
"""The least and the highest number of a range."""
_RANGE = re.compile(r"\s*(\d{1,2})\s*(?:-|\u2013|to)\s*(\d{1,2})\s*")
_OPEN_RANGE = re.compile(r"\s*(\d{1,2})\s*\+\s*")
_SHOWN = 8


class QuestionTarget(ApiModel):
    """One answer of a question in the library, with the condition that stands for it."""

    text: OptionalText = None
    text_translated: OptionalText = None
    conditions: tuple[dict[str, Any], ...]

    @property
    def option(self) -> str | None:
        """The id of the answer's option; None where the question has no options."""
        found = next((each.get("option") for each in self.conditions if each.get("option") is not None), None)
        return None if found is None else str(found)

    def is_called(self, name: str) -> bool:
        """Return whether a name is this answer's: its text, its translation or the id of its option."""
        wanted = name.strip().casefold()
        own = (self.text, self.text_translated, self.option)
        return wanted in {each.strip().casefold() for each in own if each}


class Question(ApiModel):
    """A question of the library; endpoint `GET …/questions-translation`.

    `description` is in the language of the locale, `description_translated` in English.
    """

    name: str
    description: OptionalText = None
    description_translated: OptionalText = None
    option_mask: OptionalText = None
    standard: bool | None = None
    profile_condition_type: OptionalText = None
    classification_code: OptionalText = None
    targets: tuple[QuestionTarget, ...] | None = None

    @property
    def id(self) -> int | None:
        """The question's id; None where the library shows no condition that names it."""
        conditions = (condition for target in self.targets or () for condition in target.conditions)
        found = next((each.get("question_id") for each in conditions), None)
        return int(found) if isinstance(found, int) else None

    @property
    def kind(self) -> str | None:
        """How it is answered: `selection`, `range` or `open_ended`; None where the library does not show it."""
        conditions = (condition for target in self.targets or () for condition in target.conditions)
        found = next((each.get("object") for each in conditions), None)
        return None if found is None else str(found)

    def is_called(self, name: str) -> bool:
        """Return whether a name is this question's: case, spaces and underscores do not count."""
        return plain_name(name) == plain_name(self.name)

    def make_conditions(self, answers: Sequence[Answer]) -> list[dict[str, Any]]:
        """Return the conditions for answers of which any counts, in the exchange's form.

        Raises:
            PlanError: the question has no such answer, or is answered in another way; the message names what it has.
        """
        if self.id is None:
            raise PlanError(
                f"The question library shows no id for {quote_foreign(self.name, 60)}.",
                evidence={"question": quote_foreign(self.name, 60)},
                next_step="write Cint's profiling object yourself, with the id from the exchange's web interface.",
            )
        if self.kind == "range":
            return [self._range(answer) for answer in answers]
        if self.kind == "open_ended":
            return [self._open_ended(answers)]
        return [self._selection(answer) for answer in answers]

    def _range(self, answer: Answer) -> dict[str, Any]:
        span = parse_range(answer)
        if span is None:
            raise self._answer_error(answer, "is answered with a number; write a range such as '18-34' or '65+'")
        return {"object": "range", "question_id": self.id, "min": span[0], "max": span[1]}

    def _selection(self, answer: Answer) -> dict[str, Any]:
        if not isinstance(answer, str):
            raise self._answer_error(answer, f"is answered with one of its options: {self._options()}")
        found = [target for target in self.targets or () if target.option is not None and target.is_called(answer)]
        if len({target.option for target in found}) > 1:
            options = ", ".join(f"{target.option} ({quote_foreign(target.text, 40)})" for target in found)
            raise self._answer_error(answer, f"has several such answers; write the id of the option: {options}")
        if not found:
            texts = {
                text.casefold(): text
                for target in self.targets or ()
                for text in (target.text_translated, target.text)
                if text
            }
            close = difflib.get_close_matches(answer.casefold(), texts, n=1, cutoff=0.6)
            hint = f"Did you mean {quote_foreign(texts[close[0]], 60)!r}? " if close else ""
            raise self._answer_error(answer, f"has no such answer. {hint}It has: {self._options()}")
        return {"object": "selection", "question_id": self.id, "option": found[0].option}

    def _open_ended(self, answers: Sequence[Answer]) -> dict[str, Any]:
        mask = self.option_mask or ""
        for answer in answers:
            if not isinstance(answer, str) or (mask and len(answer) != len(mask)):
                raise self._answer_error(answer, f"is answered with a text of {len(mask) or 'some'} characters")
        return {
            "object": "open_ended",
            "question_id": self.id,
            "allow_all_values": False,
            "open_ended_values": [str(answer) for answer in answers],
        }

    def _options(self) -> str:
        shown = [
            f"{quote_foreign(target.text_translated or target.text, 40)}"
            for target in self.targets or ()
            if target.text or target.text_translated
        ]
        return ", ".join(shown[:_SHOWN]) + (f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else "")

    def _answer_error(self, answer: Answer, problem: str) -> PlanError:
        name = quote_foreign(self.name, 60)
        return PlanError(
            f"The question {name} {problem}.",
            evidence={"question": f"{name} (id {self.id})", "given": masked_repr(answer, 40)},
            next_step="correct the answer; client.choices.answers(locale, question) lists those of a question.",
        )


def parse_range(answer: Answer) -> tuple[int, int] | None:
    """Return the least and highest number of a range as a user writes it; None if it is none, or out of bounds."""
    if isinstance(answer, str):
        if found := _RANGE.fullmatch(answer):
            answer = (int(found[1]), int(found[2]))
        elif found := _OPEN_RANGE.fullmatch(answer):
            answer = (int(found[1]), AGES[1])
        else:
            return None
    low, high = answer
    return (low, high) if AGES[0] <= low <= high <= AGES[1] else None


def find_question(wanted: str | int, questions: Sequence[Question]) -> Question | None:
    """Return the question of a name or an id; None if none has it.

    Raises:
        PlanError: several questions have the name.
    """
    if isinstance(wanted, int):
        return next((each for each in questions if each.id == wanted), None)
    found = {each.id: each for each in questions if each.is_called(wanted)}
    standard = [each for each in found.values() if each.standard]
    if len(found) > 1 and len(standard) != 1:
        raise PlanError(
            f"The question library has {len(found)} questions called {masked_repr(wanted, 40)}.",
            evidence={"ids": ", ".join(str(each) for each in found)},
            next_step="write the id of the one you mean instead of its name.",
        )
    return next(iter(standard or found.values()), None)


def unknown_question_error(wanted: str | int, locale: str, questions: Sequence[Question]) -> PlanError:
    """Return the error for a question that the library of a locale does not have."""
    names = {each.name.casefold(): each.name for each in questions}
    close = difflib.get_close_matches(str(wanted).casefold(), names, n=3, cutoff=0.6)
    hint = f"; close to it are {', '.join(quote_foreign(names[each], 40) for each in close)}" if close else ""
    return PlanError(
        f"The question library of {locale} has no question {masked_repr(wanted, 40)}{hint}.",
        evidence={"field": "profiling", "locale": locale},
        next_step=f"search it: client.choices.questions({locale!r}, search={'…'!r}).",
    )


def plain_name(name: str) -> str:
    """Return a name as names are compared: without case, and with underscores as spaces."""
    return " ".join(re.split(r"[\s_]+", name.strip().casefold()))
