"""`cint-nb doctor --live` reads only, and finds each change of a reply, and no change where there is none."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest

import cint_nb as cint
from cint_nb.cli import main
from cint_nb.cli.drift import ReplyComparison
from cint_nb.cli.live_check import Reading, read_everything
from cint_nb.cli.progress import Progress
from cint_nb.wire.calls import Call
from tests.support.example_stage import staged

Steps = tuple[str | int, ...]
Change = tuple[Steps, str, Callable[[Any], None]]
Seen = tuple[list[tuple[Call, Any]], list[Reading], ReplyComparison]


class ChangingTransport(httpx.AsyncBaseTransport):
    """Passes requests on, notes them, and changes the replies of one path."""

    def __init__(self, inner: httpx.AsyncBaseTransport, ending: str, change: Callable[[Any], None]) -> None:
        self._inner, self._ending, self._change = inner, ending, change
        self.methods: set[str] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        reply = await self._inner.handle_async_request(request)
        if not request.url.path.endswith("/oauth/token"):
            self.methods.add(request.method)
        if not request.url.path.endswith(self._ending):
            return reply
        body = json.loads(await reply.aread())
        self._change(body)
        return httpx.Response(reply.status_code, json=body, headers={"traceparent": reply.headers["traceparent"]})


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """Read everything from a sandbox with target groups in several states, and keep each reply."""
    folder = tmp_path_factory.mktemp("live")
    sample = cint.sandbox.write_sample(folder / "sample.csv", lines=60)
    kept: list[tuple[Call, Any]] = []
    with staged(folder / "stage", sample) as stage:
        for name in ("closed", "report", "fresh", "wave"):
            _ = stage[name]
        client = stage["client"]
        listen = ReplyComparison.__call__

        def keep(self: ReplyComparison, call: Call, body: Any) -> None:
            kept.append((call, copy.deepcopy(body)))
            listen(self, call, body)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ReplyComparison, "__call__", keep)
            readings, comparison = read_everything(client)
    return kept, readings, comparison


@cache
def documents() -> ReplyComparison:
    """Return a comparison that has seen nothing: to make one reads all the documents."""
    return ReplyComparison()


def fresh_comparison() -> ReplyComparison:
    comparison = copy.copy(documents())
    comparison._found = {}
    return comparison


def nodes(value: Any, steps: Steps = ()) -> Iterator[tuple[Steps, Any]]:
    """Yield each value inside a body, with the way to it; of a list the first item, which stands for the others."""
    yield steps, value
    if isinstance(value, dict):
        for name, each in value.items():
            yield from nodes(each, (*steps, name))
    elif isinstance(value, list) and value:
        yield from nodes(value[0], (*steps, 0))


def place(steps: Steps) -> str:
    return "".join("[]" if step == 0 else f".{step}" for step in steps).removeprefix(".")


def changed(body: Any, steps: Steps, change: Callable[[Any], None]) -> Any:
    copied = copy.deepcopy(body)
    there = copied
    for step in steps:
        there = there[step]
    change(there)
    return copied


def found(call: Call, body: Any) -> list[tuple[str, str]]:
    comparison = fresh_comparison()
    comparison(call, body)
    return [(each.place, each.difference) for each in comparison.differences]


def test_an_unchanged_exchange_has_no_differences(seen: Seen) -> None:
    kept, readings, comparison = seen
    assert comparison.differences == ()
    assert comparison.frame().empty
    assert comparison.compared == len(kept) > 40
    assert {reading.state for reading in readings} == {"works"}
    assert len(readings) == len({reading.name for reading in readings}) > 30


def remove(name: str) -> Callable[[Any], None]:
    return lambda each: each.pop(name)


def new_fields(call: Call, steps: Steps, value: Any) -> Iterator[Change]:
    if isinstance(value, dict) and value and not is_open(call, steps):
        yield steps, "brand_new_key", lambda each: each.update(brand_new_key=1)


def new_words(call: Call, steps: Steps, value: Any) -> Iterator[Change]:
    schema = schema_at(call, steps)
    if schema is not None and isinstance(value, str) and "enum" in schema:
        yield steps[:-1], str(steps[-1]), lambda each: each.__setitem__(steps[-1], "brand_new_word")


def missing_keys(call: Call, steps: Steps, value: Any) -> Iterator[Change]:
    schema = schema_at(call, steps)
    if schema is not None and isinstance(value, dict):
        for name in schema.get("required", ()):
            yield steps, name, remove(name)


@pytest.mark.parametrize(
    ("changes", "difference", "at_least"),
    [(new_fields, "unknown field", 80), (new_words, "unknown word", 10), (missing_keys, "missing key", 200)],
    ids=["a field that is new", "a word that is new", "a key that is gone"],
)
def test_it_is_found_wherever_it_is_and_nothing_else(
    seen: Seen, changes: Callable[[Call, Steps, Any], Iterator[Change]], difference: str, at_least: int
) -> None:
    tried = 0
    missed = []
    for call, body in one_of_each(seen[0]):
        for at, value in nodes(body):
            for steps, name, change in changes(call, at, value):
                tried += 1
                differences = found(call, changed(body, steps, change))
                if differences != [(place((*steps, name)), difference)]:
                    missed.append((call.operation, place((*steps, name)), differences))
    assert missed == []
    assert tried > at_least


def one_of_each(kept: list[tuple[Call, Any]]) -> list[tuple[Call, Any]]:
    """Return one reply of each operation: the longest, which has most in it, with the first item of each list."""
    longest: dict[str, tuple[Call, Any]] = {}
    for call, body in sorted(kept, key=lambda each: len(json.dumps(each[1]))):
        longest[call.operation] = (call, shortened(body))
    return list(longest.values())


def shortened(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: shortened(each) for name, each in value.items()}
    return [shortened(each) for each in value[:1]] if isinstance(value, list) else value


def schema_at(call: Call, steps: Steps) -> Any:
    """Return the schema of a place; None where a choice stands on the way, which `found` has to make itself."""
    comparison = documents()
    schema = comparison._replies[
        call.method, "/".join("{}" if part[:1] == "{" else part for part in call.template.split("/"))
    ]
    for step in (*steps, None):
        schema = comparison._resolved(schema)
        if "anyOf" in schema or "oneOf" in schema:
            return None
        if step is not None:
            schema = schema.get("items", {}) if step == 0 else schema.get("properties", {}).get(step, {})
    return schema


def is_open(call: Call, steps: Steps) -> bool:
    """Return whether a place is one of which the documents do not say which keys it has, or a choice."""
    schema = schema_at(call, steps)
    return schema is None or "properties" not in schema


def test_the_effect_says_what_the_client_does_with_such_a_reply(seen: Seen) -> None:
    (call, body), *_ = [each for each in seen[0] if each[0].operation == "list the accounts"]
    comparison = ReplyComparison()
    comparison(call, changed(body, ("accounts", 0), lambda each: each.pop("id")))
    comparison(call, changed(body, (), lambda each: each.update(page=1)))
    effects = comparison.frame().set_index("place")["effect"].to_dict()
    assert effects == {"accounts[].id": "the client refuses this reply", "page": "none: it is not read"}


def test_the_command_reads_only_and_shows_the_differences_as_a_table(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    transports: list[ChangingTransport] = []
    original = cint.sandbox.Sandbox.transport

    def change(body: Any) -> None:
        body["business_units"][0]["region"] = "EMEA"

    def transport(self: cint.sandbox.Sandbox) -> httpx.AsyncBaseTransport:
        transports.append(ChangingTransport(original(self), "/business-units", change))
        return transports[-1]

    announced: list[str] = []
    monkeypatch.setattr(Progress, "step", lambda self, name: announced.append(name))
    monkeypatch.setattr(cint.sandbox.Sandbox, "transport", transport)
    monkeypatch.setattr("cint_nb.cli.doctor.open_client", lambda *_, **__: cint.connect("sandbox"))
    assert main(["doctor", "--live"]) == 0
    shown = capsys.readouterr().out
    assert "business_units[].region" in shown
    assert "1 differences" not in shown
    assert "1 difference" in shown
    assert transports[-1].methods == {"GET"}
    assert main(["doctor", "--live", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert {each["name"] for each in report["readings"]} == set(announced), "a terminal says which verb is asked"
    assert [each["difference"] for each in report["differences"]] == ["unknown field"]


def test_what_the_account_may_not_do_is_a_failure_with_its_next_step(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("cint_nb.cli.doctor.open_client", lambda *_, **__: cint.connect("sandbox", account_id=999))
    assert main(["doctor", "--live", "--json"]) == 1
    readings = {each["name"]: each for each in json.loads(capsys.readouterr().out)["readings"]}
    assert readings["projects.list"]["state"] == "refused"
    assert "CINT_NB_ACCOUNT_ID" in readings["projects.list"]["text"] or "account" in readings["projects.list"]["text"]
    assert readings["definitions.locales"]["state"] == "works", "what needs no account is read all the same"


def test_no_reading_is_left_with_the_client(tmp_path: Path) -> None:
    with cint.connect("sandbox") as client:
        before = client.http.reply_listener
        read_everything(client)
        assert client.http.reply_listener is before
