"""`docs/faults.md`: what each fault does at each step, written by the run that found it, and read back by tests."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import cint_nb.domain.errors as errors
from cint_nb.domain.errors import CintError
from cint_nb.sandbox import changes_elsewhere
from cint_nb.sandbox import faults as sandbox_faults
from cint_nb.sandbox.draft_edits import DraftField
from tests.faults.matrix_cells import FAULTS, STEPS, applies
from tests.faults.proxied_sandbox import DAMAGED_REQUESTS, OTHER_PROOFS
from tests.faults.proxy import DAMAGES, POSITIONS
from tests.support.changed_elsewhere import CHANGE_ROWS, VERBS

FILE = Path(__file__).parents[2] / "docs" / "faults.md"
FINE, NOWHERE = "✓", "·"
Cells = dict[tuple[str, str, str], str]
"""How it ended (nothing, or the errors it stopped with), by table, row and column."""

_OPENING = """\
# What happens when something breaks

A wave of 200 lines is run from its list to the removal of its recontacts: `create`, `upload`, `resubmit`, `launch`, a
day in the field, `status`, `close`, `remove`. In each run one thing breaks. `nox -s faults -- --report` ran all of it
and wrote this file; the tests compare each cell with it.

Whatever broke, at every cell below:

- the wave **finished with the same outcome**, line by line, as without the fault (✓), or **stopped with an error that
  says what to do next** (two letters) and finished with that outcome when the same cells were run again;
- there is one project, one target group, one fielding run, one upload and one resubmission, one removal: **never two**;
- the ids saved at the end are those saved without the fault: **none lost**;
- a partly successful upload is shown as such in the panel, and a job that runs is never shown as ended.

Three errors ask for more than running the cells again, and say so: after `JobAlreadyRunning` one waits for the job;
after `WatchTimeout` the job has to end on the exchange, where support can end one that hangs; and a run that the
marketplace has paused is closed with `wave.close(resume_first=True)`. The one exception to *never two*: see below.
"""
_ERRORS = """\
## The errors

| | error | what it means |
|---|---|---|
"""
_FAULTS = """\
## The faults

Try any of them: `cint.connect(faults=["drop-reply@upload"])`.

| name | what happens |
|---|---|
"""
_CHANGES = """\
## What changes elsewhere

A colleague in the web interface, the marketplace or another machine may change something between two requests. These
changes are injected like faults, `cint.connect(faults=["paused-elsewhere@status"])`, or at once,
`client.sandbox.inject("field-edited", "now", "completes_goal", value=150)`. Before the step it is `NAME@STEP`, after it
`NAME@after-STEP`, at once `NAME@now`. What each verb of a wave then does is in the next two tables.

| name | what happens elsewhere |
|---|---|
"""
_ARGUMENTS = """
`FIELD` is one of {fields}.

`LIST` is one of {lists}.
"""
CHANGED = {
    "changed elsewhere": "The journal of the wave is there.",
    "changed elsewhere, and the journal lost": "Another machine, or this one after its journal was deleted.",
}
"""The tables of changes and verbs, with what they have in common."""
_CHANGED = """\
Each change is made at every stage of a wave (new, drafted, uploaded, live, paused, completed), then one verb called.
✓: it does what it does when nothing was changed, or rightly succeeds where it would not have. Letters: at one of the
stages it refuses where it would have succeeded, and names the change or the state. {nowhere}: it sends nothing that
another machine could send first. At every cell the exchange is as the verb says, nobody is invited twice, and no more
money can flow than was approved.

"""
_STEPS = """\
## The steps

Each fault affects the first request of a step. The name after it is the operation in the OpenAPI document.

| | step | operation |
|---|---|---|
"""
_TWO_DRAFTS = """\
One thing no client can prevent: a request to create a draft that is delivered twice creates two drafts, since the
exchange accepts no idempotency key for it. The wave continues with one of them. The other stays a draft without ids and
spends nothing, and the next search for the reference, such as `client.target_groups.find`, warns that there are two. A
second upload or removal is rejected by the exchange while the first one runs; a second launch has the same key.
"""
_WAYS = {
    "blocking": "The blocking methods of a wave: `wave.upload()` returns when the job has ended.",
    "awaited": "The coroutines of the client awaited on another event loop: `await client.aio.recontacts.upload(…)`.",
    "background": "The same calls in the background, each job followed by a started `JobProgress`.",
}


def letters(ending: str) -> str:
    """Shorten `BadRequest` to `BR`; a wave that stopped twice has two pairs."""
    return " ".join(re.sub(r"[^A-Z]", "", name) for name in ending.split()) or FINE


def write(cells: Cells) -> str:
    """Return the whole document."""
    parts = [_OPENING, _ERRORS + _rows(_errors(cells)), _FAULTS + _rows(_fault_rows())]
    parts.append(_CHANGES + _rows([f"`{name}`", words] for name, words in described_changes().items()) + _arguments())
    for table, words in CHANGED.items():
        parts.append(f"## {table.capitalize()}\n\n{words}\n{_CHANGED.format(nowhere=NOWHERE)}")
        parts[-1] += _matrix(cells, table, CHANGE_ROWS, list(VERBS), [f"`{verb}`" for verb in VERBS])
    parts.append(_STEPS + _rows([str(number), *step] for number, step in enumerate(_step_rows(), 1)))
    for way, words in _WAYS.items():
        parts.append(f"## {way.capitalize()}\n\n{words} {NOWHERE} marks where a fault has no effect.\n\n")
        parts[-1] += _matrix(cells, way, FAULTS, list(STEPS), [str(number) for number, _ in enumerate(STEPS, 1)])
    parts.append(_sockets(cells))
    rows = [[words, _cell(cells, "other", proof, "")] for proof, words in OTHER_PROOFS.items()]
    parts.append("## Time, tokens, kernels\n\n| what happens | |\n|---|---|\n" + _rows(rows))
    return "\n".join(parts)


def read(text: str) -> Cells:
    """Return the cells of a written document, each as its letters; cells without an effect are omitted."""
    cells: Cells = {}
    names = {words: proof for proof, words in OTHER_PROOFS.items()}
    for title, body in re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL):
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in body.splitlines() if line[:1] == "|"]
        table = title.lower()
        if table in _WAYS or table in DAMAGED_REQUESTS or table in CHANGED:
            columns = list(STEPS) if table in _WAYS else list(VERBS) if table in CHANGED else list(POSITIONS)
            found = [
                (row[0].strip("`"), column, cell)
                for row in rows[2:]
                for column, cell in zip(columns, row[1:], strict=True)
            ]
        elif table == "time, tokens, kernels":
            table, found = "other", [(names.get(row[0], row[0]), "", row[1]) for row in rows[2:]]
        else:
            continue
        cells |= {(table, row, column): cell for row, column, cell in found if cell != NOWHERE}
    return cells


def described_faults() -> dict[str, str]:
    """Return the sandbox's description of each of its faults."""
    return _described(sandbox_faults.__doc__ or "")


def described_changes() -> dict[str, str]:
    """Return the sandbox's description of each change elsewhere."""
    return _described(changes_elsewhere.__doc__ or "")


def _described(text: str) -> dict[str, str]:
    described: dict[str, str] = {}
    for names, words in re.findall(r"^\| (`.+?`) \| (.+) \|$", text, re.MULTILINE):
        described |= dict.fromkeys(re.findall(r"`(.+?)`", names), words)
    return described


def _arguments() -> str:
    fields, lists = (
        ", ".join(f"`{name}`" for name in get_args(names)) for names in (DraftField, changes_elsewhere.LaggingList)
    )
    return _ARGUMENTS.format(fields=fields, lists=lists)


def _fault_rows() -> list[list[str]]:
    described = described_faults()
    return [[f"`{fault}`", described[fault]] for fault in FAULTS]


def _step_rows() -> list[list[str]]:
    return [[words, f"`{name}`"] for name, words in STEPS.items()]


def _errors(cells: Cells) -> list[list[str]]:
    seen = sorted({name for ending in cells.values() for name in ending.split()})
    kinds: list[type[CintError]] = [getattr(errors, name) for name in seen]
    return [[letters(kind.__name__), f"`{kind.__name__}`", (kind.__doc__ or "").splitlines()[0]] for kind in kinds]


def _sockets(cells: Cells) -> str:
    lines = "\n".join(f"- *{name}*: {words}." for name, words in DAMAGES.items())
    parts = [
        "## Over real sockets\n\nBetween the client and a sandbox served over HTTP, a proxy damages one HTTP "
        f"exchange at one byte:\n\n{lines}\n\n{_TWO_DRAFTS}"
    ]
    for request, words in DAMAGED_REQUESTS.items():
        parts.append(f"## {request.capitalize()}\n\n{words}\n\n")
        parts[-1] += _matrix(cells, request, tuple(DAMAGES), list(POSITIONS), list(POSITIONS.values()))
    return "\n".join(parts)


def _matrix(cells: Cells, table: str, rows: tuple[str, ...], columns: list[str], heads: list[str]) -> str:
    head = f"| | {' | '.join(heads)} |\n|---|{':-:|' * len(heads)}\n"
    return head + _rows([f"`{row}`", *(_cell(cells, table, row, column) for column in columns)] for row in rows)


def _cell(cells: Cells, table: str, row: str, column: str) -> str:
    ending = cells.get((table, row, column))
    return NOWHERE if ending is None else letters(ending)


def _rows(rows: object) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)  # type: ignore[attr-defined]


def cells_of_changes() -> set[tuple[str, str, str]]:
    """Return every cell of the tables of changes but those of a second machine, which needs a request to be first."""
    return {(table, change, verb) for table in CHANGED for change in CHANGE_ROWS for verb in VERBS} - {
        (table, "second-machine", verb) for table in CHANGED for verb in VERBS
    }


def cells_of_the_matrix() -> set[tuple[str, str, str]]:
    """Return every cell of the three ways that the current faults and steps require."""
    return {(way, fault, step) for way in _WAYS for fault in FAULTS for step in STEPS if applies(fault, step, way)}
