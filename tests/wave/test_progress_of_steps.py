"""What a step shows while it runs, and what it says when the exchange would refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cint_nb.domain.errors import InvalidState
from cint_nb.domain.jobs import JobSnapshot, JobState
from cint_nb.wave.session import Session
from cint_nb.wave.wave import Wave


class Told:
    """Keep what a reporter is told."""

    def __init__(self) -> None:
        self.looks: list[JobSnapshot] = []
        self.ends: list[JobSnapshot | None] = []

    def update(self, snapshot: JobSnapshot) -> None:
        self.looks.append(snapshot)

    def finish(self, snapshot: JobSnapshot | None) -> None:
        self.ends.append(snapshot)


def test_a_step_that_was_done_before_is_shown_as_done_and_not_as_stopped(
    client: Session, make_wave: Callable[..., Wave]
) -> None:
    wave = make_wave()
    wave.create()
    wave.upload()
    told = Told()
    client.reporter = lambda *_: told
    sent = client.requests_sent
    again = wave.upload()
    assert client.requests_sent == sent
    assert told.ends == [again]
    assert again.state is JobState.PARTIAL


def test_closing_a_paused_wave_names_the_call_of_a_wave(make_wave: Callable[..., Wave]) -> None:
    wave: Any = make_wave()
    wave.create()
    wave.upload()
    wave.launch(budget="300 EUR")
    wave.pause()
    with pytest.raises(InvalidState) as caught:
        wave.close()
    assert "wave.close(resume_first=True)" in caught.value.next_step
    wave.close(resume_first=True)
    assert wave.status().loc[0, "state"] == "completed"
