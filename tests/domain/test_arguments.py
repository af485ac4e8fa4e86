"""Arguments compared with annotations that are names for something else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import numpy as np
import pytest
from typing_extensions import TypeAliasType

from cint_nb.domain.arguments import Rule, check_arguments
from cint_nb.domain.errors import InputError

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
