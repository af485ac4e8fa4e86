"""What a wave hands over to a history: when people could enter, why that ended, who was saved; never a guess."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from cint_nb.domain.errors import ApiError, InvalidState
from cint_nb.domain.fielding import FieldingRun
from cint_nb.domain.models import TargetGroupRef
from cint_nb.domain.target_groups import ChangelogEntry
from cint_nb.wave.client import Client
from cint_nb.wave.exchange.state import ExchangeState, GroupState
from cint_nb.wave.steps.record import _status_changes, open_time
from cint_nb.wave.wave import Wave
from tests.support.fresh_waves import live_wave

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
END = START + timedelta(days=14)
HOUR = timedelta(hours=1)
Change = tuple[float, str, str | None, str]
"""After how many hours, to which status, for what reason, by whom."""
PERSON, SYSTEM = "las_user", "system_user"


def entries(changes: Sequence[Change]) -> list[ChangelogEntry]:
    """Return a changelog, the newest first as the exchange has it."""
    return [
        ChangelogEntry(
            occurred_at=START + hours * HOUR,
            user={"type": who},
            changes=({"object": "status_change", "new_value": status, "reason_code": reason},),
        )
        for hours, status, reason, who in reversed(changes)
    ]


def state(word: GroupState, run: str, *, read_after: float = 24 * 30, changed: float | None = None) -> ExchangeState:
    return ExchangeState(
        TargetGroupRef(project_id="01M1DZPZDC000043X08K5K6REB", target_group_id="01M1DZPZDC000043X08K5K6REC"),
        word,
        START + read_after * HOUR,
        FieldingRun(
            id="run",
            status=run,
            start_fielding_at=START,
            end_fielding_at=END,
            last_changed_at=None if changed is None else START + changed * HOUR,
        ),
    )


PAUSED = state(GroupState.PAUSED, "paused")
FULL, OVER = "total_completes_reached", "past_scheduled_end_date"
LIVE: Change = (0.5, "live", None, PERSON)
COMPLETED = state(GroupState.COMPLETED, "completed")


@pytest.mark.parametrize(
    ("changes", "found", "closed_by", "hours"),
    [
        ([LIVE, (22, "completed", FULL, SYSTEM)], COMPLETED, "goal", 22),
        ([LIVE, (336, "completed", OVER, SYSTEM)], COMPLETED, "end", 336),
        ([LIVE, (50, "completed", None, PERSON)], COMPLETED, "hand", 50),
        ([LIVE, (50, "completed", "a new reason", SYSTEM)], COMPLETED, "not_known", 50),
        ([LIVE, (9, "paused", "high_drop_rates", "system_marketplace_user")], PAUSED, "pause", 9),
        ([LIVE, (9, "paused", None, PERSON), (336, "completed", OVER, SYSTEM)], COMPLETED, "pause", 9),
        ([LIVE, (9, "paused", None, PERSON), (10, "live", None, PERSON), (40, "completed", None, PERSON)], COMPLETED,
         "hand", 40),
        ([LIVE, (22, "completed", FULL, SYSTEM), (30, "live", None, PERSON),
          (44, "completed", FULL, SYSTEM)], COMPLETED, "goal", 44),
        ([LIVE], state(GroupState.LIVE, "live", read_after=20), "open", 336),
        ([LIVE], state(GroupState.COMPLETED, "live"), "end", 336),
        ([], state(GroupState.COMPLETED, "live"), "end", 336),
        ([], state(GroupState.COMPLETED, "completed", changed=22), "not_known", 22),
        ([], state(GroupState.PAUSED, "paused", changed=9, read_after=10), "pause", 9),
    ],
)  # fmt: skip
def test_why_a_wave_closed_is_read_from_run_and_changelog(
    changes: list[Change], found: ExchangeState, closed_by: str, hours: float
) -> None:
    times = open_time(found, _status_changes(entries(changes)))
    assert (times.closed_by, times.closed) == (closed_by, START + hours * HOUR)
    assert times.opened == START + (0.5 * HOUR if changes else timedelta())


def test_a_changelog_with_strange_entries_is_read_as_far_as_it_goes() -> None:
    strange = [
        ChangelogEntry(occurred_at=None, changes=({"object": "status_change", "new_value": "completed"},)),
        ChangelogEntry(occurred_at=START, changes=None),
        ChangelogEntry(occurred_at=START, changes=({"object": "status_change", "new_value": {"id": 3}},)),
        ChangelogEntry(occurred_at=START, changes=({"object": "cpi_change", "new_value": "3"},)),
    ]
    assert _status_changes(strange) == []
    assert open_time(COMPLETED, []).closed_by == "not_known"


def test_the_record_of_a_recontact_says_who_was_saved(client: Client, make_wave: Callable[..., Wave]) -> None:
    wave = make_wave()
    wave.create()
    wave.upload()
    with pytest.raises(InvalidState, match="Nobody could enter"):
        wave.history_record()
    wave.launch(budget="1400 EUR")
    client.pass_time(hours=6)
    record = wave.history_record()
    outcome = wave.outcome
    assert record.saved is not None
    assert len(record.saved) == outcome.counts["saved"]
    assert not len(record.saved.intersection(outcome.rejected))
    assert (record.closed_by, record.goal, record.locale) == ("open", wave.plan.completes_goal, "ger_de")
    assert record.report is not None
    assert record.report.count(b"\n") > 10
    again = client.wave(wave.name, project="Brand tracker").history_record()  # opened only to read
    assert again.saved is not None
    assert set(again.saved.ids) == set(record.saved.ids)
    assert again.uploaded is None


def test_ids_that_were_removed_are_not_taken_for_rejected(client: Client, make_wave: Callable[..., Wave]) -> None:
    wave = make_wave()
    wave.create()
    wave.upload()
    wave.launch(budget="1400 EUR")
    client.pass_time(hours=6)
    wave.close()
    wave.remove()
    record = wave.history_record()
    assert record.saved is None
    assert "not known who of its list was" in record.notes[0]
    assert record.closed_by == "hand"


def test_new_people_have_no_list(client: Client) -> None:
    wave = live_wave(client)
    client.pass_time(days=1)
    record = wave.history_record()
    assert record.saved is None
    assert record.uploaded is None
    assert record.notes == ()
    assert record.price is not None


def test_a_refused_report_is_missing_and_says_why(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    wave = live_wave(client)
    client.pass_time(days=1)

    def refuse(*_: object, **__: object) -> None:
        raise ApiError("Reports reach back twelve months.", evidence={"status": 400})

    monkeypatch.setattr(wave, "_fetch_report", refuse)
    record = wave.history_record()
    assert record.report is None
    assert record.missing == "Reports reach back twelve months."
