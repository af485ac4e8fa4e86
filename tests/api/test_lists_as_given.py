"""Lists in another order, with a row twice or with one row too many: the same result, or a refusal."""

from __future__ import annotations

import itertools
from typing import Any

import httpx
import pytest

from cint_nb.api.client import AsyncClient
from cint_nb.domain.errors import CintWarning, UnexpectedReply
from cint_nb.domain.ids import synthetic_id
from cint_nb.domain.models import TargetGroupRef
from tests.support.exchange import json_response

IDS = [synthetic_id("given", number) for number in range(9)]
RUN = {
    "id": "01JX2Y0N5RTR012AYDTA83QWTR",
    "status": "live",
    "start_fielding_at": "2026-09-01T08:00:00Z",
    "end_fielding_at": "2026-09-11T08:00:00Z",
    "last_changed_at": "2026-09-01T08:00:00Z",
    "version": 1,
}
SAVED, RUNS, INTERVALS = "/recontacts/rsids", "/fielding-runs", "/completes-aggregated-by-interval"


@pytest.mark.parametrize("overlap", [0, 1, 3])
def test_pages_that_overlap_give_each_id_once(
    client: AsyncClient, exchange: Any, ref: TargetGroupRef, overlap: int
) -> None:
    def page(request: httpx.Request) -> httpx.Response:
        start = int(request.url.params.get("start_after", 0))
        more = start + 3 < len(IDS)
        rows = IDS[max(0, start - overlap) : start + 3]
        return httpx.Response(200, json={"data": rows, "next_cursor": str(start + 3) if more else None})

    exchange.on("GET", SAVED, page)
    assert client.run(client.recontacts.saved_ids(ref)) == tuple(IDS)


def test_a_page_that_gives_an_id_twice_is_told(client: AsyncClient, exchange: Any, ref: TargetGroupRef) -> None:
    exchange.on("GET", SAVED, json_response(200, {"data": [*IDS, IDS[0]], "next_cursor": None}))
    with pytest.warns(CintWarning, match=r"list the saved recontacts is not as documented: data\[\] is given twice"):
        assert client.run(client.recontacts.saved_ids(ref)) == tuple(IDS)


@pytest.mark.sampled(every=4)
@pytest.mark.parametrize("odd", ["9b523227****", f"urn:uuid:{IDS[0]}", IDS[0].replace("-", ""), IDS[0][:-1], "test"])
@pytest.mark.parametrize("list_of", ["saved_ids", "effective_rsids"])
def test_an_entry_that_is_no_id_makes_the_list_unknown(
    client: AsyncClient, exchange: Any, ref: TargetGroupRef, list_of: str, odd: str
) -> None:
    for ending in (SAVED, "/exclusions/rsid/paginated"):
        exchange.on("GET", ending, json_response(200, {"data": [*IDS, odd], "next_cursor": None}))
    exchange.on("GET", "/recontacts/overview", json_response(200, {"saved_respondent_ids_count": 10}))
    owner = client.recontacts if list_of == "saved_ids" else client.exclusions
    with pytest.raises(UnexpectedReply, match=r"data\[\] is not a respondent id"):
        client.run(getattr(owner, list_of)(ref))


@pytest.mark.parametrize("verb", ["run", "runs", "pause", "complete"])
def test_of_two_runs_none_is_taken_for_the_one(
    client: AsyncClient, exchange: Any, ref: TargetGroupRef, verb: str
) -> None:
    other = {**RUN, "id": "01AAAAAAAAAAAAAAAAAAAAAAAA", "status": "completed"}
    exchange.on("GET", RUNS, json_response(200, {"data": [other, RUN], "has_more": False}))
    with pytest.raises(UnexpectedReply, match="2 runs, and a target group has at most one"):
        client.run(getattr(client.fielding, verb)(ref))
    assert exchange.sent("POST", "/pause") == exchange.sent("POST", "/complete") == []


def test_a_run_given_twice_is_one(client: AsyncClient, exchange: Any, ref: TargetGroupRef) -> None:
    exchange.on("GET", RUNS, json_response(200, {"data": [RUN, RUN], "has_more": False}))
    with pytest.warns(CintWarning, match="is given twice"):
        (run,) = client.run(client.fielding.runs(ref))
    assert run.id == RUN["id"]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_completes_over_time_are_in_their_order(
    client: AsyncClient, exchange: Any, ref: TargetGroupRef, order: tuple[int, ...]
) -> None:
    rows = [{"timestamp": f"2026-09-0{day}T08:00:00Z", "count": count} for day, count in ((2, 30), (3, 55), (4, 55))]
    body = {"aggregated_completes_intervals": [rows[place] for place in order]}
    exchange.on("GET", INTERVALS, json_response(200, body))
    found = client.run(client.target_groups.completes_by_interval(ref))
    assert [each.count for each in found] == [30, 55, 55]


def test_completes_that_fall_are_told(client: AsyncClient, exchange: Any, ref: TargetGroupRef) -> None:
    rows = [{"timestamp": f"2026-09-0{day}T08:00:00Z", "count": count} for day, count in ((2, 30), (3, 25))]
    exchange.on("GET", INTERVALS, json_response(200, {"aggregated_completes_intervals": rows}))
    with pytest.warns(CintWarning, match=r"completes .* is not as documented: .*count falls"):
        client.run(client.target_groups.completes_by_interval(ref))
