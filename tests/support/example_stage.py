"""What the examples in the docstrings begin with: names a reader can guess, each made on a sandbox of its own.

An example gets only the names it uses, new for each, so that it prints the same alone and among all others:

- `client`: a client of the sandbox; `people`: the ids of a file of 60 lines; `plan`: a plan to recontact them;
- `draft`, `wave`, `live`, `closed`: a wave that is created, uploaded, three days in the field, closed after them;
- `fresh`: a wave of new people, a day in the field;
- `ref`: the target group of `live`; `report`: the report of `closed`; `history`: a history of `closed`.
"""

from __future__ import annotations

import ast
import contextlib
import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd

import cint_nb as cint
from tests.support.plans import make_fresh_plan, make_plan

GOAL, BUDGET = 20, "100 EUR"


class Stage:
    """The names of one example, made when they are first asked for."""

    def __init__(self, folder: Path, sample: Path) -> None:
        self._folder = folder
        self._sample = sample
        self._made: dict[str, Any] = {}
        self._makers: dict[str, Callable[[], Any]] = {
            "client": lambda: cint.connect("sandbox"),
            "people": lambda: cint.read_respondents(self._sample, entity_type="RSID"),
            "plan": self._plan,
            "draft": lambda: self._wave("Tracker, wave 4"),
            "wave": lambda: self._wave("Tracker, wave 3", upload=True),
            "live": lambda: self._live("Tracker, wave 2"),
            "closed": self._closed,
            "fresh": self._fresh,
            "ref": lambda: self["live"].target_group,
            "report": lambda: self["closed"].report(),
            "history": self._history,
        }

    def __getitem__(self, name: str) -> Any:
        """Return a name, made once."""
        if name not in self._made:
            self._made[name] = self._makers[name]()
        return self._made[name]

    def names_for(self, source: str) -> dict[str, Any]:
        """Return what the code of an example begins with."""
        used = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
        own = {
            node.id
            for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
        wanted = [name for name in self._makers if name in used and (name not in own or name == "client")]
        return {"cint": cint, "pd": pd, "timedelta": timedelta, **{name: self[name] for name in wanted}}

    def close(self) -> None:
        """Close what was opened."""
        client = self._made.get("client")
        if client is not None:
            client.close()

    def _plan(self) -> cint.TargetGroupPlan:
        now = self["client"].clock.now()
        start = now + timedelta(hours=1)
        return make_plan(now, completes_goal=GOAL, cost_per_interview="2.75 EUR", start_at=start)

    def _wave(self, name: str, *, upload: bool = False) -> cint.Wave:
        wave: cint.Wave = self["client"].wave(
            name, project="Brand tracker", respondents=self["people"], plan=self._plan()
        )
        wave.create()
        if upload:
            wave.upload()
        return wave

    def _live(self, name: str) -> cint.Wave:
        wave = self._wave(name, upload=True)
        wave.launch(budget=BUDGET)
        self["client"].pass_time(days=3)
        return wave

    def _closed(self) -> cint.Wave:
        wave = self._live("Tracker, wave 1")
        wave.close()
        return wave

    def _history(self) -> cint.History:
        history = cint.History.open(self._folder / "brand-tracker")
        history.add(self["closed"])
        return history

    def _fresh(self) -> cint.Wave:
        client = self["client"]
        profiles = [cint.Profile("gender", {"male": 50, "female": 50})]
        now = client.clock.now()
        plan = make_fresh_plan(now, completes_goal=GOAL, start_at=now + timedelta(hours=1), profiling=profiles)
        wave: cint.Wave = client.wave("Tracker, first wave", project="Brand tracker", plan=plan)
        wave.create()
        wave.launch(budget=BUDGET)
        client.pass_time(days=1)
        return wave


@contextlib.contextmanager
def staged(folder: Path, sample: Path) -> Iterator[Stage]:
    """Give a stage in an empty folder, with a journal of its own and tables of one width."""
    folder.mkdir(parents=True, exist_ok=True)
    before = Path.cwd()
    journal = os.environ.get("CINT_NB_JOURNAL")
    os.environ["CINT_NB_JOURNAL"] = str(folder / "journal.sqlite3")
    os.chdir(folder)
    stage = Stage(folder, sample)
    try:
        with pd.option_context("display.width", 110, "display.max_columns", 12):
            yield stage
    finally:
        stage.close()
        os.chdir(before)
        if journal is None:
            del os.environ["CINT_NB_JOURNAL"]
        else:
            os.environ["CINT_NB_JOURNAL"] = journal
