from __future__ import annotations

import _thread
import asyncio
import threading
from collections.abc import Generator
from typing import Any

import pytest

from cint_nb.domain.errors import LoopError
from cint_nb.wire import loop_thread


async def _thread_name() -> str:
    return threading.current_thread().name


def test_plain_code_waits_for_a_coroutine_on_the_one_loop_thread() -> None:
    assert loop_thread.run(_thread_name()) == "cint-nb loop"
    assert not loop_thread.on_loop_thread()


def test_a_coroutine_of_another_loop_hops_onto_the_loop_thread_and_back() -> None:
    async def story() -> tuple[str, str]:
        there = await loop_thread.run_on_loop(_thread_name())
        return there, threading.current_thread().name

    there, here = asyncio.run(story())
    assert there == "cint-nb loop"
    assert here != there


def test_hopping_from_the_loop_thread_stays_there() -> None:
    async def story() -> str:
        return await loop_thread.run_on_loop(_thread_name())

    assert loop_thread.run(story()) == "cint-nb loop"


def test_plain_code_works_inside_a_running_loop() -> None:
    async def notebook_cell() -> str:
        return loop_thread.run(_thread_name())

    assert asyncio.run(notebook_cell()) == "cint-nb loop"


def test_a_blocking_call_on_the_loop_thread_is_refused_and_not_left_hanging() -> None:
    async def story() -> None:
        loop_thread.run(_thread_name())

    with pytest.raises(LoopError, match="await"):
        loop_thread.run(story())


def test_errors_come_back_to_the_caller_even_a_timeout() -> None:
    async def fails() -> None:
        raise TimeoutError("mine")

    with pytest.raises(TimeoutError, match="mine"):
        loop_thread.run(fails())
    with pytest.raises(TimeoutError, match="mine"):
        asyncio.run(loop_thread.run_on_loop(fails()))


def test_an_interrupt_cancels_the_work_and_goes_on() -> None:
    ended = threading.Event()

    async def work() -> None:
        _thread.interrupt_main()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    with pytest.raises(KeyboardInterrupt):
        loop_thread.run(work())
    assert ended.is_set()
    assert loop_thread.run(_thread_name()) == "cint-nb loop"


def test_cancelling_the_waiter_cancels_the_hopped_work() -> None:
    ended = threading.Event()

    async def work(waiter: asyncio.Task[None], home: asyncio.AbstractEventLoop) -> None:
        home.call_soon_threadsafe(waiter.cancel)
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def hopper() -> None:
        me = asyncio.current_task()
        assert me is not None
        await loop_thread.run_on_loop(work(me, asyncio.get_running_loop()))

    async def story() -> None:
        waiter = asyncio.create_task(hopper())
        with pytest.raises(asyncio.CancelledError):
            await waiter

    asyncio.run(story())
    assert ended.wait(5)


def test_a_function_is_called_on_the_loop_thread_from_anywhere_and_at_once_there() -> None:
    called: list[str] = []
    ended = threading.Event()

    def note() -> None:
        called.append(threading.current_thread().name)
        ended.set()

    async def on_the_loop() -> list[str]:
        loop_thread.call(note)
        return list(called)

    assert loop_thread.run(on_the_loop()) == ["cint-nb loop"]
    ended.clear()
    loop_thread.call(note)
    assert ended.wait(5)
    assert called == ["cint-nb loop"] * 2


def test_after_the_end_of_the_loop_thread_nothing_is_called_and_none_is_started() -> None:
    loop_thread.run(_thread_name())
    loop_thread.shut_down()
    called: list[str] = []
    loop_thread.call(called.append, "late")
    assert loop_thread._current is None
    loop_thread.run(_thread_name())
    assert called == []


def test_submitted_work_goes_on_in_the_background_and_can_be_cancelled() -> None:
    async def work() -> int:
        return 42

    assert loop_thread.submit(work()).result(5) == 42
    forever = loop_thread.submit(asyncio.sleep(3600))
    assert forever.cancel()


def test_any_awaitable_can_be_waited_for() -> None:
    class Job:
        def __await__(self) -> Generator[Any, None, str]:
            return _thread_name().__await__()

    assert loop_thread.run(Job()) == "cint-nb loop"


def test_many_threads_share_the_one_loop() -> None:
    names: list[str] = []
    threads = [threading.Thread(target=lambda: names.append(loop_thread.run(_thread_name()))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert names == ["cint-nb loop"] * 8
    assert sum(thread.name == "cint-nb loop" for thread in threading.enumerate()) == 1


def test_after_shutting_down_the_next_use_begins_anew() -> None:
    pending = loop_thread.submit(asyncio.sleep(3600))
    loop_thread.shut_down()
    assert pending.cancelled()
    assert not any(thread.name == "cint-nb loop" for thread in threading.enumerate())
    assert loop_thread.run(_thread_name()) == "cint-nb loop"
    loop_thread.shut_down()
    loop_thread.shut_down()


def test_context_goes_along() -> None:
    import contextvars

    var = contextvars.ContextVar("var", default="unset")
    var.set("mine")

    async def read() -> str:
        return var.get()

    assert loop_thread.run(read()) == "mine"
