"""Recording and replaying: what goes in comes out, and nothing else does."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from cint_nb.domain import errors
from cint_nb.domain.ids import synthetic_id
from cint_nb.wire import loop_thread
from cint_nb.wire.clock import ReplayClock
from cint_nb.wire.http import Call, Http, Idempotency
from cint_nb.wire.pages import iter_items
from cint_nb.wire.recording.recorded_call import EXCEPTION_TYPES
from cint_nb.wire.recording.transports import RecordingTransport, ReplayTransport
from cint_nb.wire.settings import Settings
from cint_nb.wire.token_factory import SeededTokenFactory
from tests.support.exchange import FakeExchange

START = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
REAL = "0f1ce179-a917-4bd1-9a4f-1234567890ab"
JOBS = "/demand/accounts/{account_id}/target-groups/{target_group_id}/recontacts/jobs/upload"
GROUP = {"target_group_id": "01JX2KPG5VEBF8498Z8YTTE8TB"}
Record = Callable[..., list[tuple[Any, ...]]]
Replay = Callable[..., tuple[Http, ReplayTransport]]


def upload(content: bytes, **query: Any) -> Call:
    return Call(
        "upload",
        "POST",
        JOBS,
        Idempotency.NON_IDEMPOTENT,
        GROUP,
        {"entity_type": "RSID", **query},
        file=("w.csv", content),
    )


def get(**query: Any) -> Call:
    return Call("read", "GET", "/demand/accounts/{account_id}/things", Idempotency.SAFE, query=query)


def post(body: dict[str, Any]) -> Call:
    return Call("make", "POST", "/demand/accounts/{account_id}/things", Idempotency.NON_IDEMPOTENT, json=body)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "story.jsonl"


@pytest.fixture
def record(file: Path) -> Iterator[Record]:
    """Send calls through a recording; return the replies."""
    clients: list[Http] = []

    def go(
        exchange: httpx.AsyncBaseTransport, *calls: Call, source: str = "sandbox", account_id: int = 101
    ) -> list[tuple[Any, ...]]:
        transport = RecordingTransport(exchange, file, source=source, clock_start=START, seed="seed-1")
        settings = Settings.load(environ={}, account_id=account_id)
        http = Http(settings, transport=transport, clock=ReplayClock(START), token_factory=SeededTokenFactory("seed-1"))
        clients.append(http)
        return [outcome(http, call) for call in calls]

    yield go
    for http in clients:
        loop_thread.run(http.aclose())


@pytest.fixture
def replay(file: Path) -> Iterator[Replay]:
    """Connect to the recording."""
    clients: list[Http] = []

    def go(**options: Any) -> tuple[Http, ReplayTransport]:
        transport = ReplayTransport(file, **options)
        http = Http(
            Settings.load("replay", environ={}, recording=file),
            transport=transport,
            clock=ReplayClock(transport.clock_start),
            token_factory=SeededTokenFactory(transport.seed),
        )
        clients.append(http)
        return http, transport

    yield go
    for http in clients:
        loop_thread.run(http.aclose())


def outcome(http: Http, call: Call) -> tuple[Any, ...]:
    try:
        reply = loop_thread.run(http.send(call))
    except errors.CintError as error:
        return type(error), error.evidence.get("status")
    readable = reply.body and "json" in reply.headers["content-type"]
    return reply.status, reply.json() if readable else None, reply.etag, reply.location_id


def test_a_replay_answers_as_the_exchange_did(
    connect: Callable[..., tuple[Http, FakeExchange]], record: Record, replay: Replay
) -> None:
    _, exchange = connect(
        httpx.Response(201, json={"id": "01JX2KPG5VEBF8498Z8YTTE8TB"}, headers={"etag": 'W/"1"'}),
        httpx.Response(201, headers={"location": "/demand/accounts/101/jobs/01JX2KPG5VEBF8498Z8YTTE8TC"}),
        httpx.Response(204),
        httpx.Response(200, json={"data": [synthetic_id("s", 1)], "next_cursor": None}),
        httpx.Response(404, json={"object": "not_found", "detail": "no such thing"}),
        httpx.Response(409, json={"object": "conflict_error", "detail": "busy"}),
    )
    calls = [
        post({"name": "a"}),
        post({"name": "b"}),
        post({"name": "c"}),
        get(page_size=100),
        get(a=1),
        upload(b"x\n"),
    ]
    recorded = record(exchange, *calls)
    http, transport = replay()
    assert [outcome(http, call) for call in calls] == recorded
    assert recorded[-1] == (errors.JobAlreadyRunning, 409)
    assert transport.unused_requests() == ()


def test_the_first_line_says_what_the_file_is(
    connect: Callable[..., tuple[Http, FakeExchange]],
    record: Record,
    file: Path,
    replay: Replay,
) -> None:
    record(connect()[1], get())
    header = json.loads(file.read_text().splitlines()[0])
    assert {"format": 1, "source": "sandbox", "seed": "seed-1"}.items() <= header.items()
    assert header["package_version"]
    assert header["made_at"].endswith("Z")
    transport = ReplayTransport(file)
    assert transport.clock_start == START
    assert (transport.source, transport.seed) == ("sandbox", "seed-1")


def test_every_exchange_is_one_readable_line(
    connect: Callable[..., tuple[Http, FakeExchange]], record: Record, file: Path
) -> None:
    record(connect()[1], get(page_size=100), post({"name": "Zoë"}))
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert lines[1]["request"] == {
        "method": "GET",
        "path": "/demand/accounts/101/things",
        "query": [["page_size", "100"]],
    }
    assert lines[2]["request"]["json"] == {"name": "Zoë"}
    assert "Zoë" in file.read_text(encoding="utf-8")


def test_equal_requests_are_answered_in_order_and_the_last_answer_to_a_get_repeats(
    connect: Callable[..., tuple[Http, FakeExchange]], record: Record, replay: Replay
) -> None:
    answers = [httpx.Response(200, json={"status": word}) for word in ("Processing", "Processing", "Completed")]
    recorded = record(connect(*answers)[1], get(), get(), get())
    http, _ = replay()
    assert [outcome(http, get()) for _ in range(5)] == [*recorded, recorded[-1], recorded[-1]]


def test_an_answer_to_anything_else_than_a_get_is_given_once(
    connect: Callable[..., tuple[Http, FakeExchange]], record: Record, replay: Replay
) -> None:
    record(connect()[1], post({"name": "a"}))
    http, _ = replay()
    outcome(http, post({"name": "a"}))
    with pytest.raises(errors.NotRecorded, match="no further response"):
        loop_thread.run(http.send(post({"name": "a"})))


def test_a_request_that_was_never_recorded_fails_and_names_the_nearest_and_the_command(
    connect: Callable[..., tuple[Http, FakeExchange]], record: Record, replay: Replay
) -> None:
    record(connect()[1], get(page_size=100), post({"name": "a", "value": 1}))
    http, transport = replay()
    with pytest.raises(errors.NotRecorded) as caught:
        loop_thread.run(http.send(get(page_size=50)))
    assert caught.value.evidence["nearest"] == "GET /demand/accounts/101/things?page_size=100"
    assert caught.value.evidence["recording"] == "story.jsonl"
    assert "cint-nb record" in str(caught.value.next_step)
    assert http.requests_sent == 1
    assert len(transport.unused_requests()) == 2


def test_a_body_that_differs_is_named_by_its_fields_only(
    connect: Callable[..., tuple[Http, FakeExchange]], record: Record, replay: Replay
) -> None:
    record(connect()[1], post({"name": "a", "value": 1, "status": "live"}))
    http, _ = replay()
    with pytest.raises(errors.NotRecorded) as caught:
        loop_thread.run(http.send(post({"name": "planted", "value": 1})))
    assert caught.value.evidence["body_differs_in"] == "name, status"
    assert "planted" not in str(caught.value)


@pytest.mark.parametrize(
    "other",
    [
        upload(f"{synthetic_id('s', 2)}\n".encode()),
        upload(f"{synthetic_id('s', 1)}\n{synthetic_id('s', 2)}\n".encode()),
        upload(f"{synthetic_id('s', 1)}\n".encode(), entity_type="RID"),
        Call(
            "u",
            "POST",
            JOBS,
            Idempotency.NON_IDEMPOTENT,
            GROUP,
            {"entity_type": "RSID"},
            file=("v.csv", f"{synthetic_id('s', 1)}\n".encode()),
        ),
    ],
)
def test_another_file_name_or_entity_type_is_another_upload(
    connect: Callable[..., tuple[Http, FakeExchange]],
    record: Record,
    replay: Replay,
    other: Call,
) -> None:
    content = f"{synthetic_id('s', 1)}\n".encode()
    record(connect()[1], upload(content))
    http, _ = replay(section=0)
    with pytest.raises(errors.NotRecorded):
        loop_thread.run(http.send(other))
    assert outcome(http, upload(content))[0] == 200


def test_no_token_is_asked_for_in_a_replay_or_written_in_a_recording(
    connect: Callable[..., tuple[Http, FakeExchange]],
    record: Record,
    replay: Replay,
    file: Path,
) -> None:
    _, exchange = connect()
    record(exchange, get())
    assert len(exchange.token_requests) == 1
    text = file.read_text()
    assert "token" not in text
    assert "sandbox.invalid" not in text
    http, _ = replay()
    outcome(http, get())
    assert http.token_requests_sent == 0


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_that_expired_in_the_recording_is_renewed_in_the_replay_without_asking(
    connect: Callable[..., tuple[Http, FakeExchange]],
    record: Record,
    replay: Replay,
    status: int,
) -> None:
    expired = httpx.Response(status, json={"object": "authorization_error", "detail": "expired"})
    _, exchange = connect(expired, httpx.Response(201, json={"id": "a"}), expired, expired)
    recorded = record(exchange, post({"name": "a"}), post({"name": "b"}))
    assert [first for first, *_ in recorded] == [201, errors.error_class_for_status(status)]
    http, transport = replay()
    assert [outcome(http, post({"name": "a"})), outcome(http, post({"name": "b"}))] == recorded
    assert transport.unused_requests() == ()
    assert http.token_requests_sent == 0


def test_failures_of_the_network_are_replayed_as_they_were(
    connect: Callable[..., tuple[Http, FakeExchange]], record: Record, replay: Replay
) -> None:
    _, exchange = connect(httpx.ReadError("x"), httpx.Response(200, json={"data": []}))
    assert record(exchange, post({"name": "a"}), get())[0][0] is errors.OutcomeUnknown
    http, _ = replay()
    assert outcome(http, post({"name": "a"}))[0] is errors.OutcomeUnknown
    assert outcome(http, get())[0] == 200


@pytest.mark.parametrize("name", sorted(EXCEPTION_TYPES))
def test_every_failure_keeps_its_kind(file: Path, name: str) -> None:
    async def story() -> None:
        inner = httpx.MockTransport(lambda _: (_ for _ in ()).throw(EXCEPTION_TYPES[name]("x")))
        async with httpx.AsyncClient(
            transport=RecordingTransport(inner, file, source="sandbox", clock_start=START, seed="s")
        ) as recorder:
            with pytest.raises(EXCEPTION_TYPES[name]):
                await recorder.get("http://sandbox.invalid/v1/x")
        async with httpx.AsyncClient(transport=ReplayTransport(file)) as player:
            with pytest.raises(EXCEPTION_TYPES[name]):
                await player.get("http://replay.invalid/v1/x")

    asyncio.run(story())


@pytest.mark.parametrize(
    ("kind", "body"), [("application/json", b'{"cut": '), ("text/html", b"<b>ada@example.com</b>")]
)
def test_a_garbled_answer_stays_garbled_without_being_kept(
    connect: Callable[..., tuple[Http, FakeExchange]],
    record: Record,
    replay: Replay,
    file: Path,
    kind: str,
    body: bytes,
) -> None:
    _, exchange = connect(httpx.Response(200, content=body, headers={"content-type": kind}))
    assert record(exchange, post({"name": "a"}))[0][0] is errors.UnexpectedReply
    assert "ada" not in file.read_text()
    http, _ = replay()
    assert outcome(http, post({"name": "a"}))[0] is errors.UnexpectedReply


def test_a_file_that_is_no_text_is_left_out(
    connect: Callable[..., tuple[Http, FakeExchange]],
    record: Record,
    replay: Replay,
    file: Path,
) -> None:
    workbook = b"PK\x03\x04\x00\x00\xff\xfe" * 40
    _, exchange = connect(httpx.Response(200, content=workbook, headers={"content-type": "application/octet-stream"}))
    record(exchange, get())
    assert json.loads(file.read_text().splitlines()[1])["response"]["left_out"] == 320
    assert loop_thread.run(replay()[0].send(get())).body == b""


def test_a_live_wave_is_recorded_without_its_ids_and_replays_with_the_same_file(
    connect: Callable[..., tuple[Http, FakeExchange]],
    record: Record,
    replay: Replay,
    file: Path,
) -> None:
    respondents = f"{REAL}\n7c9e6679-7425-40de-944b-e07fc1f90ae7\n".encode()
    listed = {"data": [REAL.upper()], "next_cursor": REAL}
    last = {"data": ["7c9e6679-7425-40de-944b-e07fc1f90ae7"], "account_id": 5555, "note": "ada@example.com"}
    _, exchange = connect(
        httpx.Response(201, json={"job_id": "01JX2KPG5VEBF8498Z8YTTE8TD"}, headers={"set-cookie": "a=secret"}),
        httpx.Response(200, json=listed),
        httpx.Response(200, json=last),
    )

    def story(http: Http) -> list[str]:
        async def run() -> list[str]:
            await http.send(upload(respondents))
            return [item async for item in iter_items(http, get())]

        return loop_thread.run(run())

    transport = RecordingTransport(exchange, file, source="live", clock_start=START, seed="s")
    live = Http(Settings.load(environ={}, account_id=5555, token="planted-token"), transport=transport)
    seen = story(live)
    text = file.read_text()
    for planted in (REAL, REAL.upper(), "7c9e6679", "5555", "ada@", "secret", "planted-token", "01JX2KPG5V"):
        assert planted not in text
    http, _ = replay()
    assert [item.lower() for item in story(http)] == [item.lower() for item in seen]
    loop_thread.run(live.aclose())


def test_an_exchange_that_would_leak_is_not_written(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "cint_nb.wire.recording.transports.find_leaks", lambda text: ["a token or secret"] if "status" in text else []
    )
    http = Http(
        Settings.load(environ={}, token="t"),
        transport=RecordingTransport(
            httpx.MockTransport(lambda _: httpx.Response(200, json={})),
            file,
            source="live",
            clock_start=START,
            seed="s",
        ),
    )
    with pytest.raises(errors.CintError, match="not recorded"):
        loop_thread.run(http.send(get()))
    assert len(file.read_text().splitlines()) == 1
    loop_thread.run(http.aclose())


def test_each_connection_of_a_process_has_its_own_section(
    connect: Callable[..., tuple[Http, FakeExchange]],
    record: Record,
    replay: Replay,
    file: Path,
) -> None:
    first = record(connect(httpx.Response(200, json={"value": 1}))[1], get())
    record(connect()[1])
    second = record(connect(httpx.Response(200, json={"value": 2}))[1], get())
    assert sum('"format"' in line for line in file.read_text().splitlines()) == 3
    nothing = (errors.NotRecorded, None)
    assert [outcome(replay()[0], get()) for _ in range(4)] == [*first, nothing, *second, *first]
    assert outcome(replay(section=2)[0], get()) == second[0]


def test_the_time_of_a_replay_is_that_of_the_recording(
    connect: Callable[..., tuple[Http, FakeExchange]], record: Record, replay: Replay
) -> None:
    record(connect()[1], get())
    http, _ = replay()
    assert http.clock.now() == START
    asyncio.run(http.sleep(900))
    assert (http.clock.now() - START).total_seconds() == 900


def test_an_answer_that_took_its_time_takes_it_again_in_the_replay(file: Path) -> None:
    clock = ReplayClock(START)

    async def slow(_: httpx.Request) -> httpx.Response:
        await clock.sleep(84.5)
        return httpx.Response(200, json={"value": 1})

    recorder = RecordingTransport(
        httpx.MockTransport(slow), file, source="sandbox", clock_start=clock.now(), seed="s", clock=clock
    )
    http = Http(Settings.load(environ={}, token="t"), transport=recorder, clock=clock)
    outcome(http, get())
    asyncio.run(http.sleep(15.5))
    outcome(http, get(a=1))
    player = ReplayTransport(file)
    again = Http(Settings.load("replay", environ={}, recording=file), transport=player, clock=player.clock)
    outcome(again, get())
    assert (again.clock.now() - START).total_seconds() == 84.5
    asyncio.run(again.sleep(15.5))
    outcome(again, get(a=1))
    outcome(again, get())
    assert again.clock.now() == http.clock.now()


def test_the_seed_makes_the_same_names_again(
    connect: Callable[..., tuple[Http, FakeExchange]], record: Record, replay: Replay
) -> None:
    record(connect()[1], get())
    http, _ = replay()
    assert http.token_factory.token() == SeededTokenFactory("seed-1").token()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not json\n",
        "[]\n",
        "5\n",
        '{"format": 2, "clock_start": "2026-09-01T08:00:00+00:00"}\n',
        '{"format": 1}\n',
        '{"request": {"method": "GET", "path": "/x"}, "response": {"status": 200}}\n',
    ],
)
def test_a_file_that_is_no_recording_is_refused_with_its_line(file: Path, text: str) -> None:
    file.write_text(text)
    with pytest.raises(errors.SettingsError, match=r"story\.jsonl") as caught:
        ReplayTransport(file)
    assert "line 1" in str(caught.value) or "empty" in str(caught.value)


ASKED = '{"request": {"method": "GET", "path": "/"}, "response": '


@pytest.mark.parametrize(
    "line",
    ['{"request": {}, "response": {"status": 200}}', ASKED + "{}}", ASKED + '{"failure": "Explosion"}}', ASKED, "{"],
)
def test_a_damaged_line_is_named(
    connect: Callable[..., tuple[Http, FakeExchange]], record: Record, file: Path, line: str
) -> None:
    record(connect()[1], get())
    with file.open("a") as handle:
        handle.write(line + "\n")
    with pytest.raises(errors.SettingsError, match="line 3"):
        ReplayTransport(file)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(errors.SettingsError, match="nothing-here"):
        ReplayTransport(tmp_path / "nothing-here.jsonl")


def test_recording_logs_nothing_of_its_own_and_shows_only_file_names(
    connect: Callable[..., tuple[Http, FakeExchange]],
    record: Record,
    replay: Replay,
    file: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG):
        record(connect()[1], get(start_after=REAL))
    assert REAL not in caplog.text
    _, transport = replay()
    assert repr(transport) == "<ReplayTransport: story.jsonl, recorded from sandbox>"
    inner = httpx.MockTransport(lambda _: httpx.Response(200))
    assert (
        repr(RecordingTransport(inner, file, source="live", clock_start=START, seed="s"))
        == "<RecordingTransport: story.jsonl>"
    )
