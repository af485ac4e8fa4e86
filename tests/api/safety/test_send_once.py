"""Send, check, adopt or send a second time: the order and its limits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from cint_nb.api.safety.send_once import listen_to_checks, send_once
from cint_nb.domain.errors import BadRequest, CintError, Conflict, NotFound, OutcomeUnknown, ServerError
from cint_nb.wire import loop_thread
from cint_nb.wire.clock import ReplayClock
from cint_nb.wire.http import Http
from cint_nb.wire.settings import Settings


@pytest.fixture
def http() -> Http:
    nobody = httpx.MockTransport(lambda _: httpx.Response(500))
    clock = ReplayClock(datetime(2026, 9, 1, tzinfo=UTC))
    return Http(Settings.load("sandbox", environ={}), transport=nobody, clock=clock)


class ScriptedSend:
    """Sends and checks with scripted outcomes, and the time of each."""

    def __init__(self, http: Http, sends: list[Any], checks: list[Any], conflict: Any = None) -> None:
        self.http, self.log = http, list[tuple[str, float]]()
        self._sends, self._checks, self._conflict = iter(sends), iter(checks), conflict

    def _play(self, what: str, outcomes: Any) -> Callable[[], Any]:
        async def play() -> Any:
            self.log.append((what, self.http.clock.monotonic()))
            outcome = next(outcomes)
            if isinstance(outcome, CintError):
                raise outcome
            return outcome

        return play

    def run(self) -> Any:
        send, check = self._play("send", self._sends), self._play("check", self._checks)
        check_conflict = None if self._conflict is None else self._play("conflict", iter([self._conflict]))
        return loop_thread.run(
            send_once(self.http, send, check, check_conflict=check_conflict, what="do it", token="t1")
        )


def test_a_reply_needs_no_look(http: Http) -> None:
    scripted = ScriptedSend(http, ["made"], [])
    assert scripted.run() == "made"
    assert scripted.log == [("send", 0.0)]


def test_after_a_lost_reply_it_reads_three_times_over_a_minute_and_then_sends_once_more(http: Http) -> None:
    scripted = ScriptedSend(http, [OutcomeUnknown("lost"), "made"], [None, None, None])
    assert scripted.run() == "made"
    assert scripted.log == [("send", 0.0), ("check", 1.0), ("check", 20.0), ("check", 60.0), ("send", 60.0)]


@pytest.mark.parametrize(("found", "end"), [("found", "It had taken effect."), (None, "It had not taken effect.")])
def test_whoever_listens_is_told_of_each_read_before_it_and_of_what_it_led_to(
    http: Http, found: str | None, end: str
) -> None:
    scripted = ScriptedSend(http, [OutcomeUnknown("lost"), "made"], [None, found, None])
    told: list[tuple[str, float]] = []
    with listen_to_checks(lambda text: told.append((text, http.clock.monotonic()))):
        scripted.run()
    assert all(text.startswith("The reply to a request was lost: do it.") for text, _ in told)
    waits = [(text.split("it follows in ")[1], at) for text, at in told[:-1]]
    assert waits == [("1 s.", 0.0), ("19 s.", 1.0), ("40 s.", 20.0)][: 2 if found else 3]
    assert told[-1][0].endswith(end)


def test_a_listener_hears_nothing_of_a_request_that_was_answered_or_after_its_block(http: Http) -> None:
    told: list[str] = []
    with listen_to_checks(told.append):
        ScriptedSend(http, ["made"], []).run()
    ScriptedSend(http, [OutcomeUnknown("lost")], ["found"]).run()
    assert told == []


@pytest.mark.parametrize("lost", [OutcomeUnknown("lost"), ServerError("failed", evidence={"status": 500})])
def test_what_is_found_is_adopted_and_nothing_is_sent_again(http: Http, lost: CintError) -> None:
    scripted = ScriptedSend(http, [lost], [None, "found"])
    assert scripted.run() == "found"
    assert [what for what, _ in scripted.log] == ["send", "check", "check"]


@pytest.mark.parametrize("failing", range(3))
def test_a_read_that_failed_agrees_with_nothing_so_nothing_is_sent_again(http: Http, failing: int) -> None:
    checks: list[Any] = [None, None, None]
    checks[failing] = ServerError("unreadable")
    scripted = ScriptedSend(http, [OutcomeUnknown("lost")], checks)
    with pytest.raises(OutcomeUnknown) as caught:
        scripted.run()
    assert caught.value.evidence["token"] == "t1"
    assert [what for what, _ in scripted.log] == ["send", "check", "check", "check"]


def test_what_a_later_read_finds_counts_though_an_earlier_one_failed(http: Http) -> None:
    scripted = ScriptedSend(http, [OutcomeUnknown("lost")], [ServerError("unreadable"), None, "found"])
    assert scripted.run() == "found"


def test_it_never_sends_a_third_time(http: Http) -> None:
    scripted = ScriptedSend(http, [OutcomeUnknown("lost")] * 2, [None] * 6)
    with pytest.raises(OutcomeUnknown, match="once or not at all"):
        scripted.run()
    assert [what for what, _ in scripted.log].count("send") == 2


def test_a_refusal_is_final(http: Http) -> None:
    scripted = ScriptedSend(http, [BadRequest("no")], [])
    with pytest.raises(BadRequest):
        scripted.run()


def test_a_conflict_on_the_second_try_may_be_ones_own_first(http: Http) -> None:
    assert ScriptedSend(http, [OutcomeUnknown("lost"), Conflict("busy")], [None, None, None, "found"]).run() == "found"
    with pytest.raises(Conflict):
        ScriptedSend(http, [OutcomeUnknown("lost"), Conflict("busy")], [None] * 4).run()


def test_a_conflict_on_the_first_try_is_somebody_elses(http: Http) -> None:
    scripted = ScriptedSend(http, [Conflict("busy")], [])
    with pytest.raises(Conflict):
        scripted.run()
    assert [what for what, _ in scripted.log] == ["send"]


def test_a_look_that_is_refused_is_a_blind_one(http: Http) -> None:
    scripted = ScriptedSend(http, [OutcomeUnknown("lost")], [NotFound("where")] * 3)
    with pytest.raises(OutcomeUnknown):
        scripted.run()


@pytest.mark.parametrize("blind", [ServerError("blind"), NotFound("where")])
def test_a_conflict_after_a_lost_reply_that_cannot_be_looked_behind_leaves_the_outcome_unknown(
    http: Http, blind: CintError
) -> None:
    scripted = ScriptedSend(http, [OutcomeUnknown("lost"), Conflict("busy")], [None, None, None, blind])
    with pytest.raises(OutcomeUnknown) as caught:
        scripted.run()
    assert caught.value.evidence["token"] == "t1"


def test_where_a_conflict_has_a_check_of_its_own_that_one_decides(http: Http) -> None:
    sends = [OutcomeUnknown("lost"), Conflict("busy")]
    scripted = ScriptedSend(http, sends, [None] * 3, "found")
    assert scripted.run() == "found"
    assert [what for what, _ in scripted.log] == ["send", "check", "check", "check", "send", "conflict"]
    with pytest.raises(OutcomeUnknown):
        ScriptedSend(http, sends, [None] * 3, ServerError("blind")).run()
    with pytest.raises(Conflict):
        ScriptedSend(http, [Conflict("busy")], [], "found").run()
