"""Counts, times and sizes read the same everywhere."""

from __future__ import annotations

import pytest

from cint_nb.panels.look.text_format import (
    format_count,
    format_duration,
    format_duration_range,
    format_percent,
    format_size,
)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59.6, "1 min"),
        (45, "45 s"),
        (725, "12 min 5 s"),
        (3000, "50 min"),
        (7800, "2 h 10 min"),
        (-5, "0 s"),
    ],
)
def test_duration(seconds: float, words: str) -> None:
    assert format_duration(seconds) == words


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (600, 900, "10–15 min"),
        (5, 20, "5–20 s"),
        (20, 5, "5–20 s"),
        (60, 60, "60 s"),
        (6000, 9000, "1.7–2.5 h"),
        (-9, 0, "0 s"),
        (20, 100, "up to 2 min"),
        (8_100, 8_820, "2.3–2.5 h"),
    ],
)
def test_span(low: float, high: float, words: str) -> None:
    assert format_duration_range(low, high) == words


def test_share_and_counts_and_sizes() -> None:
    assert format_percent(0.35, 0.52) == "35–52 %"
    assert format_percent(0.43, 0.43) == "43 %"
    assert format_percent(-1, 7) == "0–100 %"
    assert [format_percent(share / 100, share / 100) for share in range(101)] == [f"{share} %" for share in range(101)]
    assert (format_count(1, "id"), format_count(10_000, "id")) == ("1 id", "10,000 ids")
    assert (format_size(1), format_size(370_000), format_size(5_000_000)) == ("1 byte", "370 kB", "5.0 MB")
