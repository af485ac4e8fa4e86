"""A body is read in one way only, and what a list gives twice counts once."""

from __future__ import annotations

from typing import Any

import pytest

from cint_nb.wire.replies.json_body import distinct, parse_json


@pytest.mark.parametrize(
    "body",
    [
        b'{"status": "live", "status": "failed"}',
        b'{"a": [{"count": 5, "count": 1}]}',
        b'{"count": 1, "other": 0, "count": true, "count": 2}',
        b'{"count": null, "count": 2}',
    ],
)
def test_a_key_with_two_values_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match="two values"):
        parse_json(body)


@pytest.mark.parametrize(
    ("body", "value"), [(b'{"a": 1, "a": 1}', {"a": 1}), (b'[{"a": 1}, {"a": 2}]', [{"a": 1}, {"a": 2}])]
)
def test_the_same_value_twice_is_one(body: bytes, value: Any) -> None:
    assert parse_json(body) == value


def test_a_row_that_is_given_twice_counts_once_on_all_pages() -> None:
    seen: set[str] = set()
    assert distinct(["a", "b", "a"], seen) == ["a", "b"]
    assert distinct(["b", "c"], seen) == ["c"]
    assert distinct([{"a": 1, "b": [2]}, {"b": [2], "a": 1}, {"a": 1}, 5, 5, None], set()) == [
        {"a": 1, "b": [2]}, {"a": 1}, 5, None,
    ]  # fmt: skip
