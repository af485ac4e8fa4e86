"""Updates come at most four times a second, and the last one always comes."""

from __future__ import annotations

import asyncio
import threading

import pytest

from cint_nb.panels.look.background import Scheduler, Throttle, run_in_thread
from tests.support.clock import ManualClock


def test_thousands_of_values_in_a_second_become_four_and_the_last_arrives() -> None:
    seen: list[int] = []
    clock = ManualClock()
    throttle: Throttle[int] = Throttle(seen.append, monotonic=clock.monotonic, later=clock.later)
    for number in range(2_000):
        throttle.submit(number)
        clock.move(0.0005)
    clock.move(1)
    assert seen[0] == 0
    assert seen[-1] == 1_999
    assert len(seen) <= 6
    assert seen == sorted(seen)


def test_a_last_value_passes_at_once_and_nothing_older_follows_it() -> None:
    seen: list[int] = []
    clock = ManualClock()
    throttle: Throttle[int] = Throttle(seen.append, monotonic=clock.monotonic, later=clock.later)
    for number in (1, 2):
        throttle.submit(number)
    throttle.submit(3, last=True)
    clock.move(1)
    assert seen == [1, 3]


def test_values_from_many_threads_are_passed_one_at_a_time() -> None:
    clashes: list[int] = []
    inside, done = [0], threading.Barrier(9)

    def apply(_: int) -> None:
        inside[0] += 1
        if inside[0] != 1:
            clashes.append(inside[0])
        inside[0] -= 1

    throttle: Throttle[int] = Throttle(apply, per_second=1e9)

    def offer() -> None:
        for number in range(300):
            throttle.submit(number)
        done.wait(60)

    for _ in range(8):
        threading.Thread(target=offer, daemon=True).start()
    done.wait(60)
    assert not clashes


def test_calls_run_in_the_order_of_their_time() -> None:
    seen: list[str] = []
    now, gate, end = [0.0], threading.Event(), threading.Event()
    pulse = Scheduler(monotonic=lambda: now[0])

    def hold() -> None:
        gate.wait(60)

    def late() -> None:
        seen.append("late")
        end.set()

    pulse.call_later(0, hold)
    pulse.call_later(2, late)
    pulse.call_later(1, lambda: seen.append("early"))
    now[0] = 3.0
    gate.set()
    assert end.wait(60)
    assert seen == ["early", "late"]


def test_a_call_that_fails_does_not_stop_the_ones_after_it_and_prints_nothing(
    capfd: pytest.CaptureFixture[str],
) -> None:
    pulse, end = Scheduler(), threading.Event()

    def fail() -> None:
        raise RuntimeError("no")

    pulse.call_later(0, fail)
    pulse.call_later(0.01, end.set)
    assert end.wait(60)
    assert capfd.readouterr() == ("", "")


class NoThread(threading.Thread):
    """Refuse to start, as every thread does inside a browser."""

    def start(self) -> None:
        raise RuntimeError("can't start new thread")


def test_where_python_has_no_threads_the_event_loop_keeps_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "Thread", NoThread)
    seen: list[str] = []

    async def notebook() -> None:
        pulse, end = Scheduler(), asyncio.Event()

        def called() -> None:
            seen.append("called")
            end.set()

        pulse.call_later(0.02, called)
        seen.append("went on")
        await asyncio.wait_for(end.wait(), 60)

    asyncio.run(notebook())
    assert seen == ["went on", "called"]


def test_with_neither_threads_nor_a_loop_what_is_nearly_due_runs_now_and_the_rest_never(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(threading, "Thread", NoThread)
    seen: list[str] = []
    pulse = Scheduler()
    pulse.call_later(0.25, lambda: seen.append("an update that waited its turn"))
    pulse.call_later(1, lambda: seen.append("a refresh every second, for hours"))
    assert seen == ["an update that waited its turn"]


def test_work_beside_the_cell_runs_on_another_thread() -> None:
    names: list[str] = []
    end = threading.Event()

    def work() -> None:
        names.append(threading.current_thread().name)
        end.set()

    run_in_thread(work)
    assert end.wait(60)
    assert names == ["cint-nb panel work"]
