"""Each key of each reply, changed as a vendor might: right, refused or warned by name, never silently something else.

Plain `pytest` makes 100 of these changes, chosen by a seed, and CI 500 others; `nox -s replies` makes all, and with
`-- --report` writes `docs/replies.md`.
"""

from __future__ import annotations

import os
import random
from pathlib import Path as File

import pytest

from cint_nb.api.operations import OPERATIONS
from cint_nb.sandbox.sample import write_sample
from cint_nb.study.files.respondents import Respondents, read_respondents
from tests.contract.changed_replies import one_operation, report, whole_wave
from tests.contract.changed_replies.changes import CHANGES, Path
from tests.contract.changed_replies.endings import ENDINGS

pytestmark = pytest.mark.filterwarnings("ignore::cint_nb.errors.CintWarning")  # the cells read and judge them
ONE, WAVE = report.TABLES
SHARES = {"an everyday run": {ONE: 96, WAVE: 4}, "the tables": {ONE: 480, WAVE: 20}}
"""How many of the changes are made by plain `pytest`, and by `nox -s tables`, which CI runs."""
WRITE = "CINT_NB_WRITE_REPLIES"
_IS_WANTED = bool(os.environ.get(WRITE))  # read here: no test sees the settings of the shell
Cell = tuple[str, str, Path]


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Respondents:
    file = write_sample(tmp_path_factory.mktemp("people") / "people.csv", lines=200, seed=3)
    return read_respondents(file, entity_type="RSID")


@pytest.fixture(scope="module")
def undisturbed(people: Respondents, tmp_path_factory: pytest.TempPathFactory) -> whole_wave.WaveEnd:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CINT_NB_JOURNAL", str(tmp_path_factory.mktemp("journal") / "journal.sqlite3"))
        return whole_wave.run(people)


@pytest.fixture(scope="module")
def committed(pytestconfig: pytest.Config) -> report.Found:
    # One that is written anew may have had other columns.
    return {} if writing(pytestconfig) else report.read(report.FILE.read_text(encoding="utf-8"))[0]


def of_operations() -> list[Cell]:
    return [(name, *cell) for name in OPERATIONS for cell in one_operation.operation_cells(name)]


@pytest.fixture(params=["an everyday run", pytest.param("the tables", marks=pytest.mark.thorough)])
def share(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


def chosen(cells: list[Cell], table: str, share: str, config: pytest.Config) -> list[Cell]:
    if share == "an everyday run" and config.getoption("--every-way"):
        return cells
    return random.Random(table + share).sample(cells, SHARES[share][table])  # noqa: S311 - a choice, no secret


def test_unchanged_replies_give_no_warning_and_no_error() -> None:
    for name in OPERATIONS:
        found = one_operation.undisturbed(name)
        assert (found.error, found.warnings) == (None, []), name


def test_a_wave_of_unchanged_replies_gives_no_warning_and_no_error(undisturbed: whole_wave.WaveEnd) -> None:
    assert (undisturbed.stopped, undisturbed.warnings) == (None, [])
    assert undisturbed.objects == {
        "projects": 1, "groups": 1, "runs": 1, "recontact-upload": 2, "launch": 1, "recontact-removal": 1,
    }  # fmt: skip
    assert len(undisturbed.bodies) > 20


def test_a_changed_reply_is_never_silently_something_else(
    pytestconfig: pytest.Config, committed: report.Found, share: str
) -> None:
    wrong, ends = [], []
    for name, change, path in chosen(of_operations(), ONE, share, pytestconfig):
        ending = one_operation.ending_of(name, change, path)
        ends.append((ONE, name, change, ending))
        if ending not in ENDINGS or not (writing(pytestconfig) or ending in committed.get((ONE, name, change), ())):
            wrong.append(f"{name} {change} {'.'.join(path)}: {ending}")
    assert not wrong, "\n".join(wrong)
    keep(pytestconfig, share, ends)


def test_a_wave_of_changed_replies_is_right_or_says_what_is_wrong(
    pytestconfig: pytest.Config,
    committed: report.Found,
    share: str,
    people: Respondents,
    undisturbed: whole_wave.WaveEnd,
    tmp_path: File,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wrong, ends = [], []
    cells = list(whole_wave.wave_cells(undisturbed.bodies))
    for number, (name, change, path) in enumerate(chosen(cells, WAVE, share, pytestconfig)):
        monkeypatch.setenv("CINT_NB_JOURNAL", str(tmp_path / f"{number}.sqlite3"))
        ending = whole_wave.ending_of(people, undisturbed, name, change, path)
        ends.append((WAVE, name, change, ending))
        if ending not in ENDINGS or not (writing(pytestconfig) or ending in committed.get((WAVE, name, change), ())):
            wrong.append(f"{name} {change} {'.'.join(path)}: {ending}")
    assert wrong == []
    keep(pytestconfig, share, ends)


# --- docs/replies.md ----------------------------------------------------------------------------------------------

_ends = pytest.StashKey[list[tuple[str, str, str, str]]]()


def writing(config: pytest.Config) -> bool:
    return _IS_WANTED and bool(config.getoption("--every-way"))


def keep(config: pytest.Config, share: str, ends: list[tuple[str, str, str, str]]) -> None:
    """Keep the endings of one table; the document is written when those of both are there."""
    if share != "an everyday run":
        return  # the others have them among all
    found = config.stash.setdefault(_ends, [])
    found += ends
    if writing(config) and {row[0] for row in found} == set(report.TABLES):
        report.FILE.write_text(report.write(report.count(found), len(found)), encoding="utf-8")


def test_the_document_has_a_cell_for_each_change(
    pytestconfig: pytest.Config, committed: report.Found, undisturbed: whole_wave.WaveEnd
) -> None:
    if writing(pytestconfig):
        return  # the document is written anew in this run
    wanted = {(ONE, name, change) for name, change, _ in of_operations()}
    wanted |= {(WAVE, name, change) for name, change, _ in whole_wave.wave_cells(undisturbed.bodies)}
    assert set(committed) == wanted, "run `nox -s replies -- --report`"
    text = report.FILE.read_text(encoding="utf-8")
    assert report.write(*report.read(text)) == text
    assert set(CHANGES) == {change for _, _, change in committed}
