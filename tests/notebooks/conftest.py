"""One kernel for all notebooks that run without recordings: starting one takes longer than most notebooks do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.notebooks.notebook_kernel import Classroom, open_classroom


@pytest.fixture(scope="session")
def classroom() -> Iterator[Classroom]:
    with open_classroom() as room:
        yield room
