"""The templates: parameters first, dry unless set otherwise, and each does on the sandbox what it says."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any
from uuid import UUID

import nbformat
import pytest

from cint_nb.study.files.respondents import read_respondents
from tests.notebooks.course import FOLDER, TEMPLATES, code_cells, prose, read, tagged
from tests.notebooks.notebook_kernel import NotebookKernel, errors, warnings
from tests.notebooks.numbers_in_prose import output_texts

# What each template sends when it is no longer dry, by the last words of the paths. Nothing else may be sent.
_DRAFT = {"projects", "target-groups", "filling-strategy"}
_UPLOAD = {"upload-respondents-by-file"}
SENDS: dict[str, set[str]] = {
    "check-a-file": set(),
    "create-a-draft": _DRAFT,
    "upload-and-watch": _UPLOAD,
    "resubmit-rejected": _UPLOAD,
    "launch-within-a-budget": {"launch-from-draft"},
    "monitor-a-wave": set(),
    "change-a-running-wave": set(),
    "remove-and-replace": {"remove-all-rsids", *_UPLOAD},
    "withdraw-people": _UPLOAD,
    "recruit-new-people": {*_DRAFT, "launch-from-draft"},
    "close-a-wave": {"complete", "respondent-analysis"},
    "reconcile-a-wave": {"respondent-analysis"},
    "follow-waves": {"respondent-analysis"},
    "run-a-wave": {*_DRAFT, *_UPLOAD, "launch-from-draft"},
}
_READING = ("check", "files", "status", "test_links")
_COUNT = "print(len(open('requests.jsonl').readlines()) if __import__('os').path.exists('requests.jsonl') else 0)"


@pytest.fixture(params=TEMPLATES, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


@pytest.fixture
def template(path: Path) -> Any:
    return read(path)


def parameters(notebook: Any) -> dict[str, Any]:
    tree = ast.parse(notebook.cells[tagged(notebook, "parameters")[0]].source)
    return {each.targets[0].id: ast.literal_eval(each.value) for each in tree.body}


def run(
    kernel: NotebookKernel, path: Path, folder: Path, given: dict[str, Any], *, meanwhile: str = "pass"
) -> tuple[Any, set[str]]:
    """Run a template with other parameters, and return it and what it sent once its practice wave was there.

    `meanwhile` is run between the practice wave and the rest.
    """
    notebook = read(path)
    injected = "\n".join(f"{name} = {value!r}" for name, value in given.items()) or "pass"
    place = tagged(notebook, "parameters")[0] + 1
    notebook.cells.insert(place, nbformat.v4.new_code_cell(injected))
    ready = max(tagged(notebook, "practice"), default=place) + 1
    notebook.cells.insert(ready, nbformat.v4.new_code_cell(meanwhile))
    ready += 1
    notebook.cells.insert(ready, nbformat.v4.new_code_cell(_COUNT))
    done = kernel.run(notebook, folder, {"CINT_NB_RECORD": str(folder / "requests.jsonl")})
    lines = (folder / "requests.jsonl").read_text(encoding="utf-8").splitlines()
    asked = [json.loads(line) for line in lines[int(done.cells[ready].outputs[0].text) :]]
    changing = [each["request"]["path"] for each in asked if "request" in each and each["request"]["method"] != "GET"]
    return done, {text.rpartition("/")[2] for text in changing}


def shown(notebook: Any) -> str:
    return "\n".join(text for cell in notebook.cells for text in output_texts(cell))


def test_there_is_one_for_each_task() -> None:
    assert [path.stem for path in TEMPLATES] == sorted(SENDS)


def test_it_says_what_it_gives_and_which_notebook_explains_it(template: Any) -> None:
    opening = template.cells[0].source
    assert re.match(r"# [A-Z]", opening)
    assert "By the end you will have" in opening
    assert "`DRY_RUN`" in opening or "`DRY_RUN = False`" in opening
    assert re.search(r"\]\(\.\./\d\d-[a-z-]+\.ipynb\)", opening)


def test_the_notebook_it_names_teaches_the_verbs_it_acts_with(template: Any) -> None:
    acting = [cell.source for cell in code_cells(template) if "DRY_RUN" in cell.source]
    verbs = {*re.findall(r"\bwave\.(\w+)\(|\.(erase)\(", "\n".join(acting))} - {(each, "") for each in _READING}
    behind = re.findall(r"\]\(\.\./(\d\d-[a-z-]+\.ipynb)\)", template.cells[0].source)
    taught = "\n".join(cell.source for name in behind for cell in code_cells(read(FOLDER / name)))
    assert [verb for pair in verbs for verb in pair if verb and not re.search(rf"\.{verb}\(", taught)] == []


def test_its_parameters_come_first_in_one_cell_of_plain_values(template: Any) -> None:
    assert tagged(template, "parameters") == [1]
    found = parameters(template)
    assert list(found)[:2] == ["MODE", "DRY_RUN"]
    assert (found["MODE"], found["DRY_RUN"]) == ("sandbox", True)
    assert not [name for name in found if re.search(r"SECRET|TOKEN|PASSWORD|CLIENT_ID", name)]


def test_every_parameter_is_used(template: Any) -> None:
    code = "\n".join(cell.source for cell in code_cells(template)[1:])
    assert [name for name in parameters(template) if not re.search(rf"\b{name}\b", code)] == []


def test_it_is_short_and_stored_without_outputs(template: Any) -> None:
    assert len(template.cells) <= 25
    assert max(len(cell.source.splitlines()) for cell in code_cells(template)[1:]) <= 14
    for cell in code_cells(template):
        assert cell.outputs == []
        assert cell.execution_count is None


def test_words_that_talk_down_are_absent(template: Any) -> None:
    assert not re.search(r"\b(simply|just|obviously|easily)\b", prose(template), re.IGNORECASE)


def test_what_is_for_practice_only_is_kept_from_the_live_exchange(template: Any) -> None:
    for index in tagged(template, "practice"):
        assert template.cells[index].source.startswith('if client.mode == "sandbox"')


@pytest.mark.sampled(every=5)
def test_untouched_it_runs_and_sends_nothing_that_changes_anything(
    kernel: NotebookKernel, path: Path, tmp_path: Path
) -> None:
    done, sent = run(kernel, path, tmp_path, {})
    assert errors(done.cells) == []
    assert warnings(done.cells) == []
    assert sent == set()
    if SENDS[path.stem]:
        assert "Dry run:" in shown(done) or "Nothing was sent" in shown(done)


@pytest.mark.sampled(every=5)
def test_no_longer_dry_it_sends_what_it_is_for_and_nothing_else(
    kernel: NotebookKernel, path: Path, tmp_path: Path
) -> None:
    done, sent = run(kernel, path, tmp_path, {"DRY_RUN": False})
    assert errors(done.cells) == []
    assert warnings(done.cells) == []
    assert sent == SENDS[path.stem]
    assert "Dry run" not in shown(done)


def test_a_whole_wave_ends_live_with_completes(kernel: NotebookKernel, tmp_path: Path) -> None:
    done, _ = run(
        kernel,
        FOLDER / "templates" / "run-a-wave.ipynb",
        tmp_path,
        {"DRY_RUN": False, "GOAL": 400, "BUDGET": "1100 EUR"},
    )
    status = done.cells[-2].outputs[-1].data["text/plain"]
    assert re.search(r"state live\s+completes [1-9]\d* ", status), status


@pytest.mark.sampled(every=5)
@pytest.mark.parametrize("name", ["change-a-running-wave", "close-a-wave", "monitor-a-wave", "withdraw-people"])
def test_a_goal_of_ones_own_is_practised_with_too(kernel: NotebookKernel, tmp_path: Path, name: str) -> None:
    path = FOLDER / "templates" / f"{name}.ipynb"
    done, _ = run(kernel, path, tmp_path, {"GOAL": 300, "PRICE": "4.10 EUR", "MINUTES": 20, "INCIDENCE": 0.3})
    assert errors(done.cells) == []


def test_a_file_of_ones_own_that_is_not_there_is_not_made_up(kernel: NotebookKernel, tmp_path: Path) -> None:
    """Whoever mistypes the name of a list would otherwise practise with other people, and see no difference."""
    path = FOLDER / "templates" / "check-a-file.ipynb"
    done, _ = run(kernel, path, tmp_path, {"FILE": "mistyped.csv"})
    assert "There is no such file" in "\n".join(errors(done.cells))
    assert not (tmp_path / "mistyped.csv").exists()


@pytest.mark.parametrize(
    ("name", "budget", "before"),
    [("launch-within-a-budget", "273 EUR", set()), ("recruit-new-people", "249 EUR", _DRAFT)],
)
def test_a_budget_that_is_too_small_stops_a_launch_also_when_dry(
    kernel: NotebookKernel, tmp_path: Path, name: str, budget: str, before: set[str]
) -> None:
    path = FOLDER / "templates" / f"{name}.ipynb"
    done, sent = run(kernel, path, tmp_path, {"DRY_RUN": False, "BUDGET": budget})
    assert any("BudgetExceeded" in text for text in errors(done.cells))
    assert sent == before, "a draft costs nothing"


def test_a_list_is_reconciled_only_when_asked_and_row_by_row(kernel: NotebookKernel, tmp_path: Path) -> None:
    path = FOLDER / "templates" / "reconcile-a-wave.ipynb"
    done, sent = run(kernel, path, tmp_path, {"DRY_RUN": False, "SUBMIT": True, "BUDGET": "200 EUR"})
    assert errors(done.cells) == []
    assert sent == {"respondent-analysis", "reconciliations"}
    assert shown(done).count("accepted") == 5


def test_a_list_of_ones_own_is_not_replaced_by_one_for_practice(kernel: NotebookKernel, tmp_path: Path) -> None:
    own = "rid,reason\n2b9e3c52-0d8e-4a0b-9a55-31d1c0ffee01,speeder\n"
    (tmp_path / "my-rejects.csv").write_text(own, encoding="utf-8")
    path = FOLDER / "templates" / "reconcile-a-wave.ipynb"
    done, _ = run(kernel, path, tmp_path, {"FILE": "my-rejects.csv"})
    assert errors(done.cells) == []
    assert (tmp_path / "my-rejects.csv").read_text(encoding="utf-8") == own


def test_nothing_is_imported_from_inside_the_package(template: Any) -> None:
    source = "\n".join(cell.source for cell in template.cells if cell.cell_type == "code")
    assert re.findall(r"^\s*(?:from|import) cint_nb\.\S+", source, re.MULTILINE) == []


def test_a_file_is_made_for_practice_only_under_its_name_and_if_it_is_missing(template: Any) -> None:
    """Also what a template writes for its user never replaces a file; only the user can allow that."""
    writing = r"write_sample\(|\.to_(?:csv|file|rejects|parquet|excel)\("
    for index, cell in enumerate(template.cells):
        if cell.cell_type != "code" or not re.search(writing, cell.source):
            continue
        assert not re.search(r"overwrite=", cell.source)
        if "sandbox" in cell.source:
            assert re.search(r"not Path\([^)]+\)\.exists\(\)", cell.source), index
            written = re.findall(r"(?:write_sample|\.to_\w+)\((\w+)", cell.source)
            assert [name for name in written if f'{name} == "practice-' not in cell.source] == []


@pytest.mark.sampled(every=2)
@pytest.mark.parametrize("action", ["pause", "resume"])
def test_monitoring_pauses_and_resumes_only_when_asked_and_no_longer_dry(
    kernel: NotebookKernel, tmp_path: Path, action: str
) -> None:
    path = FOLDER / "templates" / "monitor-a-wave.ipynb"
    done, sent = run(kernel, path, tmp_path, {"ACTION": action})
    assert sent == set()
    assert f"would {action}" in shown(done)
    if action == "pause":
        again = tmp_path / "again"
        again.mkdir()
        done, sent = run(kernel, path, again, {"ACTION": action, "DRY_RUN": False, "GOAL": 200, "PRICE": "1 EUR"})
        assert sent == {"pause"}
        assert "'paused'" in shown(done)


_SNAPSHOT = """\
group = wave.target_group
saved = cint.read_respondents(client.recontacts.saved_ids(group), entity_type="RSID")
"""


def test_replacing_goes_on_from_the_snapshot_of_a_run_that_stopped_halfway(
    kernel: NotebookKernel, tmp_path: Path
) -> None:
    """Between the removal and the upload the exchange holds nobody: only the file knows who was there."""
    stopped = """\
saved.to_file(f"snapshot-{group.target_group_id}.csv")
wave.remove()
assert client.recontacts.saved_count(group) == 0
"""
    path = FOLDER / "templates" / "remove-and-replace.ipynb"
    done, _ = run(kernel, path, tmp_path, {"DRY_RUN": False}, meanwhile=_SNAPSHOT + stopped)
    assert errors(done.cells) == []
    (counts,) = re.findall(r"\('draft', (\d+), 37, (\d+)\)", shown(done))
    assert int(counts[0]) > int(counts[1]) > 900
    assert list(tmp_path.glob("snapshot*")) == [], "it has done its work, and holds ids in full"


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ("strangers", "100 people of snapshot-"),
        pytest.param("fewer", "saved in the target group and not in snapshot-", marks=pytest.mark.sampled(every=2)),
    ],
)
def test_a_snapshot_of_other_people_is_refused_before_anybody_is_removed(
    kernel: NotebookKernel, tmp_path: Path, other: str, said: str
) -> None:
    strangers = [str(UUID(int=number, version=4)) for number in range(1, 101)]
    read_respondents(strangers, entity_type="RSID").to_file(tmp_path / "snapshot.csv")
    meanwhile = {
        "strangers": "__import__('shutil').copy('snapshot.csv', f'snapshot-{group.target_group_id}.csv')",
        "fewer": "saved.sample(100).to_file(f'snapshot-{group.target_group_id}.csv')",
    }[other]
    path = FOLDER / "templates" / "remove-and-replace.ipynb"
    done, sent = run(kernel, path, tmp_path, {"DRY_RUN": False}, meanwhile=_SNAPSHOT + meanwhile)
    assert any("Nobody was removed" in text and said in text for text in errors(done.cells))
    assert sent == set()
    assert len(list(tmp_path.glob("snapshot*"))) == 2


def test_a_snapshot_of_another_target_group_is_left_alone(kernel: NotebookKernel, tmp_path: Path) -> None:
    strangers = [str(UUID(int=number, version=4)) for number in range(1, 101)]
    read_respondents(strangers, entity_type="RSID").to_file(tmp_path / "snapshot.csv")
    path = FOLDER / "templates" / "remove-and-replace.ipynb"
    done, _ = run(kernel, path, tmp_path, {})
    assert errors(done.cells) == []
    assert re.search(r"9\d\d ids would be removed", shown(done))
    assert (tmp_path / "snapshot.csv").exists()


def test_a_running_wave_is_changed_within_the_budget_of_the_whole_of_it(kernel: NotebookKernel, tmp_path: Path) -> None:
    path = FOLDER / "templates" / "change-a-running-wave.ipynb"
    asked = {"MORE_DAYS": 2, "NEW_PRICE": "3.00 EUR", "NEW_GOAL": 120, "BUDGET": "360 EUR"}
    done, sent = run(kernel, path, tmp_path, asked)
    assert errors(done.cells) == []
    assert sent == set()
    assert shown(done).count("Dry run:") == len(asked) - 1
    again = tmp_path / "again"
    again.mkdir()
    done, sent = run(kernel, path, again, {**asked, "DRY_RUN": False})
    assert errors(done.cells) == []
    assert len(sent) == 3, "the end is sent to the run, whose id ends the path"
    assert {"completes-goal", "cost-per-interview"} < sent
    (row,) = re.findall(r"^0 +live +120 .*$", done.cells[-2].outputs[-1].data["text/plain"], re.MULTILINE)
    assert "360.0" in row


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"MORE_DAYS": 2, "NEW_PRICE": "2.90 EUR", "NEW_GOAL": 150}, "could cost 435.00 EUR, more than 300 EUR"),
        pytest.param({"MORE_DAYS": 2, "NEW_PRICE": "2.80 USD"}, "must be in EUR", marks=pytest.mark.sampled(every=3)),
        pytest.param(
            {"MORE_DAYS": 2, "NEW_GOAL": 5_000, "BUDGET": "20000 EUR"},
            "5000 is below the goal or above the list",
            marks=pytest.mark.sampled(every=3),
        ),
    ],
    ids=["budget", "currency", "goal"],
)
def test_no_change_is_sent_or_promised_if_all_together_would_be_refused(
    kernel: NotebookKernel, tmp_path: Path, asked: dict[str, Any], said: str
) -> None:
    """Each change alone may fit: the end and the price would be changed, and the goal then refused."""
    path = FOLDER / "templates" / "change-a-running-wave.ipynb"
    for dry in (True, False):
        folder = tmp_path / str(dry)
        folder.mkdir()
        done, sent = run(kernel, path, folder, {**asked, "DRY_RUN": dry})
        assert any("Nothing was changed" in text and said in text for text in errors(done.cells))
        assert sent == set()
        assert "would become" not in shown(done)


def test_who_withdrew_is_excluded_and_leaves_the_list_for_later_waves(kernel: NotebookKernel, tmp_path: Path) -> None:
    path = FOLDER / "templates" / "withdraw-people.ipynb"
    done, _ = run(kernel, path, tmp_path, {"DRY_RUN": False})
    assert errors(done.cells) == []
    assert re.search(r"excluded +5\b", shown(done))
    gone = read_respondents(tmp_path / "practice-withdrawn.csv", entity_type="RSID")
    clean = read_respondents(tmp_path / "without-withdrawn.csv", entity_type="RSID")
    assert len(clean.intersection(gone)) == 0
    assert len(clean) == len(read_respondents(tmp_path / "practice-wave.csv", entity_type="RSID")) - len(gone)
