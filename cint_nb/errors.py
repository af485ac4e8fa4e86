"""Every error a caller of cint_nb can catch, under one name.

```
CintError
├── InputError (also ValueError)      stopped before the network
│   ├── RespondentFileError           the file cannot be read as respondent IDs
│   ├── PlanError                     a field of the target group plan is wrong
│   └── SettingsError                 mode, credentials or account are missing or wrong
├── PreflightBlocked                  a finding of severity block stands
├── BudgetExceeded                    the wave can cost more than the budget given
├── NothingToResubmit                 no rejected ID can still succeed
├── TransportError
│   ├── NotSent                       the request never left: retrying is safe
│   └── OutcomeUnknown                the reply was lost: check before retrying
│       └── DeadlineExceeded          the overall time limit of a call has passed
├── ApiError                          the exchange returned an error
│   ├── BadRequest 400, NotAuthenticated 401, PermissionDenied 403, NotFound 404
│   ├── Conflict 409
│   │   └── JobAlreadyRunning         another job runs for the target group
│   ├── PreconditionFailed 412, FileTooLarge 413, UnsupportedMediaType 415
│   ├── InvalidState 422, RateLimited 429, ServerError 5xx
│   └── UnexpectedReply               a success that cannot be understood
├── JobError
│   ├── JobFailed                     the exchange says the job failed
│   ├── JobStatusUnknown              it ended, with a word that is not documented
│   └── WatchTimeout                  watching ended, the job continues
├── JournalError
│   ├── WaveBusy                      another process works on the same wave
│   └── JournalDamaged                the journal file cannot be read
├── HistoryError                      the folder of a history is damaged or holds something else
│   └── HistoryBusy                   another process writes the same history
├── NotRecorded                       replay met a request that was never recorded
└── LoopError                         a blocking verb was called where it would deadlock
```

Each message says what happened, what is known, what is safe and what to do next. Respondent IDs and secrets never
enter one. What stops nothing is a `CintWarning`, shown by Python's `warnings`.
"""

from __future__ import annotations

from cint_nb.domain.errors import (
    ApiError,
    BadRequest,
    BudgetExceeded,
    CintError,
    CintWarning,
    Conflict,
    DeadlineExceeded,
    FileTooLarge,
    HistoryBusy,
    HistoryError,
    InputError,
    InvalidState,
    JobAlreadyRunning,
    JobError,
    JobFailed,
    JobStatusUnknown,
    JournalError,
    LoopError,
    NotAuthenticated,
    NotFound,
    NothingToResubmit,
    NotRecorded,
    NotSent,
    OutcomeUnknown,
    PermissionDenied,
    PlanError,
    PreconditionFailed,
    PreflightBlocked,
    RateLimited,
    RespondentFileError,
    ServerError,
    SettingsError,
    TransportError,
    UnexpectedReply,
    UnsupportedMediaType,
    WatchTimeout,
    WaveBusy,
)

__all__ = [
    "ApiError",
    "BadRequest",
    "BudgetExceeded",
    "CintError",
    "CintWarning",
    "Conflict",
    "DeadlineExceeded",
    "FileTooLarge",
    "HistoryBusy",
    "HistoryError",
    "InputError",
    "InvalidState",
    "JobAlreadyRunning",
    "JobError",
    "JobFailed",
    "JobStatusUnknown",
    "JournalError",
    "LoopError",
    "NotAuthenticated",
    "NotFound",
    "NotRecorded",
    "NotSent",
    "NothingToResubmit",
    "OutcomeUnknown",
    "PermissionDenied",
    "PlanError",
    "PreconditionFailed",
    "PreflightBlocked",
    "RateLimited",
    "RespondentFileError",
    "ServerError",
    "SettingsError",
    "TransportError",
    "UnexpectedReply",
    "UnsupportedMediaType",
    "WatchTimeout",
    "WaveBusy",
]
