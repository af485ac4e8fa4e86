"""What a wave is made with, refused in words before anything is sent."""

from __future__ import annotations

from typing import Any

from cint_nb.domain import limits
from cint_nb.domain.errors import PlanError
from cint_nb.study.respondents import Respondents


def check_arguments(name: str, project: str, respondents: Any) -> None:
    """Refuse a wave whose name or project is too short or long, or that is given no respondents.

    Raises:
        PlanError: naming what is wrong.
    """
    low, high = limits.NAME_CHARACTERS
    for field, text in (("name", name), ("project", project)):
        if not low <= len(text) <= high:
            raise PlanError(
                f"The wave's {field} has {len(text)} characters; {low} to {high} are allowed.",
                evidence={"field": field},
                next_step="choose another text.",
            )
    if not isinstance(respondents, Respondents):
        given = "nothing" if respondents is None else type(respondents).__name__
        raise PlanError(
            f"The wave has no respondents: it was given {given}.",
            evidence={"field": "respondents"},
            next_step="give it cint.read_respondents(...), or picker.value once the file picker says ready.",
        )
