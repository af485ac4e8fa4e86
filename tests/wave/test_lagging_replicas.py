"""A list that does not show what was just sent proves nothing: no draft and no upload is doubled because of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cint_nb.domain.errors import BadRequest, OutcomeUnknown
from cint_nb.domain.jobs import JobState
from cint_nb.domain.limits import RECHECK_AFTER_SECONDS
from cint_nb.wave.client import Client
from cint_nb.wave.journal.journal import EntryState, Journal
from cint_nb.wave.journal.payloads import DRAFT, UPLOAD, Payload, Step
from cint_nb.wave.wave import Wave

Make = Callable[..., Wave]
CREATE, SEND = "create", "upload"
LISTS = {CREATE: "target-groups", SEND: "upload-jobs"}
ENTRIES = {CREATE: DRAFT, SEND: UPLOAD}


def run_verb(wave: Wave, verb: str) -> Any:
    if verb == SEND:
        wave.create()
    return getattr(wave, verb)()


def count_created(client: Client, verb: str) -> int:
    world = client.sandbox.world
    if verb == CREATE:
        return len(world.groups)
    return sum(job.kind == "recontact-upload" for job in world.jobs.values())


@pytest.fixture
def die_unanswered(monkeypatch: pytest.MonkeyPatch) -> Callable[[Wave, str], None]:
    """Run a verb in a process that dies after its request was sent, before it notes the answer."""

    def run(wave: Wave, verb: str) -> None:
        write = Journal.write

        def write_intents_only(
            self: Journal, key: Any, step: Step[Payload], state: EntryState, *more: Any, **named: Any
        ) -> None:
            if step == ENTRIES[verb] and state is not EntryState.INTENT:
                raise RuntimeError("the process dies here")
            write(self, key, step, state, *more, **named)

        with monkeypatch.context() as patched:
            patched.setattr(Journal, "write", write_intents_only)
            with pytest.raises(RuntimeError, match="dies here"):
                getattr(wave, verb)()

    return run


@pytest.mark.parametrize("reads", [1, 2])
@pytest.mark.parametrize("verb", LISTS)
def test_after_a_lost_reply_nothing_is_doubled_while_the_list_lags(
    client: Client, make_wave: Make, verb: str, reads: int
) -> None:
    client.sandbox.faults.arm(f"replica-lags:{LISTS[verb]}@{verb}={reads}")
    client.sandbox.faults.arm(f"drop-reply@{verb}")
    run_verb(make_wave(), verb)
    assert [fault.fired for fault in client.sandbox.faults.armed] == [1, 1]
    assert count_created(client, verb) == 1


@pytest.mark.parametrize("verb", LISTS)
def test_a_process_that_died_unanswered_is_continued_while_the_list_lags(
    client: Client, make_wave: Make, die_unanswered: Callable[[Wave, str], None], verb: str
) -> None:
    wave = make_wave()
    if verb == SEND:
        wave.create()
    # The last of three checks finds it. Before them the upload reads its list once, the draft its list six times.
    client.sandbox.faults.arm(f"replica-lags:{LISTS[verb]}@{verb}={10 if verb == CREATE else 3}")
    die_unanswered(wave, verb)
    began = client.clock.monotonic()
    run_verb(make_wave(), verb)
    assert client.clock.monotonic() - began >= 60
    assert count_created(client, verb) == 1


@pytest.mark.parametrize("verb", LISTS)
def test_where_a_check_fails_nothing_is_sent_until_one_does_not(client: Client, make_wave: Make, verb: str) -> None:
    step = {CREATE: "get_list_target_groups", SEND: "recontact_list_upload_respondents_by_file_jobs"}[verb]
    wave = make_wave()
    wave.create() if verb == SEND else client.projects.create("Brand tracker", wave.plan.project_manager_id)
    client.sandbox.faults.arm(f"drop-reply@{verb}")
    client.sandbox.faults.arm(f"404@{step}*always+{7 if verb == CREATE else 2}")
    with pytest.raises(OutcomeUnknown) as caught:
        getattr(wave, verb)()
    assert caught.value.next_step
    client.sandbox.faults.clear()
    getattr(make_wave(), verb)()
    assert count_created(client, verb) == 1


def test_an_upload_that_has_ended_is_not_sent_again_while_the_list_lags(client: Client, make_wave: Make) -> None:
    wave = make_wave()
    wave.create()
    client.sandbox.faults.arm("replica-lags:upload-jobs@upload=100")
    first = wave.upload()
    assert first.state is JobState.PARTIAL
    assert make_wave().upload() == first
    assert count_created(client, SEND) == 1


@pytest.mark.parametrize("verb", LISTS)
def test_a_request_that_was_refused_is_sent_again_without_a_wait(
    client: Client, make_wave: Make, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    wave = make_wave()
    if verb == SEND:
        wave.create()
    client.sandbox.faults.arm(f"invalid@{verb}")
    with pytest.raises(BadRequest):
        getattr(wave, verb)()
    assert [entry.state for entry in client.aio.journal.entries(step=ENTRIES[verb])][-1] is EntryState.FAILED
    slept = list[float]()
    sleep = client.clock.sleep

    async def sleep_and_note(seconds: float) -> None:
        slept.append(seconds)
        await sleep(seconds)

    monkeypatch.setattr(client.clock, "sleep", sleep_and_note)
    getattr(make_wave(), verb)()
    assert RECHECK_AFTER_SECONDS[-1] - RECHECK_AFTER_SECONDS[-2] not in slept
    assert count_created(client, verb) == 1
