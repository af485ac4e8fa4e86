"""Arguments are compared with their annotations; most are seen to fit by their type alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import numpy as np
import pytest
from typing_extensions import TypeAliasType

from cint_nb.domain import arguments
from cint_nb.domain.arguments import Rule, check_arguments
from cint_nb.domain.errors import InputError
from cint_nb.domain.ids import EntityType
from cint_nb.domain.models import TargetGroupRef
from tests.support.odd_values import ODD

ANNOTATIONS: tuple[Any, ...] = (
    bool, int, float, str, date, datetime, Path, Any, EntityType, TargetGroupRef, type(None), list, dict,
    str | None, int | float, EntityType | str, Literal["a", "b"], list[str], Iterable[int], Mapping[str, float], object,
)  # fmt: skip
VALUES = [
    *ODD.values(),
    "plain",
    "half \ud83d",
    "é",
    1,
    2**31,
    2**63,
    0.5,
    float("inf"),
    EntityType.RSID,
    b"x",
    [1],
    {},
]


def test_a_value_that_is_plain_fits() -> None:
    plain = 0
    for annotation in ANNOTATIONS:
        for value in VALUES:
            if arguments._is_plain(value, arguments._plain_types(annotation)):
                plain += 1
                assert arguments._fits(value, annotation), (annotation, type(value))
    assert plain > len(ANNOTATIONS)


@check_arguments()
def take(text: str, number: float = 0.0, *more: int, word: str | None = None, **others: Any) -> tuple[Any, ...]:
    return text, number, more, word, others


def test_plain_arguments_arrive_as_they_were_given() -> None:
    assert take("a", 1, 2, word=None, text_of_others=5) == ("a", 1, (2,), None, {"text_of_others": 5})


@pytest.mark.parametrize(("given", "named"), [((5,), {}), (("a", "b"), {}), (("a",), {"word": 5})])
def test_one_that_does_not_fit_is_refused_wherever_it_stands(given: Any, named: Any) -> None:
    with pytest.raises(InputError, match="takes"):
        take(*given, **named)


def test_python_itself_says_how_many_there_must_be() -> None:
    with pytest.raises(TypeError, match="text"):
        take(number=1.0)  # type: ignore[call-arg]


# --- names for types ---------------------------------------------------------------------------------------------

ItemT = TypeVar("ItemT")
OtherT = TypeVar("OtherT")

Maybe = TypeAliasType("Maybe", ItemT | None, type_params=(ItemT,))
Swapped = TypeAliasType("Swapped", dict[OtherT, ItemT], type_params=(ItemT, OtherT))
Array = TypeAliasType("Array", np.ndarray[Any, np.dtype[ItemT]], type_params=(ItemT,))
Positive = TypeAliasType("Positive", Annotated[int, Rule("a positive number", lambda number: number > 0)])
Named = TypeAliasType("Named", Maybe[Positive])

CASES = {
    "a union": (Maybe[int], None, "1", "a whole number or None"),
    "a union, its parameter left open": (Maybe, "anything", None, None),
    "parameters in another order": (Swapped[int, str], {"a": 1}, {1: "a"}, "a mapping"),
    "a class": (Array[np.bool_], np.array([True]), 5, "an array"),
    "a rule": (Positive, 1, 0, "a positive number"),
    "a name of a name": (Named, None, -1, "a positive number or None"),
    "a part of a list": (list[Maybe[int]], [1, None], ["1"], "a list, each item a whole number or None"),
}


def _function(annotation: object) -> Callable[[Any], Any]:
    def function(value: Any) -> Any:
        return value

    function.__annotations__["value"] = annotation
    return check_arguments()(function)


@pytest.mark.parametrize("case", CASES)
def test_a_name_for_a_type_is_compared_as_what_it_stands_for(case: str) -> None:
    annotation, fitting, wrong, words = CASES[case]
    function = _function(annotation)
    assert function(fitting) is fitting
    if words is not None:
        with pytest.raises(InputError, match=words):
            function(wrong)
