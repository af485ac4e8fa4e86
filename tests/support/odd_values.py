"""Values that no argument of this package takes, or that only look like one it takes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd

from cint_nb.domain.models import TargetGroupRef
from cint_nb.domain.plan import Money
from tests.support.constants import GROUP, PROJECT


def _nested(depth: int = 20_000) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


class _Stream:
    """Something to iterate over that is no collection."""

    def __iter__(self) -> Iterator[Any]:
        return iter([None, 5, {}])


class _Generator(Iterator[Any]):
    """An iterator, whose items nobody has compared before it is read; it begins again at its end."""

    def __init__(self) -> None:
        self._left: list[Any] | None = None

    def __next__(self) -> Any:
        if self._left is None:
            self._left = [{}, 5, None]
        if not self._left:
            self._left = None
            raise StopIteration
        return self._left.pop()


class _Unshowable:
    def __repr__(self) -> str:
        raise RuntimeError("cannot be shown")


ODD: dict[str, Any] = {
    "nothing": None,
    "true": True,
    "zero": 0,
    "a negative int": -1,
    "an int of 5,000 digits": 10**5_000,
    "an int of 19 digits": 2**63 - 1,
    "a float": 10.5,
    "a float near the highest": 1e308,
    "nan": float("nan"),
    "infinity": float("-inf"),
    "a decimal": Decimal("9.5"),
    "an empty text": "",
    "a number as text": "10",
    "a zero character": "a\0b",
    "half a surrogate pair": "\ud800",
    "two lines": "a\r\nb",
    "a path upwards": "../../etc/passwd",
    "a long text": "x" * 20_000,
    "bytes": b"abc",
    "an empty list": [],
    "a list of odd things": [None, 5, {}],
    "a list nested 20,000 deep": _nested(),
    "a stream of odd things": _Stream(),
    "a generator of odd things": _Generator(),
    "a mapping": {"a": object()},
    "a function": float,
    "an object that cannot be shown": _Unshowable(),
    "a date": date(2026, 9, 1),
    "a time without a zone": datetime(2026, 9, 1, 8),  # noqa: DTZ001
    "the first time of all": datetime.min.replace(tzinfo=UTC),
    "the last time of all": datetime.max.replace(tzinfo=UTC),
    "a frame": pd.DataFrame({"a": [1]}),
    "a folder": Path("/"),
    "a reference copied wrongly": TargetGroupRef(project_id=PROJECT, target_group_id=GROUP).model_copy(
        update={"target_group_id": 5}
    ),
    "money copied wrongly": Money.parse("5 EUR").model_copy(update={"value": "5"}),
}
