"""Thirty virtual days of watching: the memory, the objects and the connections of day 30 are those of day 10.

Plain `pytest` watches for six days and compares with the second; `nox -s faults` takes the whole month.
"""

from __future__ import annotations

import gc
import logging
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

import cint_nb.panels.status_table.widget as status_table_module
from cint_nb.api.jobs.job import Job
from cint_nb.domain.files import UploadFile
from cint_nb.domain.ids import EntityType, synthetic_id
from cint_nb.domain.models import TargetGroupRef
from cint_nb.panels.job_progress.widget import JobProgress
from cint_nb.panels.look import background
from cint_nb.panels.status_table.widget import StatusTable
from cint_nb.study.files.respondents import Respondents
from cint_nb.wave.client import Client, open_client
from tests.faults.usage_modes import plan_of

POLLS_PER_DAY = 3
FEW_OBJECTS, FEW_BYTES = 500, 500_000
"""Caches may fill a little; a panel that leaks would leave more than this in two days."""
DESCRIPTORS = Path("/proc/self/fd")
SERVE = "import sys; from cint_nb.cli import main; sys.exit(main(['sandbox', '--port', '0']))"


class AdvancingClock:
    """A scheduler for the panels' delayed calls, which runs those that are due by the exchange's time."""

    def __init__(self) -> None:
        self.now = 0.0
        self.calls: list[tuple[float, Callable[[], None]]] = []

    def call_later(self, seconds: float, call: Callable[[], None]) -> None:
        self.calls.append((self.now + seconds, call))

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        due = [call for when, call in self.calls if when <= self.now]
        self.calls = [(when, call) for when, call in self.calls if when > self.now]
        for call in due:
            call()


class Measured(NamedTuple):
    objects: int
    sockets: int
    threads: int
    waiting: int

    def growth_since(self, early: Measured) -> dict[str, int]:
        """Return what there is more of, and by how much."""
        allowed = Measured(FEW_OBJECTS - 1, 0, 0, 0)
        more = {name: now - then for name, now, then in zip(self._fields, self, early, strict=True)}
        return {name: by for name, by in more.items() if by > getattr(allowed, name)}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> AdvancingClock:
    clock = AdvancingClock()
    monkeypatch.setattr(status_table_module, "call_later", clock.call_later)
    monkeypatch.setattr(status_table_module, "run_in_thread", background.log_exceptions)
    return clock


@pytest.fixture
def client() -> Iterator[Client]:
    """Connect to a sandbox in a process of its own: its world grows, and is not what is measured."""
    process = subprocess.Popen([sys.executable, "-c", SERVE], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        url = next(line.split("API ")[1].split()[0] for line in process.stdout if "API " in line)
        with open_client("sandbox", base_url=url) as session:
            yield session
    finally:
        process.terminate()
        process.stdout.close()
        process.wait(10)


def watch_a_day(client: Client, clock: AdvancingClock, table: StatusTable, ref: TargetGroupRef, day: int) -> None:
    """Refresh the live table, and follow the upload of the day in a panel of its own."""
    table.start()  # after twelve hours it stops by itself
    ids = [synthetic_id("RSID", 10_000 + day * 20 + number) for number in range(20)]
    content = "\n".join(ids).encode()
    upload = UploadFile(content=content, id_count=20, entity_type=EntityType.RSID, stem="daily")
    panel = JobProgress(client.recontacts.upload(ref, upload), mode=client.mode).start()
    job = panel._job
    assert isinstance(job, Job)
    assert job.wait().is_final
    panel.close()
    for _ in range(POLLS_PER_DAY):
        client.pass_time(hours=24 / POLLS_PER_DAY)
        clock.pass_time(86_400 / POLLS_PER_DAY)


def measure(clock: AdvancingClock) -> Measured:
    gc.collect()
    sockets = 0
    for descriptor in DESCRIPTORS.iterdir():
        with suppress(OSError):  # that of the listing itself is gone by now
            sockets += "socket:" in str(descriptor.readlink())
    # The thread of all panels ends where it had nothing to do for five seconds: it may be there or not.
    threads = [thread for thread in threading.enumerate() if thread.name != "cint-nb panels"]
    return Measured(len(gc.get_objects()), sockets, len(threads), len(clock.calls))


@pytest.fixture
def nothing_logged() -> Iterator[None]:
    """Keep pytest from storing each log record of a month."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.thorough
@pytest.mark.usefixtures("nothing_logged")
@pytest.mark.skipif(not DESCRIPTORS.exists(), reason="counts open sockets in /proc")
def test_watching_for_thirty_days_needs_no_more_than_watching_for_ten(
    client: Client,
    people: Respondents,
    clock: AdvancingClock,
    noted: Callable[[str, str, str, str], None],
) -> None:
    first, last = 10, 30
    plan = plan_of(client)
    plan = plan.model_copy(update={"end_at": plan.end_at + timedelta(days=30)})
    wave = client.wave("A month of polls", project="Brand tracker", respondents=people, plan=plan)
    ref = wave.create()
    wave.upload()
    wave.launch(budget="100 EUR")
    table, loaded = StatusTable(wave.status, interval=3600.0), list[object]()
    table.observe(lambda change: loaded.append(1), "value")
    for day in range(1, first + 1):
        watch_a_day(client, clock, table, ref, day)
    for begin in (first, last):
        tracemalloc.start()
        early = measure(clock)
        for day in range(begin + 1, begin + 1 + last - first):
            watch_a_day(client, clock, table, ref, day)
        late = measure(clock)
        grown, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        growth = late.growth_since(early) | ({"bytes": grown} if grown >= FEW_BYTES else {})
        if not growth:
            break  # else once more: a cache that filled, a late import or a first thread of a pool is not growth
    table.close()
    assert len(loaded) > 2 * last
    assert growth == {}
    noted("other", "month", "", "")
