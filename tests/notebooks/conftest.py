"""One kernel for all notebooks that run without recordings: starting one takes longer than most notebooks do."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # test folders are no packages, and several files share these two
from classroom import Classroom, open_classroom


@pytest.fixture(scope="session")
def classroom() -> Iterator[Classroom]:
    with open_classroom() as room:
        yield room
