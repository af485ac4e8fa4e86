"""The same calls to the sandbox in process, over HTTP and to a recording have the same results."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from cint_nb.api.client import AsyncClient, build_client
from cint_nb.sandbox.sandbox import Sandbox
from cint_nb.sandbox.server import ServedSandbox
from tests.contract.recorded_tour import RecordedTour
from tests.contract.tour import STEPS, run_tour
from tests.contract.tour_state import TourState

NAMES = [step.__name__ for step in STEPS]
LEFT_OUT = {
    *("name", "email", "account_name", "requestor"),  # people and clients
    *("client_id", "report_url"),  # whatever is not known to be harmless
    *("token", "rate_card_token", "bound_rate_card_token", "predicted_rate_card_token", "pricing_config_token"),
}
"""Fields a recording empties; `name` only for a person."""
WORKBOOK = b"PK"


class TourResult(NamedTuple):
    """The results of a tour over HTTP, and its recording."""

    values: dict[str, Any]
    recording: Path


def run_in_mode(mode: str, **settings: Any) -> dict[str, Any]:
    """Run the tour, independent of the user's environment variables."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("CINT_NB_")]:
            patch.delenv(name)
        client: AsyncClient = build_client(mode, **settings)
    with client:
        return client.run(run_tour(TourState(client)))


@pytest.fixture(scope="session")
def over_http(tmp_path_factory: pytest.TempPathFactory) -> TourResult:
    path = tmp_path_factory.mktemp("recording") / "tour.jsonl"
    with ServedSandbox(Sandbox(seed=1)) as served:
        return TourResult(run_in_mode("sandbox", base_url=served.base_url, record=path), path)


@pytest.fixture(scope="session")
def replayed(over_http: TourResult) -> dict[str, Any]:
    return run_in_mode("replay", recording=over_http.recording)


@pytest.mark.thorough
@pytest.mark.parametrize("step", NAMES)
def test_over_http_as_in_process(step: str, recorded_tour: RecordedTour, over_http: TourResult) -> None:
    assert over_http.values[step] == recorded_tour.values[step]


@pytest.mark.sampled(every=21)
@pytest.mark.parametrize("step", NAMES)
def test_a_replay_as_the_exchange_but_for_what_a_recording_leaves_out(
    step: str, over_http: TourResult, replayed: dict[str, Any]
) -> None:
    assert list(differences(over_http.values[step], replayed[step])) == []


def test_a_recording_holds_nobody(over_http: TourResult) -> None:
    text = over_http.recording.read_text(encoding="utf-8")
    for word in ("@", "Sandbox Manager", "Sandbox Colleague", "Bearer"):
        assert word not in text


def test_answers_that_differ_are_noticed() -> None:
    assert list(differences({"a": (1, {"b": "x"})}, {"a": (1, {"b": "y"})})) == ["a.1.b: 'x' is not 'y'"]
    assert list(differences({"a": 1, "c": 2}, {"a": 1})) == ["c: 2 is not None"]
    assert list(differences((1, 2), (1,))) == [": 2 items are not 1"]
    assert list(differences({"name": "a study"}, {"name": "removed"})) == ["name: 'a study' is not 'removed'"]
    assert list(differences({"email": "a@b"}, {"email": "removed"})) == []


def differences(first: Any, second: Any, place: str = "") -> Iterator[str]:
    """Yield where two results differ, except in what a recording omits."""
    if isinstance(first, dict) and isinstance(second, dict):
        person = "email" in first
        for name in first.keys() | second.keys():
            emptied = second.get(name) in ("removed", 0) or name == "requestor"
            if emptied and name in LEFT_OUT and (name != "name" or person):
                continue
            if person and name == "id":  # ids of staff are replaced, but for those printed in the guides
                continue
            yield from differences(first.get(name), second.get(name), f"{place}.{name}".lstrip("."))
    elif isinstance(first, tuple) and isinstance(second, tuple):
        if len(first) != len(second):
            yield f"{place}: {len(first)} items are not {len(second)}"
        for number, (one, other) in enumerate(zip(first, second, strict=False)):
            yield from differences(one, other, f"{place}.{number}".lstrip("."))
    elif first != second and not (isinstance(first, bytes) and first.startswith(WORKBOOK) and second == b""):
        yield f"{place}: {first!r:.80} is not {second!r:.80}"
