"""One kernel for all notebooks that run without recordings: starting one takes longer than most notebooks do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.notebooks.notebook_kernel import NotebookKernel, start_kernel


@pytest.fixture(scope="session")
def kernel() -> Iterator[NotebookKernel]:
    with start_kernel() as started:
        yield started
