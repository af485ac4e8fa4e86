"""A filter by name means that very name: the exchange's own `name` parameter is deprecated and finds likenesses."""

from __future__ import annotations

from typing import Any

import pytest

from cint_nb.api.client import AsyncClient
from tests.support.exchange import json_response

PROJECT = "01JX2KPG5VEBF8498Z8YTTE8TB"


def rows(*names: str) -> list[dict[str, str]]:
    return [{"id": f"01JX2X0N5RTR012AYDTA83QW{number:02}", "name": name} for number, name in enumerate(names)]


@pytest.fixture
def listed(client: AsyncClient, exchange: Any) -> Any:
    found = rows("Brand tracker", "Brand tracker 2025", "Tracker of brands")
    exchange.on("GET", "/projects", json_response(200, {"projects": found}))
    exchange.on("GET", "/target-groups", json_response(200, {"target_groups": found}))

    def names(which: str, **filters: Any) -> list[str | None]:
        async def collect() -> list[str | None]:
            lists = client.projects.list(**filters) if which == "projects" else None
            return [row.name async for row in lists or client.target_groups.list(PROJECT, **filters)]

        return client.run(collect())

    return names


@pytest.mark.parametrize("which", ["projects", "target-groups"])
def test_only_the_very_name_is_returned(listed: Any, exchange: Any, which: str) -> None:
    assert listed(which, name="Brand tracker") == ["Brand tracker"]
    asked = dict(exchange.requests[-1].url.params)
    assert "name" not in asked
    assert asked["search_string"] == "Brand tracker"


@pytest.mark.parametrize("which", ["projects", "target-groups"])
def test_a_name_counts_beside_a_search(listed: Any, exchange: Any, which: str) -> None:
    assert listed(which, name="Brand tracker", search="tracker") == ["Brand tracker"]
    assert exchange.requests[-1].url.params["search_string"] == "tracker"


@pytest.mark.parametrize("which", ["projects", "target-groups"])
def test_without_a_name_all_are_returned(listed: Any, exchange: Any, which: str) -> None:
    assert len(listed(which)) == 3
    assert "search_string" not in exchange.requests[-1].url.params
