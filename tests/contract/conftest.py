"""The sandbox as a raw HTTP client sees it: no code of ours between the test and the wire."""

from __future__ import annotations

import pytest

from tests.contract.recorded_tour import RecordedTour, record_tour


@pytest.fixture(scope="session")
def recorded_tour() -> RecordedTour:
    """Everything our own client sends to the in-process sandbox, once for all tests of these folders."""
    return record_tour()
