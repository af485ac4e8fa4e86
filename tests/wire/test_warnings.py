"""Warnings: once for each cause, at the caller's line, in the caller's thread, whoever sends and from wherever."""

from __future__ import annotations

import asyncio
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cint_nb.caller_warnings import deliver_warnings, warn_caller
from cint_nb.domain.errors import CintWarning, NotFound
from cint_nb.wire import loop_thread
from cint_nb.wire.http import Http


@pytest.fixture
def http(connect: Callable[..., tuple[Http, Any]]) -> Http:
    return connect()[0]


async def say(http: Http, *texts: str, error: Exception | None = None) -> str:
    """Stand for a verb: it warns on the loop thread, after other tasks had their turn."""
    await asyncio.sleep(0)
    for text in texts:
        http.warn(text)
    if error is not None:
        raise error
    return "the result"


async def say_from_a_loop_of_the_users(http: Http, *texts: str) -> str:
    return await loop_thread.run_on_loop(say(http, *texts))


WAYS: dict[str, Callable[..., str]] = {
    "a plain verb": lambda http, *texts: loop_thread.run(say(http, *texts)),
    "await": lambda http, *texts: asyncio.run(say_from_a_loop_of_the_users(http, *texts)),
    "code of the caller": lambda http, *texts: asyncio.run(say(http, *texts)),
}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Callable[..., str]:
    return WAYS[request.param]


@pytest.fixture
def caught() -> Iterator[list[warnings.WarningMessage]]:
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        yield found


def texts_of(caught: list[warnings.WarningMessage]) -> list[str]:
    return [str(each.message) for each in caught]


def test_each_cause_is_shown_once_for_each_client_at_the_callers_line(
    way: Callable[..., str], connect: Callable[..., tuple[Http, Any]], caught: list[warnings.WarningMessage]
) -> None:
    for http in (connect()[0], connect()[0]):
        assert [way(http, "one", "two") for _ in range(3)] == ["the result"] * 3
        way(http, "three")
    assert texts_of(caught) == ["one", "two", "three"] * 2
    assert {each.category for each in caught} == {CintWarning}
    assert {each.filename for each in caught} == {__file__}


def test_the_filters_of_the_callers_thread_hold(way: Callable[..., str], http: Http) -> None:
    with pytest.raises(CintWarning, match="one"):  # every warning is an error in these tests
        way(http, "one")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CintWarning)
        assert way(http, "two") == "the result"
    assert http.warning_texts == ("one", "two")


def test_a_warning_that_a_filter_makes_an_error_hides_no_error(http: Http) -> None:
    with pytest.raises(NotFound, match="no such thing"):
        loop_thread.run(say(http, "one", error=NotFound("no such thing")))


def test_every_result_holds_its_warnings_and_python_shows_each_once(
    http: Http, caught: list[warnings.WarningMessage]
) -> None:
    for _ in range(2):
        with deliver_warnings() as said:
            loop_thread.run(say(http, "one"))
            loop_thread.run(say(http, "two", "one"))
        assert said == ["one", "two"]
    assert texts_of(caught) == ["one", "two"]


def test_a_verb_of_many_steps_is_done_before_its_warnings_are_shown(http: Http) -> None:
    done: list[str] = []
    with pytest.raises(CintWarning), deliver_warnings():
        done += [loop_thread.run(say(http, "one")), loop_thread.run(say(http))]
    assert done == ["the result"] * 2


def test_threads_hear_their_own_warnings(connect: Callable[..., tuple[Http, Any]]) -> None:
    heard: dict[int, list[str]] = {}
    http, together = connect()[0], threading.Barrier(4)

    def work(number: int) -> None:
        with deliver_warnings(show=False) as said:
            together.wait(timeout=30)
            for turn in range(20):
                loop_thread.run(say(http, f"{number}.{turn}"))
        heard[number] = list(said)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert heard == {number: [f"{number}.{turn}" for turn in range(20)] for number in range(4)}


def test_what_is_said_in_the_background_is_shown_by_the_next_call(
    connect: Callable[..., tuple[Http, Any]], call: Callable[..., Any], caught: list[warnings.WarningMessage]
) -> None:
    http, _ = connect()
    loop_thread.submit(say(http, "from a panel")).result(timeout=30)
    assert texts_of(caught) == []
    for _ in range(2):
        loop_thread.run(http.send(call()))
    assert texts_of(caught) == ["from a panel"]


def test_a_task_that_outlives_its_call_is_background_work(
    http: Http, call: Callable[..., Any], caught: list[warnings.WarningMessage]
) -> None:
    tasks: list[asyncio.Task[str]] = []
    go_on = asyncio.Event()

    async def later() -> str:
        await go_on.wait()
        return await say(http, "late")

    async def start() -> None:
        tasks.append(asyncio.get_running_loop().create_task(later()))

    async def finish() -> None:
        go_on.set()
        await tasks[0]

    loop_thread.run(start())
    loop_thread.run(finish())
    assert texts_of(caught) == []
    loop_thread.run(http.send(call()))
    assert texts_of(caught) == ["late"]


def test_a_client_that_never_stops_warning_says_that_it_does(http: Http, caught: list[warnings.WarningMessage]) -> None:
    loop_thread.run(say(http, *map(str, range(150))))
    assert texts_of(caught)[:100] == [str(number) for number in range(100)]
    assert len(caught) == 101
    assert "gives no more" in texts_of(caught)[-1]


def test_code_of_no_module_is_warned_too(http: Http, caught: list[warnings.WarningMessage]) -> None:
    eval("run(say(http, 'one'))", {"run": loop_thread.run, "say": say, "http": http})  # noqa: S307 - our own words
    assert texts_of(caught) == ["one"]


def test_an_error_that_says_it_already_is_not_repeated(http: Http, caught: list[warnings.WarningMessage]) -> None:
    with pytest.raises(NotFound):
        loop_thread.run(say(http, "no such thing", "another", error=NotFound("no such thing")))
    assert texts_of(caught) == ["another"]


def test_a_warning_of_no_client_is_shown_at_the_callers_line(caught: list[warnings.WarningMessage]) -> None:
    warn_caller("one")
    line = sys._getframe().f_lineno - 1
    assert [(str(each.message), each.filename, each.lineno) for each in caught] == [("one", __file__, line)]


@pytest.mark.parametrize("path", ["/tmp/ipykernel_4711/2808021656.py", r"C:\Temp\ipykernel_4711\2808021656.py"])  # noqa: S108
def test_a_warning_in_a_cell_names_no_temporary_file(path: str, recwarn: pytest.WarningsRecorder) -> None:
    code = "from cint_nb.caller_warnings import show_warnings\nshow_warnings(['mind this'])"
    exec(compile(code, path, "exec"), {})  # noqa: S102 - as a kernel runs a cell
    assert (recwarn[0].filename, recwarn[0].lineno) == ("cell", 2)
