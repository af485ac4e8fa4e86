"""A journal in which bits have flipped never leads to a second launch, and is never a raw error."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cint_nb.api.jobs.schedule import DurationModel
from cint_nb.domain.errors import CintError
from cint_nb.wave.client import Client
from cint_nb.wave.journal.journal import EntryState, Journal
from cint_nb.wave.journal.payloads import LAUNCH
from cint_nb.wave.journaled_client import JournaledClient
from cint_nb.wave.wave import Wave

BUDGET = "1400 EUR"
FLIPS = 10


class KernelDies(Exception):
    pass


@pytest.fixture
def launched(
    client: Client, make_wave: Callable[..., Wave], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[EntryState], tuple[Wave, Path]]:
    """Launch a wave, and return it with its journal, whose last entry of the launch says this."""

    def launch(state: EntryState) -> tuple[Wave, Path]:
        write = Journal.write

        def write_or_die(self: Journal, key: Any, step: Any, now: EntryState, *more: Any, **named: Any) -> None:
            if step is LAUNCH and now is not EntryState.INTENT and state is EntryState.INTENT:
                raise KernelDies
            write(self, key, step, now, *more, **named)

        client.aio._journal = Journal(tmp_path / "whole.sqlite3")
        wave = make_wave(end_at=client.clock.now() + timedelta(days=330))
        wave.create()
        wave.upload()
        if state is not EntryState.DONE:
            client.sandbox.faults.arm("job-never-ends@launch")
            monkeypatch.setattr(DurationModel, "deadline", lambda *_: 1.0)
        with monkeypatch.context() as dying:
            dying.setattr(Journal, "write", write_or_die)
            try:
                wave.launch(budget=BUDGET)
            except (CintError, KernelDies):
                assert state is not EntryState.DONE
        entry = client.aio.journal.last(wave._context.key, LAUNCH)
        assert entry is not None
        assert entry.state is state
        return wave, tmp_path / "whole.sqlite3"

    return launch


def launches(client: Client) -> int:
    return sum(job.kind == "launch" for job in client.sandbox.world.jobs.values())


def flip_bits(whole: bytes, seed: str) -> bytes:
    """Flip one to three bits in what a journal holds: in the launch itself, or anywhere."""
    chosen = random.Random(seed)  # noqa: S311 - a choice of tests
    content = bytearray(whole)
    used = [place for place, byte in enumerate(content) if byte]
    launch = content.rindex(b"idempotency_key")
    for _ in range(chosen.randint(1, 3)):
        in_launch = range(launch - 150, min(launch + 250, len(content)))
        place = chosen.choice(in_launch if chosen.random() < 0.5 else used)
        content[place] ^= 1 << chosen.randrange(8)
    return bytes(content)


@pytest.mark.sampled(every=12)
@pytest.mark.parametrize("batch", range(4))
@pytest.mark.parametrize("state", [EntryState.INTENT, EntryState.RUNNING, EntryState.DONE])
def test_a_journal_with_flipped_bits_leads_to_no_second_launch(
    client: Client, launched: Callable[[EntryState], tuple[Wave, Path]], state: EntryState, batch: int
) -> None:
    first, whole = launched(state)
    content = whole.read_bytes()
    assert launches(client) == 1
    for number in range(batch * FLIPS, (batch + 1) * FLIPS):
        flipped = whole.with_name(f"flipped-{number}.sqlite3")
        flipped.write_bytes(flip_bits(content, f"{state} {number}"))
        again = Client(JournaledClient(client.http))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                again.aio._journal = Journal(flipped)
                wave = again.wave(first.name, project="Brand tracker", respondents=first.respondents, plan=first.plan)
                wave.launch(budget=BUDGET)
            except CintError:
                pass
        assert launches(client) == 1, number
