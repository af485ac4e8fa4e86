"""A background job as a handle made of plain data: look once, watch, wait, or come back tomorrow."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Generator, Iterable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any, Protocol

from pydantic import ValidationError

from cint_nb.api.jobs.poller import Poller
from cint_nb.api.jobs.schedule import DurationEstimate, DurationModel
from cint_nb.api.jobs.status import StatusFetcher
from cint_nb.domain.errors import InputError, JobFailed, WatchTimeout
from cint_nb.domain.jobs import JobHandle, JobSnapshot, JobState
from cint_nb.wire import loop_thread
from cint_nb.wire.http import Http

SnapshotListener = Callable[[JobSnapshot], None]
WatchCallback = Callable[[], None]

_log = logging.getLogger("cint_nb.api")
_log.addHandler(logging.NullHandler())


class HasHttp(Protocol):
    """Protocol for a client, which holds an `Http` and what it learned of the pace of jobs."""

    @property
    def http(self) -> Http:
        """Return what sends the requests."""
        ...

    @property
    def durations(self) -> DurationModel:
        """Return how fast this account's jobs were."""
        ...


class Job:
    """Follow one background job of the exchange. Giving up the following never stops the job.

    `await job` or `job.wait()` return the last snapshot, `partial` included, and raise `JobFailed` when the exchange
    says so. `watch()` yields every look. `Job.attach(client, job.handle)` continues in another process.

    Args:
        http: What sends the requests.
        handle: Which job.
        saved_before: Ids the target group held before the job, so that progress can be counted.
        pace: How fast earlier jobs were; the documented durations when left out.

    Serves the recontact guide, step 3, and removal, step 2.
    """

    def __init__(
        self, http: Http, handle: JobHandle, saved_before: int | None = None, *, pace: DurationModel | None = None
    ) -> None:
        self.http = http
        self.handle = handle
        self.last_snapshot: JobSnapshot | None = None
        self._fetcher = StatusFetcher(http, handle, saved_before, pace or DurationModel())
        self._listeners: list[tuple[SnapshotListener, WatchCallback | None]] = []
        self._poller = Poller(
            self._fetcher,
            on_snapshot=self._store_snapshot,
            get_last=lambda: self.last_snapshot,
            make_timeout_error=self._deadline_error,
            on_watch_changed=self._notify_watchers,
        )

    @classmethod
    def attach(cls, client: HasHttp | Http, handle: JobHandle | Mapping[str, Any] | str) -> Job:
        """Attach to a job from its handle, given as the object, its dict or its JSON; nothing is sent.

        Raises:
            InputError: it is no handle, or belongs to another exchange or account than the client.
        """
        try:
            if isinstance(handle, str):
                handle = JobHandle.model_validate_json(handle)
            elif not isinstance(handle, JobHandle):
                handle = JobHandle.model_validate(handle)
        except ValidationError as error:
            fields = ", ".join(sorted({".".join(map(str, item["loc"])) or "all" for item in error.errors()}))
            raise InputError(
                "This is no handle of a job.",
                evidence={"fields": fields},
                next_step="keep job.handle.model_dump_json() and give that text back unchanged; "
                "of an upload, its id is enough: client.recontacts.job(ref, job_id).",
            ) from None
        http, pace = (client, None) if isinstance(client, Http) else (client.http, client.durations)
        settings = http.settings
        if (handle.base_url, handle.account_id) != (settings.base_url, settings.account_id):
            raise InputError(
                "This job lives at another exchange or account than the client is connected to.",
                evidence={"job": f"{handle.base_url} account {handle.account_id}", "client": repr(settings)},
                next_step="connect to where the job lives, then attach it again.",
            )
        return cls(http, handle, pace=pace)

    @property
    def estimate(self) -> DurationEstimate:
        """Return how long the job takes in all, from the guide and from earlier jobs."""
        return self._fetcher.pace.estimate(self.handle)

    @property
    def resume_hint(self) -> str:
        """Return the line of code that continues following this job, in this or another process."""
        return f"Job.attach(client, '{self.handle.model_dump_json(exclude_defaults=True)}')"

    # --- looking ----------------------------------------------------------------------------------------------

    async def refresh(self) -> JobSnapshot:
        """Poll once, with one request, and return the snapshot.

        Raises:
            NotFound: no such job.
            CintError: whatever else kept the look from succeeding; the job itself is untouched.
        """
        return await loop_thread.run_on_loop(self._refresh())

    def watch(self, deadline: timedelta | float | None = None) -> AsyncIterator[JobSnapshot]:
        """Yield every look from now on until the job has ended; a failed one is yielded, not raised.

        However many watch, on whatever thread or loop, the looks and the requests are those of one. A job that is known
        to have ended yields its last snapshot, without a request.

        Args:
            deadline: Seconds or a span after which this watch gives up; scaled to the ids when left out, at least 30
                minutes.

        Raises:
            WatchTimeout: the deadline passed; the job goes on.
            CintError: nothing but failures for ten minutes, or an error that no waiting mends.
        """
        span = self._fetcher.pace.deadline(self.handle) if deadline is None else deadline
        return self._poller.watch(span.total_seconds() if isinstance(span, timedelta) else float(span))

    def wait(self, deadline: timedelta | float | None = None) -> JobSnapshot:
        """Block until the job has ended and return its last snapshot; `await job` does the same without blocking.

        Raises:
            JobFailed: the exchange says the job failed.
            WatchTimeout: the deadline passed, or `stop_watching()` was called; the job goes on.
            LoopError: called on the package's own loop thread.
        """
        try:
            return loop_thread.run(self._wait_until_final(deadline))
        except KeyboardInterrupt:
            raise KeyboardInterrupt(
                f"Stopped watching. The job goes on at the exchange; resume with {self.resume_hint}"
            ) from None

    def __await__(self) -> Generator[Any, None, JobSnapshot]:
        """Wait on any event loop."""
        return loop_thread.run_on_loop(self._wait_until_final(None)).__await__()

    def add_listener(
        self, listener: SnapshotListener, on_watch_changed: WatchCallback | None = None
    ) -> Callable[[], None]:
        """Call `listener` once with each snapshot, on the package's loop thread; it must only hand the value on.

        Args:
            listener: Takes a snapshot.
            on_watch_changed: Called when `is_watched` changes: somebody begins to watch the job, or nobody is left.

        Returns:
            What ends both calls.
        """
        entry = (listener, on_watch_changed)
        self._listeners.append(entry)

        def forget() -> None:
            if entry in self._listeners:
                self._listeners.remove(entry)

        return forget

    @property
    def is_watched(self) -> bool:
        """Whether anybody looks at the job now."""
        return self._poller.is_running

    def stop_watching(self) -> None:
        """End every watch and wait of this job, from any thread. The job itself goes on."""
        self._poller.stop()

    def __repr__(self) -> str:
        """Show kind and state, without ids or times."""
        return f"<Job {self.handle.kind}: {self.last_snapshot.state if self.last_snapshot else 'not looked at yet'}>"

    # --- inside -----------------------------------------------------------------------------------------------

    async def _wait_until_final(self, deadline: timedelta | float | None) -> JobSnapshot:
        seen: JobSnapshot | None = None
        async for look in self.watch(deadline):
            seen = look
        if seen is None or not seen.is_final:
            raise self._watch_ended_error("watching was stopped", None)
        if seen.state is JobState.FAILED:
            raise JobFailed(
                f"The {self.handle.kind} job failed: {seen.failure_message or 'no reason was given'}.",
                evidence={
                    "job_id": self.handle.job_id,
                    "failure_code": seen.failure_code or None,
                    "trace_id": seen.trace_id or None,
                    "request_id": seen.request_id or None,
                },
                safe="what the target group held before is still there.",
                next_step="mend the reason and start a new job; give trace_id to Cint support if it stays.",
            )
        return seen

    async def _refresh(self) -> JobSnapshot:
        return self._store_snapshot(await self._fetcher.fetch())

    def _store_snapshot(self, seen: JobSnapshot) -> JobSnapshot:
        if self.last_snapshot is not None and self.last_snapshot.is_final and not seen.is_final:
            return seen  # two looks crossed on the wire; the end stands
        self.last_snapshot = seen
        self._notify(partial(listener, seen) for listener, _ in list(self._listeners))
        return seen

    def _notify_watchers(self) -> None:
        self._notify(on_watch for _, on_watch in list(self._listeners) if on_watch is not None)

    def _notify(self, calls: Iterable[Callable[[], None]]) -> None:
        for call in calls:
            try:
                call()
            except Exception:  # noqa: BLE001 - a display that breaks must not end the watching
                _log.exception("a progress listener failed")
                self._fetcher.warn_once("a listener", "A progress listener failed; the job is still followed.")

    def _deadline_error(self, seconds: float) -> WatchTimeout:
        return self._watch_ended_error("the deadline passed", seconds)

    def _watch_ended_error(self, why: str, limit: float | None) -> WatchTimeout:
        return WatchTimeout(
            f"Watching the {self.handle.kind} job ended: {why}.",
            evidence={"job_id": self.handle.job_id or None, "looks": self._fetcher.polls, "seconds": limit},
            safe="the job goes on at the exchange.",
            next_step=f"watch it again with {self.resume_hint}",
        )
