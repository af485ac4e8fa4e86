"""What the figures of a target group give reason to look at, in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cint_nb.study.frames import status_frame
from cint_nb.study.status_warnings import WarningInputs, status_warnings

NOW = datetime(2026, 9, 10, 12, tzinfo=UTC)


def said(state: str = "live", **known: Any) -> tuple[str, ...]:
    return status_warnings(WarningInputs(state, **{"goal": 100, "completes": 40, **known}), NOW)


def ago(**length: float) -> datetime:
    return NOW - timedelta(**length)


def ahead(**length: float) -> datetime:
    return NOW + timedelta(**length)


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ({"saved": 90}, ("goal exceeds saved IDs: 100 of 90",)),
        ({"saved": 100}, ()),
        ({"last_activity_at": ago(hours=49)}, ("stalled: no complete for 2 days",)),
        ({"last_activity_at": ago(hours=47)}, ()),
        ({"last_activity_at": ago(days=9), "completes": 100}, ()),
        ({"ends_at": ahead(hours=14)}, ("ends soon: in 14 h, 60 completes short",)),
        ({"ends_at": ahead(minutes=30)}, ("ends soon: in 30 min, 60 completes short",)),
        ({"ends_at": ahead(days=3)}, ()),
        ({"ends_at": ago(hours=1)}, ()),
        ({"ends_at": ahead(hours=14), "completes": 100}, ()),
        (
            {"cost_per_complete": 3.2, "price_cap": 2.5},
            ("cost per complete 3.20 exceeds the price cap 2.50",),
        ),
        ({"cost_per_complete": 2.50001, "price_cap": 2.5}, ()),
        (
            {"counts_prescreens": True, "prescreens": 90},
            (
                "who passes the screener fills the goal, not who completes, as prevent_overfill can do: 90 passed, "
                "40 completed, 100 wanted",
            ),
        ),
    ],
)
def test_a_live_group(known: dict[str, Any], words: tuple[str, ...]) -> None:
    assert said(**known) == words


@pytest.mark.parametrize("state", ["live", "paused", "completed", "archived"])
@pytest.mark.parametrize(
    ("known", "words"),
    [
        ({"spent": 100.004}, ()),
        ({"spent": 175}, ("has cost 175.00, above the approved budget of 100.00",)),
        ({"committed": 100}, ()),
        ({"committed": 375}, ("can cost 375.00, above the approved budget of 100.00",)),
        (
            {"spent": 175, "committed": 375},
            ("has cost 175.00 and can cost 375.00, above the approved budget of 100.00",),
        ),
    ],
)
def test_a_passed_budget_is_told_also_once_it_is_over(
    state: str, known: dict[str, Any], words: tuple[str, ...]
) -> None:
    assert said(state, approved=100, **known) == words
    assert said(state, **known) == ()


@pytest.mark.parametrize(("currency", "words"), [("EUR", "has cost 175.00, above the approved"), ("USD", "")])
def test_what_was_spent_is_compared_in_the_currency_of_the_budget(currency: str, words: str) -> None:
    row = {
        "state": "completed",
        "approved": {"value": 100, "currency_code": "EUR"},
        "overview": {"current_cost": {"value": 175, "currency_code": currency}},
    }
    found = str(status_frame([row], now=NOW).loc[0, "warnings"])
    assert found.startswith(words) if words else found == ""


@pytest.mark.parametrize(
    ("by", "reason", "words"),
    [
        ("marketplace", "no_completes_in_several_days", ("paused by the marketplace: no completes in several days",)),
        ("marketplace", "low_epc", ("paused by the marketplace: low epc",)),
        ("marketplace", "", ("paused by the marketplace",)),
        ("elsewhere", "", ("paused elsewhere",)),
        ("", "", ()),
    ],
)
def test_a_pause_names_who_made_it(by: str, reason: str, words: tuple[str, ...]) -> None:
    assert said("paused", paused_by=by, pause_reason=reason) == words


def test_a_paused_group_that_ends_soon_is_told_too() -> None:
    assert said("paused", ends_at=ahead(hours=14)) == ("ends soon: in 14 h, 60 completes short",)


def test_a_group_is_silent_since_its_last_complete_not_since_its_start() -> None:
    row = {
        "state": "live",
        "goal": 100,
        "started_at": ago(days=9),
        "performance": {"completes": 4, "last_complete": f"{ago(hours=1):%Y-%m-%dT%H:%M:%SZ}"},
    }
    assert status_frame([row], now=NOW).loc[0, "warnings"] == ""
    row["performance"] = {"completes": 0}
    assert status_frame([row], now=NOW).loc[0, "warnings"] == "stalled: no complete for 9 days"


def test_a_group_that_is_over_is_not_worth_a_warning() -> None:
    known: dict[str, Any] = {"saved": 90, "last_activity_at": ago(days=30), "ends_at": ahead(hours=1)}
    assert said("completed", **known) == ()


def test_nothing_known_warns_of_nothing() -> None:
    assert status_warnings(WarningInputs("live"), NOW) == ()


def test_several_warnings_come_the_most_urgent_first_and_after_what_was_known_before() -> None:
    row = {
        "state": "live",
        "goal": 100,
        "saved": 90,
        "ends_at": ahead(hours=5),
        "performance": {"completes": 40, "last_complete": "2026-09-05T12:00:00Z"},
        "warnings": ["Cint: few completes since launch"],
    }
    assert status_frame([row], now=NOW).loc[0, "warnings"] == (
        "Cint: few completes since launch; goal exceeds saved IDs: 100 of 90; stalled: no complete for 5 days; "
        "ends soon: in 5 h, 60 completes short"
    )


def test_a_time_nobody_can_read_warns_of_nothing() -> None:
    row = {"state": "live", "goal": 100, "performance": {"completes": 4, "last_complete": "yesterday"}}
    assert status_frame([row], now=NOW).loc[0, "warnings"] == ""
