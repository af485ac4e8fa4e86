"""The people of the faulty waves."""

from __future__ import annotations

from pathlib import Path

import pytest

from cint_nb.sandbox.sample import write_sample
from cint_nb.study.files.respondents import Respondents, read_respondents


@pytest.fixture(scope="session")
def people_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sample(tmp_path_factory.mktemp("people") / "people.csv", lines=200, seed=3)


@pytest.fixture(scope="session")
def people(people_file: Path) -> Respondents:
    return read_respondents(people_file, entity_type="RSID")
