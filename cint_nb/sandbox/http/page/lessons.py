"""What each fault and each change elsewhere teaches, in one line, with the place where it teaches it best."""

from __future__ import annotations

from typing import NamedTuple


class Lesson(NamedTuple):
    """A lesson.

    Args:
        fault: The fault as it is written, with its moment.
        teaches: What one learns from it.
    """

    fault: str
    teaches: str


FAULT_LESSONS: tuple[Lesson, ...] = (
    Lesson("refuse@upload", "Nothing was sent, so that sending it again is safe."),
    Lesson("reset@upload", "Nobody knows whether it arrived: ask what is there before you send it again."),
    Lesson(
        "drop-reply@upload", "The exchange acted, its answer was lost: who sends again without asking uploads twice."
    ),
    Lesson("delay@status=40", "A slow answer looks like a lost one to those who do not wait long enough."),
    Lesson("429@list*3", "Too many requests are no failure: wait as long as Retry-After says."),
    Lesson("503@overview*2", "The exchange needs a moment; a read may simply be repeated."),
    Lesson("500@create", "An error before acting looks like one after it: only a look at the exchange tells which."),
    Lesson(
        "500-after@launch", "The launch happened although its answer is an error; the idempotency key keeps it one."
    ),
    Lesson("502@status", "A gateway answered, not the exchange: its page says nothing about the job."),
    Lesson("truncated@create", "The draft exists although its id cannot be read: it is found by its reference number."),
    Lesson("html@overview", "A web page with status 200 is no answer: a status alone proves nothing."),
    Lesson("404@upload", "This exchange may not have the address: an older one may do the same."),
    Lesson("401@status", "The token has expired: get another, ask again, once."),
    Lesson("expired-token@status", "403 may be an expired token or a missing right: a new token shows which."),
    Lesson("stale-etag@pause", "Somebody changed the run in between: read it again, and decide again."),
    Lesson("invalid@create", "A 400 names the field and has created nothing: it can be sent again, corrected."),
    Lesson("job-fails@upload", "Accepted is not done: only the job says what came of an upload."),
    Lesson("job-never-ends@upload", "A job may never end; waiting for it needs an end."),
    Lesson("partial@upload", "Some ids are rejected and nobody says which: compare what was sent with what is saved."),
    Lesson(
        "paused-by-marketplace@launch",
        "After six hours the marketplace pauses the run: watch the state, do not recall it.",
    ),
    Lesson("unknown-status@status", "A word that no document has is neither done nor failed."),
    Lesson("extra-fields@overview", "Contracts grow: a field nobody knows is no reason to stop."),
    Lesson("repeated-cursor@rsids", "A list that repeats its cursor never ends by itself."),
    Lesson("short-page@rsids", "A short page is not the end of a list; the cursor says where it ends."),
)
"""A lesson for each fault, in the order of the documentation."""

CHANGE_LESSONS: tuple[Lesson, ...] = (
    Lesson("field-edited:completes_goal@now", "The draft is no longer what you wrote: compare before you launch."),
    Lesson("group-renamed@now", "A name is no identity: ids and reference numbers find the target group again."),
    Lesson("project-renamed@now", "Who looks projects up by name makes a second one."),
    Lesson("goal-raised@now", "Somebody has raised what you may have to pay: approvals go with what stands there."),
    Lesson("price-raised@now", "The price is another one: goal times price is not what you computed."),
    Lesson("launched-elsewhere@now", "It is live already: your launch would be the second one."),
    Lesson("scheduled-elsewhere@now", "It starts by itself later: completing it now means cancelling."),
    Lesson("paused-elsewhere@now", "Nobody comes, and nothing is wrong: ask who paused it."),
    Lesson("resumed-elsewhere@now", "Money flows again although you had paused it."),
    Lesson("completed-elsewhere@now", "It is over: pausing and resuming no longer make sense, relaunching may."),
    Lesson("relaunched-elsewhere@now", "It runs again after you closed it."),
    Lesson("people-added@now", "The list holds people whom your file does not explain."),
    Lesson("list-emptied@now", "Nobody is left to come: a removal elsewhere takes your people too."),
    Lesson("list-swapped@now", "As many people as before, and none of them yours: counts agree, lists do not."),
    Lesson("group-archived@now", "It is put away: reading still works, nothing else does."),
    Lesson("group-deleted@now", "404 now means that it is gone, not that the path is wrong."),
    Lesson(
        "second-machine@create",
        "Two machines create in one moment: there are two drafts, and both must choose the same.",
    ),
    Lesson(
        "replica-lags:target-groups@create=3", "A list may not show yet what was created: absent is not known so soon."
    ),
)
"""A lesson for each change elsewhere, in the order of the documentation."""
