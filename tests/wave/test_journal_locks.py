"""A wave is locked while something is sent for it: threads take turns, other processes are refused, the dead let go."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import astuple, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cint_nb.domain.errors import CintWarning, JournalError, LoopError, WaveBusy
from cint_nb.domain.fielding import RunState
from cint_nb.sandbox.sandbox import Sandbox
from cint_nb.sandbox.server import ServedSandbox
from cint_nb.study.files.respondents import Respondents
from cint_nb.wave.client import Client, open_client
from cint_nb.wave.journal import database, locks
from cint_nb.wave.journal.journal import EntryState, Journal, WaveKey
from cint_nb.wave.journal.locks import LEASE_SECONDS, RENEW_SECONDS, ProcessIdentity, WaveLock
from cint_nb.wave.journal.payloads import PAUSE, Payload
from cint_nb.wave.wave import Wave
from cint_nb.wire import loop_thread
from tests.support.clock import ManualClock
from tests.support.plans import make_plan
from tests.support.sampling import is_everyday
from tests.support.waiting import wait_for

KEY = WaveKey("live https://api.cint.com/v1 account 101", "Brand tracker", "Wave 2")
OTHER = replace(KEY, wave="Wave 3")
HERE = ProcessIdentity.current()
NEIGHBOUR = replace(HERE, pid=os.getppid(), started=locks._read_stat(os.getppid())[1])
"""A process that lives on this machine beside us."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite3"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def start(path: Path, code: str) -> subprocess.Popen[str]:
    """Start a process in which `journal` is the journal at the path and `key` its wave."""
    setup = (
        "import os, sys, time; from pathlib import Path; from cint_nb.domain.errors import WaveBusy;"
        "from cint_nb.wave.journal.journal import *;"
        f"journal = Journal(Path({str(path)!r})); key = WaveKey{(KEY.scope, KEY.project, KEY.wave)!r}\n"
    )
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", setup + code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


HOLDING = "with journal.lock(key): print('held', flush=True); sys.stdin.read()"


def claim(path: Path, process: ProcessIdentity, clock: ManualClock, key: WaveKey = KEY) -> None:
    """Write the claim of a process into the journal, as that process would."""
    now = clock.now()
    times = now.isoformat(), (now + timedelta(seconds=LEASE_SECONDS)).isoformat()
    row = (key.digest, "theirs", "anna@elsewhere", *astuple(process), *times)
    with closing(sqlite3.connect(path)) as file:
        file.execute("INSERT OR REPLACE INTO locks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        file.commit()


def claims(path: Path) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as file:
        return file.execute("SELECT wave, token, pid, expires FROM locks").fetchall()


# --- other processes ------------------------------------------------------------------------------------------------


@pytest.mark.sampled(every=2)
@pytest.mark.parametrize("linked", [False, True])
def test_a_second_process_is_refused_with_the_name_of_the_first_until_that_is_killed(
    path: Path, tmp_path: Path, *, linked: bool
) -> None:
    Journal(path).close()
    named = path
    if linked:
        named = tmp_path / "link.sqlite3"
        named.symlink_to(path)
    with start(path, HOLDING) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "held\n"
        journal = Journal(named)
        with pytest.raises(WaveBusy, match=rf"process {first.pid} of \w+@.*, since ") as caught, journal.lock(KEY):
            pass
        assert "nothing was sent" in str(caught.value.safe)
        assert "stop that process" in str(caught.value.next_step)
        with journal.lock(OTHER):
            assert journal.entries(KEY) == []
        first.send_signal(signal.SIGKILL)
        os.waitid(os.P_PID, first.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and its parent has not noticed
        with journal.lock(KEY):
            assert [row[2] for row in claims(path)] == [os.getpid()]
    assert claims(path) == []


@pytest.fixture
def processes(pytestconfig: pytest.Config) -> int:
    """How many processes meet."""
    return 2 if is_everyday(pytestconfig) else 4


@pytest.mark.sampled(every=1, deeper=True)  # by `processes`
def test_processes_take_turns_and_never_meet(path: Path, processes: int) -> None:
    """Each reads a number, and writes it back one higher; what two did at once would be lost."""
    number = path.with_name("number")
    number.write_text("0")
    journal = Journal(path)
    code = (
        f"number, left = Path({str(number)!r}), 12\n"
        "while left:\n"
        "    try:\n"
        "        with journal.lock(key) as lock:\n"
        "            seen = int(number.read_text()); lock.ensure_held(); number.write_text(str(seen + 1)); left -= 1\n"
        "    except WaveBusy: time.sleep(0.001)\n"
    )
    running = [start(path, code) for _ in range(processes)]
    for process in running:
        process.communicate()
    assert [process.returncode for process in running] == [0] * processes
    assert number.read_text() == str(12 * processes)
    assert journal.is_complete


@pytest.mark.sampled(every=1, deeper=True)  # by `processes`
def test_processes_that_start_a_journal_at_once_start_one(path: Path, processes: int) -> None:
    code = "from cint_nb.wave.journal.payloads import *; journal.write(key, PAUSE, EntryState.DONE, Payload())"
    running = [start(path, code) for _ in range(processes)]
    for process in running:
        process.communicate()
    assert [process.returncode for process in running] == [0] * processes
    journal = Journal(path)
    assert len(journal.entries()) == processes
    assert journal.is_complete


FORKED = """
import threading
from cint_nb.wave.journal.payloads import *
def in_child(work):
    child = os.fork()
    if not child:
        try: work()
        except BaseException as error: print(type(error).__name__, str(error).replace(chr(10), ' '), flush=True)
        os._exit(0)
    os.waitpid(child, 0)
def hold():
    with journal.lock(key): journal.write(key, PAUSE, EntryState.DONE, Payload()); print('child held', flush=True)
in_child(hold)
with journal.lock(key) as lock:
    in_child(hold)
    in_child(lock.ensure_held)
    in_child(lambda: print('child read', len(journal.entries()), flush=True))
    def leave():
        with lock: pass
        lock.__exit__(None, None, None)
    in_child(leave)
    lock.ensure_held()
    print('parent still holds it', flush=True)
in_child(hold)
entered = threading.Event(); leave = threading.Event()
def elsewhere():
    with journal.lock(key): entered.set(); leave.wait()
thread = threading.Thread(target=elsewhere); thread.start(); entered.wait()
in_child(hold)
leave.set(); thread.join()
in_child(hold)
print(len(journal.entries()), journal.is_complete, flush=True)
"""


@pytest.mark.thorough
def test_a_forked_child_has_no_lock_of_its_parent_and_takes_none_away(path: Path) -> None:
    with start(path, FORKED) as parent:
        printed, _ = parent.communicate()
    held, busy, inherited, read, *rest = printed.splitlines()
    assert held == "child held"
    assert busy.startswith("WaveBusy")
    assert f"process {parent.pid} of " in busy
    assert inherited.startswith("WaveBusy")
    assert "forked child" in inherited
    assert read == "child read 1"
    refused = next(line for line in rest if line.startswith("WaveBusy"))
    assert f"process {parent.pid} of " in refused
    assert [line for line in rest if not line.startswith("WaveBusy")] == [
        "parent still holds it",
        "child held",
        "child held",
        "3 True",
    ]


# --- who is alive ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("holder", "is_alive"),
    [
        (NEIGHBOUR, True),
        (replace(NEIGHBOUR, started="1"), False),  # its number went to another process
        (replace(NEIGHBOUR, pid=2**22 + 1), False),  # above the highest number Linux gives
        (replace(NEIGHBOUR, started=""), None),
        (replace(NEIGHBOUR, host="elsewhere"), None),
        (replace(NEIGHBOUR, boot="before"), None),
        (replace(NEIGHBOUR, namespace="pid:[1]"), None),
        (replace(NEIGHBOUR, boot=""), None),
    ],
)
def test_a_holder_that_can_be_asked_is_asked_and_for_another_the_lease_decides(
    path: Path, clock: ManualClock, holder: ProcessIdentity, is_alive: bool | None
) -> None:
    assert holder.is_alive() is is_alive
    journal = Journal(path, clock=clock)
    for passed, is_busy in ((LEASE_SECONDS - 1, is_alive is not False), (2, bool(is_alive))):
        if passed != 2:
            claim(path, holder, clock)
        clock.move(passed)
        if not is_busy:
            with journal.lock(KEY):
                pass
            continue
        with pytest.raises(WaveBusy, match="anna@elsewhere") as caught, journal.lock(KEY):
            pass
        assert caught.value.evidence["pid"] == holder.pid
        assert ("08:01:00 UTC" in str(caught.value.next_step)) == (is_alive is None)


def test_where_the_system_says_nothing_of_processes_the_lease_decides(
    path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "read_text", lambda self: (_ for _ in ()).throw(FileNotFoundError(self)))
    identity = locks._identify.__wrapped__(os.getpid())
    assert (identity.boot, identity.namespace, identity.started) == ("", "", "")
    assert identity.is_alive() is None


# --- the lease ------------------------------------------------------------------------------------------------------


def test_the_lease_is_renewed_while_the_wave_is_held_and_no_longer(path: Path, clock: ManualClock) -> None:
    journal = Journal(path, clock=clock)

    async def until(condition: Callable[[], bool]) -> None:
        for _ in range(10_000):
            if condition():
                return
            await asyncio.sleep(0)
        raise AssertionError("nothing happened on the loop")

    async def work() -> None:
        async with journal.lock(KEY):
            for renewals in range(3):
                end = timedelta(seconds=renewals * RENEW_SECONDS + LEASE_SECONDS)
                await until(lambda count=renewals + 1: len(clock.naps) == count)  # type: ignore[misc]
                assert claims(path)[0][3] == (clock.start + end).isoformat()
                clock.move(RENEW_SECONDS)
        await until(clock.cancelled.is_set)

    loop_thread.run(work())
    assert claims(path) == []


@pytest.mark.parametrize("taken_over", [False, True])
def test_after_a_lease_ran_out_the_next_request_asks_whether_somebody_took_over(
    path: Path, clock: ManualClock, *, taken_over: bool
) -> None:
    """As after a laptop slept for an hour: nothing was renewed."""
    journal = Journal(path, clock=clock)
    with journal.lock(KEY) as lock:
        clock.move(3_600)
        if taken_over:
            claim(path, replace(NEIGHBOUR, host="elsewhere"), clock)
            with pytest.raises(WaveBusy, match=r"held by process \d+ of anna@elsewhere") as caught:
                lock.ensure_held()
            assert "not sent" in str(caught.value.safe)
        else:
            lock.ensure_held()
            assert claims(path)[0][3] == (clock.now() + timedelta(seconds=LEASE_SECONDS)).isoformat()
    assert [row[1] for row in claims(path)] == (["theirs"] if taken_over else [])


def test_a_lock_whose_row_is_gone_is_lost(path: Path) -> None:
    with Journal(path).lock(KEY) as lock:
        with closing(sqlite3.connect(path)) as file:
            file.execute("DELETE FROM locks")
            file.commit()
        with pytest.raises(WaveBusy, match="no longer knows"):
            lock.ensure_held()


def test_a_lock_after_its_block_is_none(path: Path) -> None:
    with Journal(path).lock(KEY) as lock:
        pass
    with pytest.raises(WaveBusy, match="its block has ended"):
        lock.ensure_held()


# --- threads and tasks of one process ---------------------------------------------------------------------------------


@pytest.fixture(params=["on disk", "in memory", "two clients"])
def journals(request: pytest.FixtureRequest, path: Path) -> tuple[Journal, Journal]:
    if request.param == "in memory":
        journal = Journal()
        return journal, journal
    first = Journal(path)
    return first, first if request.param == "on disk" else Journal(path)


def waiting(lock: WaveLock) -> int:
    """Return how many wait for a lock, its holder included."""
    return len(locks._turns._queues.get(lock.key, ()))


def test_a_second_thread_waits_until_the_first_is_done(journals: tuple[Journal, Journal]) -> None:
    order: list[str] = []

    def second() -> None:
        with journals[1].lock(KEY):
            order.append("second")

    thread = threading.Thread(target=second)
    with journals[0].lock(KEY) as lock:
        thread.start()
        wait_for(lambda: waiting(lock) == 2)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]
    assert waiting(lock) == 0


def test_tasks_and_threads_take_turns_while_the_loop_runs_on(journals: tuple[Journal, Journal]) -> None:
    inside: list[int] = []
    most: list[int] = []

    async def task(number: int) -> None:
        async with journals[number % 2].lock(KEY):
            inside.append(number)
            most.append(len(inside))
            await asyncio.sleep(0)
            inside.remove(number)

    def thread(number: int) -> None:
        with journals[number % 2].lock(KEY):
            inside.append(number)
            most.append(len(inside))
            inside.remove(number)

    async def tasks() -> None:
        await asyncio.gather(*(task(number) for number in range(5)))

    threads = [threading.Thread(target=thread, args=(number,)) for number in range(5, 10)]
    with journals[0].lock(OTHER):
        for each in threads:
            each.start()
        loop_thread.run(asyncio.wait_for(tasks(), 60))
        for each in threads:
            each.join()
    assert most == [1] * 10


def test_a_block_inside_a_block_shares_its_lock_also_in_a_task_it_started(journals: tuple[Journal, Journal]) -> None:
    journal = journals[0]

    async def task() -> None:
        async with journal.lock(KEY) as inner:
            inner.ensure_held()

    with journal.lock(KEY) as outer, journals[1].lock(KEY):
        loop_thread.run(task())
        outer.ensure_held()
        assert waiting(outer) == 1
    assert waiting(outer) == 0


def test_a_task_that_outlives_the_block_it_was_started_in_has_its_lock_no_longer(path: Path) -> None:
    journal = Journal(path)
    with journal.lock(KEY) as lock:
        context = contextvars.copy_context()
    assert context.run(lambda: lock in locks._held.get())
    with pytest.raises(WaveBusy):
        context.run(lock.ensure_held)
    with context.run(journal.lock, KEY) as again:
        again.ensure_held()


def test_waiting_on_the_loop_that_the_holder_needs_is_refused_in_words(path: Path) -> None:
    journal = Journal(path)

    async def blocking() -> None:
        with journal.lock(KEY):
            raise AssertionError("two hold it")

    entered, leave = threading.Event(), threading.Event()

    def first() -> None:
        with journal.lock(KEY):
            entered.set()
            leave.wait(60)

    thread = threading.Thread(target=first)
    thread.start()
    entered.wait(60)
    with pytest.raises(LoopError):
        loop_thread.run(blocking())
    leave.set()
    thread.join()
    with journal.lock(KEY):
        pass


def test_who_stops_waiting_keeps_nobody_from_the_turn(path: Path) -> None:
    journal = Journal(path)

    async def work() -> list[str]:
        order: list[str] = []

        async def hold(name: str) -> None:
            async with journal.lock(KEY):
                order.append(name)

        async with journal.lock(KEY):
            tasks = [contextvars.Context().run(asyncio.create_task, hold(name)) for name in ("a", "b", "c")]
            await asyncio.sleep(0)
            tasks[0].cancel()
            await asyncio.sleep(0)
        await asyncio.gather(*tasks, return_exceptions=True)
        return order

    assert loop_thread.run(asyncio.wait_for(work(), 60)) == ["b", "c"]


def test_an_interrupted_wait_keeps_nobody_from_the_turn(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(path)

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    def second() -> None:
        with monkeypatch.context() as patched:
            patched.setattr(concurrent.futures, "wait", interrupted)
            with pytest.raises(KeyboardInterrupt), journal.lock(KEY):
                pass

    with journal.lock(KEY) as lock:
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
        assert waiting(lock) == 1
    with journal.lock(KEY):
        pass


def test_an_error_inside_ends_the_lock_and_stays_what_it_is(journals: tuple[Journal, Journal]) -> None:
    with pytest.raises(ZeroDivisionError), journals[0].lock(KEY):
        raise ZeroDivisionError
    with journals[1].lock(KEY):
        pass


@pytest.mark.thorough
def test_many_waves_need_no_open_file_each(path: Path) -> None:
    code = (
        "import resource; from contextlib import ExitStack\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))\n"
        "with ExitStack() as held:\n"
        "    for number in range(80): held.enter_context(journal.lock(WaveKey('s', 'p', f'wave {number}')))\n"
        "    for number in range(200): journal.entries(WaveKey('s', 'p', f'wave {number}'))\n"
        "    print(len(os.listdir('/proc/self/fd')) < 30)\n"
    )
    with start(path, code) as process:
        printed, _ = process.communicate()
    assert printed == "True\n"
    assert claims(path) == []


def test_without_threads_a_lock_starts_none(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop_thread, "_NO_THREADS", True)
    monkeypatch.setattr(threading.Thread, "start", lambda self: pytest.fail("a thread was started"))
    with Journal(path).lock(KEY) as lock:
        lock.ensure_held()


# --- when the journal fails -------------------------------------------------------------------------------------------


def test_a_lock_that_cannot_be_taken_out_is_said_and_does_not_block_its_own_process(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(path)
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.0)
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        with pytest.warns(CintWarning, match="The wave 'Wave 2' stays claimed by this process"), journal.lock(KEY):
            writer.execute("BEGIN IMMEDIATE")
        writer.execute("ROLLBACK")
    with journal.lock(KEY), ExitStack() as turn:
        turn.enter_context(journal.lock(OTHER))
    assert claims(path) == []


def test_a_lock_that_cannot_be_written_is_none_and_the_next_thread_has_its_turn(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(path)
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.0)
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalError, match="cannot be written") as caught, journal.lock(KEY):
            pass
        assert caught.value.safe == "nothing was sent."
        writer.execute("ROLLBACK")
    with journal.lock(KEY):
        pass


def test_a_journal_that_is_closed_inside_the_block_ends_its_lock_and_stops_the_next_request(path: Path) -> None:
    journal = Journal(path)
    with journal.lock(KEY) as lock:
        journal.close()
        assert claims(path) == []
        with pytest.raises(JournalError, match="closed"):
            lock.ensure_held()


# --- waves ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def busy_wave(client: Client, people: Respondents, path: Path) -> tuple[Client, Wave]:
    """A wave in the field, with its journal on disk, and held by a neighbour."""
    client.aio._journal = Journal(path)
    wave = client.wave("Wave 2", project="Brand tracker", respondents=people, plan=make_plan(client.clock.now()))
    wave.create()
    wave.upload()
    wave.launch(budget="1000 EUR")
    client.pass_time(hours=3)
    assert wave.target_group is not None
    claim(path, NEIGHBOUR, ManualClock(), WaveKey(client.aio.scope, wave.target_group.project_id, "Wave 2"))
    return client, wave


SENDING: dict[str, Callable[[Wave], object]] = {
    "create": Wave.create,
    "upload": Wave.upload,
    "lower_goal": Wave.lower_goal,
    "launch": lambda wave: wave.launch(budget="1000 EUR"),
    "resume": Wave.resume,
    "remove": lambda wave: wave.remove(while_live=True),
}


def test_a_verb_that_sends_is_refused_while_another_process_holds_the_wave(busy_wave: tuple[Client, Wave]) -> None:
    client, wave = busy_wave
    assert wave.target_group is not None
    entries = client.aio.journal.entries()
    for send in SENDING.values():
        with pytest.raises(WaveBusy, match="anna@elsewhere"):
            send(wave)
    assert client.aio.journal.entries() == entries
    assert len(client.recontacts.jobs(wave.target_group)) == 1


def test_pausing_and_closing_are_never_refused(busy_wave: tuple[Client, Wave]) -> None:
    client, wave = busy_wave
    assert wave.target_group is not None
    wave.pause()
    assert (run := client.fielding.run(wave.target_group)) is not None
    assert run.state is RunState.PAUSED
    wave.close(resume_first=True)
    assert (run := client.fielding.run(wave.target_group)) is not None
    assert run.state is RunState.COMPLETED


def test_reading_is_never_refused(busy_wave: tuple[Client, Wave]) -> None:
    client, wave = busy_wave
    again = client.wave(wave.name, project="Brand tracker", respondents=wave.respondents, plan=wave.plan)
    assert again.target_group == wave.target_group
    assert "created" in repr(again)
    assert again.status()["state"].item() == "live"
    assert "live" in repr(again)
    assert "dates" in again.check("create", ask=True).rules()
    assert again.launched
    assert again.outcome.counts["saved"]
    client.aio.journal.write(WaveKey("s", "p", "another"), PAUSE, EntryState.DONE, Payload())


def test_two_threads_of_one_wave_create_one_draft(people: Respondents) -> None:
    with ServedSandbox(Sandbox(seed=1)) as served, open_client("sandbox", base_url=served.base_url) as client:
        plan = make_plan(client.clock.now())
        refs: list[Any] = []

        def create() -> None:
            wave = client.wave("Wave 2", project="Brand tracker", respondents=people, plan=plan)
            refs.append(wave.create())

        threads = [threading.Thread(target=create) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(refs) == 4
        assert len(set(map(repr, refs))) == 1
        assert len(client.target_groups.list(refs[0].project_id)) == 1


@pytest.mark.thorough
def test_waves_of_one_new_project_create_it_once(people: Respondents) -> None:
    with ServedSandbox(Sandbox(seed=1)) as served, open_client("sandbox", base_url=served.base_url) as client:
        plan = make_plan(client.clock.now())

        def create(name: str) -> None:
            client.wave(name, project="Brand tracker", respondents=people, plan=plan).create()

        threads = [threading.Thread(target=create, args=(f"Wave {number}",)) for number in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(client.projects.list(name="Brand tracker")) == 1


def test_a_lost_lock_stops_the_next_changing_request_and_no_reading(client: Client, path: Path) -> None:
    journal = Journal(path)
    with journal.lock(KEY):
        claim(path, NEIGHBOUR, ManualClock())
        sent = client.requests_sent
        with pytest.raises(WaveBusy, match="anna@elsewhere"):
            client.projects.create("Brand tracker", "b551326b-ac9d-4d32-8823-4f025787dab9")
        assert client.requests_sent == sent
        assert client.projects.list() == []
    project = client.projects.create("Brand tracker", "b551326b-ac9d-4d32-8823-4f025787dab9")
    assert [each.id for each in client.projects.list()] == [project.id]
