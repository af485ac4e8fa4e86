from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cint_nb.wire.sender import RateLimiter


def test_a_burst_goes_at_once_and_the_rest_at_ten_a_second() -> None:
    pace = RateLimiter(10)
    waits = [pace.reserve(0.0) for _ in range(30)]
    assert waits[:10] == [0.0] * 10
    assert waits[10] == pytest.approx(0.1)
    assert waits[29] == pytest.approx(2.0)


def test_idle_time_fills_it_again_but_not_above_a_seconds_worth() -> None:
    pace = RateLimiter(10)
    for _ in range(10):
        pace.reserve(0.0)
    waits = [pace.reserve(3_600.0) for _ in range(11)]
    assert waits[:10] == [0.0] * 10
    assert waits[10] > 0


def test_a_429_halves_the_pace_and_several_at_once_count_as_one() -> None:
    pace = RateLimiter(10)
    pace.slow_down(0.0)
    pace.slow_down(0.2)
    assert pace.per_second == 5
    pace.slow_down(2.0)
    assert pace.per_second == 2.5
    for second in range(3, 60, 2):
        pace.slow_down(float(second))
    assert pace.per_second == 1


def test_each_quiet_minute_doubles_it_again() -> None:
    pace = RateLimiter(10)
    pace.slow_down(0.0)
    pace.slow_down(2.0)
    pace.reserve(61.0)
    assert pace.per_second == 2.5
    pace.reserve(62.0)
    assert pace.per_second == 5
    pace.reserve(500.0)
    assert pace.per_second == 10


@given(st.lists(st.floats(0, 0.5), min_size=50, max_size=200))
def test_no_second_holds_more_than_a_burst_and_its_pace(gaps: list[float]) -> None:
    pace, now, sent = RateLimiter(10), 0.0, []
    for gap in gaps:
        now += gap
        sent.append(now + pace.reserve(now))
    for begin in sent:
        assert sum(begin <= moment < begin + 1.0 for moment in sent) <= 21
