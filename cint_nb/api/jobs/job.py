"""A background job: refresh, watch, wait, or resume it later from its handle."""

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
from cint_nb.domain.arguments import check_arguments
from cint_nb.domain.errors import InputError, JobFailed, WatchTimeout
from cint_nb.domain.ids import LiveDisplay, printable
from cint_nb.domain.jobs import JobHandle, JobSnapshot, JobState
from cint_nb.wire import loop_thread
from cint_nb.wire.http import Http

SnapshotListener = Callable[[JobSnapshot], None]
WatchCallback = Callable[[], None]

_log = logging.getLogger("cint_nb.api")
_log.addHandler(logging.NullHandler())


class HasHttp(Protocol):
    """Protocol for a client: an `Http`, and what was learned about the duration of jobs."""

    @property
    def http(self) -> Http:
        """What sends the requests."""
        ...

    @property
    def durations(self) -> DurationModel:
        """How fast this account's jobs were."""
        ...


@check_arguments()
class Job(LiveDisplay):
    """One background job of the exchange, which can be followed. To stop following it never stops the job.

    `await job` and `job.wait()` return the last snapshot, `partial` included, and raise `JobFailed` if the exchange
    reports a failure. `watch()` yields every snapshot. `Job.attach(client, job.handle)` continues in another process.

    Args:
        http: What sends the requests.
        handle: Which job.
        saved_before: Number of ids saved before the job, so that progress can be counted.
        durations: How fast earlier jobs were; the documented durations if omitted.

    Serves the recontact guide, step 3, and removal, step 2.

    Example:
        >>> job = draft.upload(wait=False)
        >>> print(job.wait().state)
        partial
    """

    def __init__(
        self, http: Http, handle: JobHandle, saved_before: int | None = None, *, durations: DurationModel | None = None
    ) -> None:
        self.http = http
        self.handle = handle
        self.last_snapshot: JobSnapshot | None = None
        self._fetcher = StatusFetcher(http, handle, saved_before, durations or DurationModel())
        self._listeners: list[tuple[SnapshotListener, WatchCallback | None]] = []
        self._poller = Poller(
            self._fetcher,
            on_snapshot=self._store_snapshot,
            get_last=lambda: self.last_snapshot,
            make_timeout_error=self._deadline_error,
            on_watch_changed=self._notify_watchers,
        )

    @classmethod
    def attach(
        cls, client: HasHttp | Http, handle: JobHandle | Mapping[str, Any] | str, *, saved_before: int | None = None
    ) -> Job:
        """Attach to a job by its handle; nothing is sent.

        Args:
            client: The client, on the exchange and account of the job.
            handle: The handle as the object, its dict or its JSON.
            saved_before: Number of ids saved before the job, so that its progress can be counted; None if not known.

        Raises:
            InputError: it is not a job handle, or belongs to a different exchange or account than the client's.

        Example:
            >>> job = draft.upload(wait=False)
            >>> again = cint.Job.attach(client, job.handle)
            >>> print(again.wait().state)
            partial
        """
        try:
            if isinstance(handle, str):
                handle = JobHandle.model_validate_json(handle)
            elif not isinstance(handle, JobHandle):
                handle = JobHandle.model_validate(handle)
        except ValidationError as error:
            fields = ", ".join(sorted({".".join(map(str, item["loc"])) or "all" for item in error.errors()}))
            raise InputError(
                "This is not a job handle.",
                evidence={"fields": fields},
                next_step="save job.handle.model_dump_json() and pass that text back unchanged. "
                "For an upload the job ID is enough: client.recontacts.job(ref, job_id).",
            ) from None
        http, durations = (client, None) if isinstance(client, Http) else (client.http, client.durations)
        settings = http.settings
        if (handle.base_url, handle.account_id) != (settings.base_url, settings.account_id):
            raise InputError(
                "This job belongs to a different exchange or account than the client's.",
                evidence={"job": f"{handle.base_url} account {handle.account_id}", "client": repr(settings)},
                next_step="connect to that exchange and account, then attach the job again.",
            )
        return cls(http, handle, saved_before, durations=durations)

    @property
    def estimate(self) -> DurationEstimate:
        """The total duration of the job, from the guide and from earlier jobs."""
        return self._fetcher.durations.estimate(self.handle)

    @property
    def resume_hint(self) -> str:
        """The line of code that continues to follow this job, in this or another process."""
        return f"cint.Job.attach(client, '{self.handle.model_dump_json(exclude_defaults=True)}')"

    # --- polling ----------------------------------------------------------------------------------------------

    async def refresh(self) -> JobSnapshot:
        """Poll once on any event loop: `await job.refresh()`; `job.poll()` does the same in plain code.

        Raises:
            NotFound: the job does not exist.
            CintError: the poll failed for another reason; the job itself is not affected.

        Example:
            >>> import asyncio
            >>> job = draft.upload(wait=False)
            >>> print(asyncio.run(job.refresh()).state)
            running
        """
        return await loop_thread.run_on_loop(self._refresh())

    def poll(self) -> JobSnapshot:
        """Poll once, with one request, and return the snapshot; `await job.refresh()` does the same.

        Raises:
            NotFound: the job does not exist.
            CintError: the poll failed for another reason; the job itself is not affected.
            LoopError: called on the package's own loop thread.

        Example:
            >>> job = draft.upload(wait=False)
            >>> print(job.poll().state)
            running
        """
        return loop_thread.run(self._refresh())

    def watch(self, deadline: timedelta | float | None = None) -> AsyncIterator[JobSnapshot]:
        """Yield every snapshot from now on until the job has ended; that of a failed job is yielded, not raised.

        However many watch, on whatever thread or loop, the polls and the requests are those of one. For a job that is
        known to have ended, only its last snapshot is yielded, without a request.

        Args:
            deadline: Seconds, or a timedelta, after which this watch gives up. If omitted: scaled to the number of ids,
                at least 30 minutes.

        Raises:
            WatchTimeout: the deadline passed; the job continues.
            CintError: every poll failed for ten minutes, or an error that waiting cannot fix.

        Example:
            >>> import asyncio
            >>> job = client.recontacts.upload(draft.target_group, people)
            >>> async def states():
            ...     return [str(snapshot.state) async for snapshot in job.watch()]
            >>> asyncio.run(states())[-1]
            'partial'
        """
        span = self._fetcher.durations.deadline(self.handle) if deadline is None else deadline
        return self._poller.watch(span.total_seconds() if isinstance(span, timedelta) else float(span))

    def wait(self, deadline: timedelta | float | None = None) -> JobSnapshot:
        """Block until the job has ended and return its last snapshot; `await job` does the same without blocking.

        Raises:
            JobFailed: the exchange reports that the job failed.
            WatchTimeout: the deadline passed, or `stop_watching()` was called; the job continues.
            LoopError: called on the package's own loop thread.

        Example:
            >>> job = client.recontacts.upload(draft.target_group, people)
            >>> print(job.wait().state)
            partial
        """
        try:
            return loop_thread.run(self._wait_until_final(deadline))
        except KeyboardInterrupt:
            raise KeyboardInterrupt(
                f"Stopped following. The job continues on the exchange; resume with {self.resume_hint}"
            ) from None

    def __await__(self) -> Generator[Any, None, JobSnapshot]:
        """Wait for the end of the job, on any event loop."""
        return loop_thread.run_on_loop(self._wait_until_final(None)).__await__()

    def add_listener(
        self, listener: SnapshotListener, on_watch_changed: WatchCallback | None = None
    ) -> Callable[[], None]:
        """Call `listener` once with each snapshot, on the package's loop thread; it must return quickly.

        Args:
            listener: Called with a snapshot.
            on_watch_changed: Called when `is_watched` changes: somebody starts to watch the job, or nobody is left.

        Returns:
            A function that removes both.

        Example:
            >>> seen = []
            >>> job = client.recontacts.upload(draft.target_group, people)
            >>> stop = job.add_listener(seen.append)
            >>> print(job.wait().state)
            partial
            >>> print(seen[-1].state)
            partial
        """
        entry = (listener, on_watch_changed)
        self._listeners.append(entry)

        def remove() -> None:
            if entry in self._listeners:
                self._listeners.remove(entry)

        return remove

    @property
    def is_watched(self) -> bool:
        """Whether anybody is watching the job now."""
        return self._poller.is_running

    def stop_watching(self) -> None:
        """End every watch and wait of this job, from any thread. The job itself continues.

        Example:
            >>> job = client.recontacts.upload(draft.target_group, people)
            >>> job.stop_watching()
            >>> job.is_watched
            False
        """
        self._poller.stop()

    @printable
    def __repr__(self) -> str:
        """Show kind and state, without ids or times."""
        return f"<Job {self.handle.kind}: {self.last_snapshot.state if self.last_snapshot else 'not polled yet'}>"

    # --- inside -----------------------------------------------------------------------------------------------

    async def _wait_until_final(self, deadline: timedelta | float | None) -> JobSnapshot:
        last: JobSnapshot | None = None
        async for snapshot in self.watch(deadline):
            last = snapshot
        if last is None or not last.is_final:
            raise self._watch_ended_error("following was stopped", None)
        if last.state is JobState.FAILED:
            raise JobFailed(
                f"The {self.handle.kind} job failed: {last.failure_message or 'no reason was given'}.",
                evidence={
                    "job_id": self.handle.job_id,
                    "failure_code": last.failure_code or None,
                    "trace_id": last.trace_id or None,
                    "request_id": last.request_id or None,
                },
                safe="IDs saved before this job are unchanged.",
                next_step="fix the cause and start a new job; if it recurs, send trace_id to Cint support.",
            )
        return last

    async def _refresh(self) -> JobSnapshot:
        return self._store_snapshot(await self._fetcher.fetch())

    def _store_snapshot(self, snapshot: JobSnapshot) -> JobSnapshot:
        if self.last_snapshot is not None and self.last_snapshot.is_final and not snapshot.is_final:
            return snapshot  # the replies of two polls arrived in reverse order; the final one stands
        self.last_snapshot = snapshot
        self._notify(partial(listener, snapshot) for listener, _ in list(self._listeners))
        return snapshot

    def _notify_watchers(self) -> None:
        self._notify(callback for _, callback in list(self._listeners) if callback is not None)

    def _notify(self, calls: Iterable[Callable[[], None]]) -> None:
        for call in calls:
            try:
                call()
            except Exception:  # noqa: BLE001 - a display that fails must not end the watch
                _log.exception("a progress listener failed")
                self._fetcher.warn_once("a listener", "A progress listener failed; the job is still being followed.")

    def _deadline_error(self, seconds: float) -> WatchTimeout:
        return self._watch_ended_error("the deadline passed", seconds)

    def _watch_ended_error(self, why: str, limit: float | None) -> WatchTimeout:
        return WatchTimeout(
            f"Stopped following the {self.handle.kind} job: {why}.",
            evidence={"job_id": self.handle.job_id or None, "polls": self._fetcher.polls, "seconds": limit},
            safe="the job continues on the exchange.",
            next_step=f"follow it again with {self.resume_hint}",
        )
