"""All errors of the package: one tree, their four-line form, and how a notebook shows them.

The tree is drawn in `cint_nb.errors`, where callers import them from.

Respondent IDs and secrets never enter a message.
"""

from __future__ import annotations

import linecache
import os
import sysconfig
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar

from cint_nb.domain.ids import RichDisplay, mask_ids_in, printable


class CintError(RichDisplay, Exception):
    """Base of all errors of the package: what happened, what is known, what is safe, what to do next.

    Args:
        what: One sentence about what happened.
        evidence: Known facts such as `status`, `request_id`, `job_id`, `field` or `line`. Never ids of respondents.
        safe: What is safe to do or to assume now; what the class of the error says if omitted.
        next_step: The next thing to do; None if nothing can be advised.
    """

    code: ClassVar[str] = "cint_error"
    default_safe: ClassVar[str | None] = None

    def __init__(
        self,
        what: str,
        *,
        evidence: Mapping[str, Any] | None = None,
        safe: str | None = None,
        next_step: str | None = None,
    ) -> None:
        self.what = what
        self.evidence: dict[str, Any] = {key: value for key, value in (evidence or {}).items() if value is not None}
        self.safe = safe or self.default_safe
        self.next_step = next_step
        super().__init__(what)

    @printable
    def __str__(self) -> str:
        """Return the message, its evidence, what is safe and the next step, one line each."""
        known = ", ".join(f"{key}={value}" for key, value in self.evidence.items())
        parts = {"Known": known, "Safe": self.safe, "Next": self.next_step}
        lines = [self.what, *(f"{word}: {text}" for word, text in parts.items() if text)]
        return "\n".join(lines).encode("utf-8", "replace").decode("utf-8")  # a file's name may have bytes of no text

    @printable
    def __repr__(self) -> str:
        """Show the class and the message."""
        return super().__repr__()

    @property
    def _render_traceback_(self) -> Callable[[], list[str]]:
        """The traceback IPython shows in place of its own."""
        if wants_full_tracebacks():
            raise AttributeError("_render_traceback_")
        return lambda: notebook_traceback(self)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle everything but the raw reply, which may contain ids."""
        kept = {name: value for name, value in self.__dict__.items() if name != "body"}
        return (type(self), (self.what,), kept)


class InputError(CintError, ValueError):
    """Invalid input; nothing was sent."""

    code = "bad_input"
    default_safe = "nothing was sent or changed."


class RespondentFileError(InputError):
    """A respondent file that cannot be read or uploaded; `what`, `evidence`, `safe` and `next_step` hold no whole id.

    If a file has no header, its first ids are taken for column names, so ids are masked whatever they stand for.
    """

    code = "respondent_file"

    def __init__(
        self,
        what: str,
        *,
        evidence: Mapping[str, Any] | None = None,
        safe: str | None = None,
        next_step: str | None = None,
    ) -> None:
        known = {
            key: mask_ids_in(value) if isinstance(value, str) else value for key, value in (evidence or {}).items()
        }
        masked_step = None if next_step is None else mask_ids_in(next_step)
        super().__init__(mask_ids_in(what), evidence=known, safe=safe, next_step=masked_step)


class PlanError(InputError):
    """A target group plan with a missing or invalid field."""

    code = "plan"


class SettingsError(InputError):
    """Settings that cannot work: mode, credentials, account or host."""

    code = "settings"


class PreflightBlocked(CintError):
    """A finding of severity *block* stops this step; `findings` has them all."""

    code = "preflight_blocked"
    findings: tuple[Any, ...] = ()


class BudgetExceeded(CintError):
    """The wave could cost more than the budget allows."""

    code = "budget_exceeded"


class NothingToResubmit(CintError):
    """No rejected id can still succeed."""

    code = "nothing_to_resubmit"


class TransportError(CintError):
    """No usable reply came back."""

    code = "transport"


class NotSent(TransportError):
    """The request never reached the exchange; retrying is safe."""

    code = "not_sent"


class OutcomeUnknown(TransportError):
    """The reply was lost: the request may or may not have taken effect. Check before retrying."""

    code = "outcome_unknown"


class DeadlineExceeded(OutcomeUnknown):
    """The deadline of a call has passed."""

    code = "deadline_exceeded"


class ApiError(CintError):
    """An error reply from the exchange; `evidence` has `status` and `request_id`, `body` is the raw reply.

    `is_web_page` says that something before the exchange answered, so that the exchange itself said nothing.
    """

    code = "api_error"
    body: bytes = b""
    is_web_page: bool = False
    invalid_params: tuple[tuple[str | None, str | None], ...] = ()

    @property
    def status(self) -> int | None:
        """The HTTP status of the reply; None if there was none, because the exchange was not asked."""
        status: int | None = self.evidence.get("status")
        return status


class BadRequest(ApiError):
    """400: the request or the file has the wrong form."""

    code = "bad_request"


class NotAuthenticated(ApiError):
    """401: the token is missing, invalid or expired."""

    code = "not_authenticated"


class PermissionDenied(ApiError):
    """403: expired token, missing version header, or a right the account does not have."""

    code = "permission_denied"


class NotFound(ApiError):
    """404: an id in the path is wrong, or the resource does not exist."""

    code = "not_found"


class Conflict(ApiError):
    """409 or 423: the resource is in use."""

    code = "conflict"


class JobAlreadyRunning(Conflict):
    """409 on a recontact or exclusion path: one job at a time runs for a target group."""

    code = "job_already_running"


class PreconditionFailed(ApiError):
    """412: the resource has changed since it was read."""

    code = "precondition_failed"


class FileTooLarge(ApiError):
    """413: the file exceeds 5 MB."""

    code = "file_too_large"


class UnsupportedMediaType(ApiError):
    """415: the upload is not valid multipart."""

    code = "unsupported_media_type"


class InvalidState(ApiError):
    """422: the resource's state does not allow this action."""

    code = "invalid_state"


class RateLimited(ApiError):
    """429 or 425: sent too often, or too early; nothing was done."""

    code = "rate_limited"


class ServerError(ApiError):
    """5xx or 408: the exchange failed, or gave up waiting; or a web page hides what it did with a changing request."""

    code = "server_error"


class UnexpectedReply(ApiError):
    """A reply with a success status that cannot be interpreted."""

    code = "unexpected_reply"


class JobError(CintError):
    """A background job that failed, or a watch that ended before the job did."""

    code = "job_error"


class JobFailed(JobError):
    """The exchange reports that the job failed."""

    code = "job_failed"


class JobStatusUnknown(JobError):
    """The job has ended with a status that is not documented, so that its result is not known."""

    code = "job_status_unknown"


class WatchTimeout(JobError):
    """The watch timed out; the job continues."""

    code = "watch_timeout"


class JournalError(CintError):
    """A problem with the wave journal."""

    code = "journal"


class WaveBusy(JournalError):
    """Another process is working on this wave."""

    code = "wave_busy"


class JournalDamaged(JournalError):
    """The journal is damaged and cannot be read."""

    code = "journal_damaged"


class HistoryError(CintError):
    """The folder of a history cannot be used: it is damaged, of another version, or holds something else."""

    code = "history"


class HistoryBusy(HistoryError):
    """Another process is writing the same history."""

    code = "history_busy"


class NotRecorded(CintError):
    """A replayed request that was never recorded."""

    code = "not_recorded"


class LoopError(CintError):
    """A blocking call where it would wait for itself."""

    code = "loop"


class CintWarning(UserWarning):
    """Something to know that stops nothing; every warning of the package is one."""


ERROR_CLASS_BY_STATUS: Mapping[int, type[ApiError]] = {
    400: BadRequest,
    401: NotAuthenticated,
    403: PermissionDenied,
    404: NotFound,
    409: Conflict,
    412: PreconditionFailed,
    413: FileTooLarge,
    415: UnsupportedMediaType,
    422: InvalidState,
    423: Conflict,
    425: RateLimited,
    429: RateLimited,
}


def error_class_for_status(status: int) -> type[ApiError]:
    """Return the error class for an HTTP `status`; `ServerError` for 5xx and 408, `ApiError` for an unlisted 4xx."""
    return ServerError if status >= 500 or status == 408 else ERROR_CLASS_BY_STATUS.get(status, ApiError)


FULL_TRACEBACK_VARIABLE = "CINT_NB_FULL_TRACEBACK"
"""Any value restores IPython's own tracebacks, for developers of the package."""

LIBRARY_PATHS = (str(Path(__file__).parents[1]), *{sysconfig.get_path(name) for name in ("stdlib", "purelib")})
"""Where code lies that is not the reader's own."""


def wants_full_tracebacks() -> bool:
    """Return whether tracebacks with every frame are wanted, as by developers of the package."""
    return bool(os.environ.get(FULL_TRACEBACK_VARIABLE))


def notebook_traceback(error: BaseException) -> list[str]:
    """Return what a notebook shows for an error: where in the reader's code it occurred, and the message.

    An error deep in a request has about a hundred lines of traceback, and IPython's verbose mode adds the values of all
    variables, respondent ids included.
    """
    name = f"\x1b[31m{type(error).__name__}\x1b[0m"
    return ["\n".join([name, *_user_frames(error.__traceback__), str(error)])]


def _user_frames(frames: TracebackType | None) -> Iterator[str]:
    while frames is not None:
        code = frames.tb_frame.f_code
        if not code.co_filename.startswith(LIBRARY_PATHS):
            where = "cell" if code.co_name == "<module>" else f"{code.co_name}()"
            line = linecache.getline(code.co_filename, frames.tb_lineno).strip()
            yield f"{where}, line {frames.tb_lineno}: {line}"
        frames = frames.tb_next
