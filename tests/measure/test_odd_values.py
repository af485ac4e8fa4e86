"""Every measure with an odd value for each argument: it works, or says in words of ours why it does not."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

import cint_nb as cint
from cint_nb.domain.errors import CintError, InputError
from tests.measure.worlds import in_polars, panel, quiet, shares
from tests.support.odd_values import ODD

ROWS, ATTRIBUTES = panel(1, people=40, waves=3)
VISITS, KNOWN = in_polars(ROWS), in_polars(ATTRIBUTES)
WEIGHTS = pd.DataFrame({"person": range(1, 41), "wave": 2, "weight": 1.5})
GOOD: dict[str, Any] = {
    "frame": VISITS,
    "attributes": KNOWN,
    "weights": WEIGHTS,
    "values": pd.DataFrame({"person": range(1, 41), "value": 3.0}),
    "wave": 2,
    "by": "part",
    "saved": 20,
}
OF_HISTORY = {"frame": in_polars(shares([(6, 20)] * 4))}
CHANGES: dict[str, dict[str, Any]] = {
    "forecast": OF_HISTORY,
    "forecast_check": OF_HISTORY,
    "logrank": {"frame": in_polars([row | {"part": row["person"] % 2} for row in ROWS])},
    "weight_summary": {},
}
# So few people have a model of one attribute only, and the R-indicator has none of numbers.
SMALL: dict[str, dict[str, Any]] = {
    "attrition_weights": {"columns": ["gender"]},
    "bootstrap_weights": {"replicates": 2, "columns": ["gender"]},
    "r_indicator": {"columns": ["gender"]},
}


def arguments(name: str) -> dict[str, Any]:
    call = getattr(cint.measure, name)
    wanted = inspect.signature(call).parameters
    required = [each for each, parameter in wanted.items() if parameter.default is parameter.empty]
    return {each: GOOD[each] for each in required} | CHANGES.get(name, {}) | SMALL.get(name, {})


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize("name", cint.measure.__all__)
def test_the_good_values_are_good(name: str) -> None:
    quiet(getattr(cint.measure, name), **arguments(name))


@pytest.mark.sampled(every=13)
@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("name", cint.measure.__all__)
def test_an_odd_value_works_or_is_refused_in_words(name: str, odd: str) -> None:
    call = getattr(cint.measure, name)
    for each in inspect.signature(call).parameters:
        if (name, each) == ("bootstrap_weights", "replicates") and odd == "an int of 19 digits":
            continue  # as many replicates as were asked for take as long as they take
        error = refusal(call, arguments(name) | {each: ODD[odd]})
        assert error is None or (isinstance(error, InputError) and error.next_step), (each, error)


def refusal(call: Callable[..., Any], given: dict[str, Any]) -> CintError | None:
    try:
        quiet(call, **given)
    except CintError as error:
        return error
    return None
