"""The background event loop that runs all I/O, and nested loops on request.

Blocking calls wait for it (`run`), coroutines of any other loop run on it (`run_on_loop`), background work is submitted
to it (`submit`). So one client serves plain code, `await` in a notebook and threads at once, and nothing is patched.
Where Python has no threads, the loop that runs in the calling thread takes its place; where none runs there, one of our
own does, and background work advances during the blocking calls.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import contextlib
import inspect
import os
import sys
import threading
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from typing import Any, Protocol, TypeVar

from cint_nb.caller_warnings import deliver_warnings
from cint_nb.domain.errors import LoopError

T = TypeVar("T")

WAIT_SLICE_SECONDS = 0.25
"""No wait is longer than this, so that an Interrupt takes effect at once on every kernel and system."""
_SHUTDOWN_SECONDS = 2.0
_NO_THREADS = sys.platform in ("emscripten", "wasi")
"""Python in a browser has no threads: there the same verbs run through an event loop in the calling thread."""


class Closable(Protocol):
    """Protocol for an object with connections that live on the loop."""

    async def aclose(self) -> None:
        """Close them."""
        ...


_closables: weakref.WeakSet[Closable] = weakref.WeakSet()


def close_at_exit(closable: Closable) -> None:
    """Close an object when the loop thread ends, if it still exists then."""
    _closables.add(closable)


class _LoopThread:
    """The event loop and its thread."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.process = os.getpid()
        self.thread = threading.Thread(target=self._serve, name="cint-nb loop", daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    def stop(self) -> None:
        """Cancel what still runs, close what is still open and end the thread, in bounded time."""
        if not self.thread.is_alive() or self.process != os.getpid():
            return
        closing = asyncio.run_coroutine_threadsafe(_shutdown(), self.loop)
        concurrent.futures.wait([closing], timeout=_SHUTDOWN_SECONDS)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(timeout=_SHUTDOWN_SECONDS)
        if not self.thread.is_alive():
            self.loop.close()


_thread_local = threading.local()
_lock = threading.Lock()
_current: _LoopThread | None = None
_kept_loop: asyncio.AbstractEventLoop | None = None
"""Without threads: kept between calls, because connections and pollers belong to the loop they were made on."""


def _running() -> _LoopThread:
    global _current
    with _lock:
        if _current is None or _current.process != os.getpid() or not _current.thread.is_alive():
            if _current is None:
                atexit.register(shut_down)
            _current = _LoopThread()
        return _current


def _loop() -> asyncio.AbstractEventLoop:
    """Return the loop for background work: that of the thread, or without threads the one that serves this code."""
    if not _NO_THREADS:
        return _running().loop
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return _loop_without_threads()


def _loop_without_threads() -> asyncio.AbstractEventLoop:
    global _kept_loop
    if _kept_loop is None:
        atexit.register(shut_down)
        _kept_loop = asyncio.new_event_loop()
    return _kept_loop


def shut_down() -> None:
    """End the loop, if there is one; the next use starts a new one. Called when the process ends."""
    global _current, _kept_loop
    with _lock:
        ending, _current = _current, None
        kept, _kept_loop = _kept_loop, None
    if ending is not None:
        ending.stop()
    if kept is not None:
        kept.run_until_complete(_shutdown())
        kept.close()


def on_loop_thread() -> bool:
    """Return whether this code runs on the loop thread, where waiting for it would never end."""
    return _current is not None and threading.current_thread() is _current.thread


def submit(coroutine: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
    """Start a coroutine in the background and return its future at once; any thread may cancel it."""
    return asyncio.run_coroutine_threadsafe(coroutine, _loop())


def call(function: Callable[..., object], *arguments: object) -> None:
    """Call a function on the loop thread, without waiting for it: at once when this code runs there.

    Nothing happens after the loop thread has ended: whatever ran on it has ended too.
    """
    if _NO_THREADS or on_loop_thread():
        function(*arguments)
        return
    current = _current
    if current is not None and current.process == os.getpid():
        with contextlib.suppress(RuntimeError):  # its loop has just been closed
            current.loop.call_soon_threadsafe(function, *arguments)


def cancel(work: concurrent.futures.Future[Any]) -> None:
    """Cancel submitted work from any thread, once the loop has finished its current step."""
    _loop().call_soon_threadsafe(work.cancel)


def run(awaitable: Awaitable[T]) -> T:
    """Wait for an awaitable from plain code and return its result.

    An Interrupt cancels it, waits briefly until it has ended, and is raised as `KeyboardInterrupt`. What was said
    meanwhile is shown as warnings in this thread.

    Raises:
        LoopError: when called on the loop thread itself, where it would wait for itself, or inside `forbid_blocking`.
    """
    check_may_block(awaitable)
    with deliver_warnings():
        if _NO_THREADS:
            return _run_without_threads(awaitable)
        work = _BlockingCall()
        try:
            future = submit(work.run(awaitable))
            while not concurrent.futures.wait([future], timeout=WAIT_SLICE_SECONDS).done:
                pass
        except BaseException:
            work.cancel_and_wait()
            raise
        return future.result()


def check_may_block(awaitable: object = None) -> None:
    """Raise where waiting would block the loop thread itself.

    Args:
        awaitable: What would have been waited for; a coroutine is closed.

    Raises:
        LoopError: on the loop thread, and inside `forbid_blocking`.
    """
    if not (on_loop_thread() or getattr(_thread_local, "blocking_forbidden", False)):
        return
    if inspect.iscoroutine(awaitable):
        awaitable.close()
    raise LoopError(
        "A blocking call was made from code that the package's event loop runs or waits for.",
        safe="nothing was sent by this call.",
        next_step="await the coroutine at client.aio there, or run the blocking call in a thread of your own.",
    )


@contextlib.contextmanager
def forbid_blocking() -> Iterator[None]:
    """Forbid blocking calls on this thread for the duration, because the loop thread may wait for it."""
    before, _thread_local.blocking_forbidden = getattr(_thread_local, "blocking_forbidden", False), True
    try:
        yield
    finally:
        _thread_local.blocking_forbidden = before


async def run_on_loop(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on the loop thread from any loop, and wait for it here.

    Cancelling the caller cancels the coroutine. On the loop thread itself it is awaited directly.
    """
    if _NO_THREADS or on_loop_thread():
        return await coroutine
    check_may_block(coroutine)
    with deliver_warnings():
        future = submit(coroutine)
        here = asyncio.wrap_future(future)
        try:
            while not here.done():
                await asyncio.wait([here], timeout=WAIT_SLICE_SECONDS)
        except BaseException:
            future.cancel()
            raise
        return here.result()


async def collect(items: AsyncIterator[T]) -> list[T]:
    """Return all that an asynchronous iterator yields, as a list."""
    return [item async for item in items]


class _BlockingCall:
    """A blocking wait that an Interrupt can cancel at any line."""

    def __init__(self) -> None:
        self._task: asyncio.Task[Any] | None = None
        self._cancelled = False
        self._ended = threading.Event()

    async def run(self, awaitable: Awaitable[T]) -> T:
        """Await it on the loop thread."""
        self._task = asyncio.current_task()
        try:
            if self._cancelled:
                if inspect.iscoroutine(awaitable):
                    awaitable.close()
                raise asyncio.CancelledError
            return await awaitable
        finally:
            self._ended.set()

    def cancel_and_wait(self) -> None:
        """Cancel it from the waiting thread, and wait briefly until it has ended."""
        self._cancelled = True
        _running().loop.call_soon_threadsafe(self._cancel)
        self._ended.wait(_SHUTDOWN_SECONDS)

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()


async def _shutdown() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_SHUTDOWN_SECONDS):
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.gather(*(closable.aclose() for closable in list(_closables)), return_exceptions=True)


def has_threads() -> bool:
    """Return whether this Python can start threads, so that a loop thread serves the blocking verbs."""
    return not _NO_THREADS


def _run_without_threads(awaitable: Awaitable[T]) -> T:
    """Wait without a loop thread: Pyodide suspends the caller; elsewhere a loop of our own runs until it is done."""
    if sys.platform == "emscripten":
        from pyodide.ffi import run_sync  # type: ignore[import-not-found]  # exists only inside a browser

        result: T = run_sync(awaitable)
        return result
    return _loop_without_threads().run_until_complete(awaitable)


def allow_nested_loops() -> None:
    """Make `asyncio.run` work inside a running loop, such as a notebook's, through nest_asyncio2.

    It changes asyncio for the whole process, so it happens only on request. Blocking calls and `await` work
    with and without it.

    Example:
        >>> import asyncio
        >>> cint.allow_nested_loops()
        >>> async def cell():
        ...     return asyncio.run(asyncio.sleep(0, "inside"))
        >>> asyncio.run(cell())
        'inside'
    """
    import nest_asyncio2

    nest_asyncio2.apply()


def archived_nest_asyncio_applied() -> bool:
    """Return whether the archived nest_asyncio (1.6 and before) has patched asyncio in this process.

    On ipykernel 7.1 and later that patch silently loses the queued cells of a Run All; `allow_nested_loops` does not.
    """
    return bool(getattr(asyncio, "_nest_patched", False)) and not hasattr(asyncio, "_nest_asyncio2")
