"""Recontact earlier survey respondents through the Cint Exchange Demand API, from Jupyter.

A whole recontact wave, on the simulated exchange:

```python
from datetime import timedelta

import cint_nb as cint

client = cint.connect()  # the sandbox: no account, no network, no cost; cint.connect("live") spends money
file = cint.sandbox.write_sample("respondents.csv")  # something to practise on; or take your own file
people = cint.read_respondents(file, entity_type="RSID")  # RSIDs name people, RIDs their visits
now = client.clock.now()  # the sandbox has a time of its own
plan = cint.TargetGroupPlan.recontact(
    business_unit_id=cint.sandbox.BUSINESS_UNIT_ID,  # client.choices.business_units() lists yours,
    project_manager_id=cint.sandbox.PROJECT_MANAGER_ID,  # client.choices.project_managers() too
    locale="ger_de",
    completes_goal=500,
    expected_length_of_interview_minutes=10,
    expected_incidence_rate=0.8,
    cost_per_interview="2.75 EUR",
    start_at=now + timedelta(hours=1),
    end_at=now + timedelta(days=14),
    live_url="https://your-survey.com?RID=[%RID%]&RECONTACT_RSID=[%RECONTACT_RSID%]",
)
wave = client.wave("Tracker, wave 2", project="Brand tracker", respondents=people, plan=plan)
print(wave.check())  # findings with rule, evidence and fix; nothing is sent
wave.create()  # the draft target group
print(wave.upload())  # follows the job to its end
print(wave.outcome.summary())  # what became of every line; wave.outcome.frame() has them one by one
wave.resubmit()  # only the rejected ids that can still succeed
wave.launch(budget="1400 EUR")  # refused if the wave can cost more
client.pass_time(days=7)  # on the sandbox only
print(wave.status().T)  # a DataFrame of one row
wave.close()
status = wave.status()  # state: completed
report = wave.report()  # one row per visit; report.completes is the list of the next wave
client.close()
```

Every verb can be run again: it continues where the wave stands, and never uploads or launches twice.

A wave of new people has a plan made by `TargetGroupPlan.fresh` and no respondents: it is created and launched without
an upload. A `Profile` says by name who may take part, and `wave.quotas()` how full each quota is. Those who completed
it are recontacted with `respondents=first.report().completes` and `sources=[first.target_group]`.

The names, by purpose; `help(cint_nb.NAME)` explains each:

- connect: `connect` returns a `Client`; `resume_jobs` follows the jobs that ran when a kernel ended;
- people: `read_respondents` returns `Respondents`, `read_report` the `VisitReport` of an earlier wave; an
  `EntityType` says which ids they are, and a `Crosswalk` leads from RIDs to RSIDs;
- a wave: a `TargetGroupPlan`, with prices as text or as `Money`, and each `Profile` of it; the `Wave`; its `Findings`
  before an upload, and its `Outcome` after it;
- beneath the wave: a `TargetGroupRef` names a target group; a `Job` runs on the exchange, and a `JobSnapshot` says how
  far it is;
- several waves: a `History` keeps a study on disk and is what `measure` takes;
- panels for notebooks: `FilePicker`, `FindingsTable`, `HistoryView`, `JobProgress`, `StatusTable`, `WaveView`;
- modules: `errors`, all of them a `CintError`; `frames` and `plots`; `measure`, the statistics of panels, for frames of
  any library; `sandbox`, the simulated exchange with its faults;
- asyncio: `allow_nested_loops`, for libraries that call `asyncio.run` inside a notebook.

Names are loaded on first use, so that the import itself is quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from cint_nb.domain.ids import register_renderer
from cint_nb.lazy_names import load_name

if TYPE_CHECKING:
    from cint_nb import errors as errors
    from cint_nb import frames as frames
    from cint_nb import measure as measure
    from cint_nb import plots as plots
    from cint_nb import sandbox as sandbox
    from cint_nb.api.jobs.job import Job as Job
    from cint_nb.domain.errors import CintError as CintError
    from cint_nb.domain.findings import Findings as Findings
    from cint_nb.domain.ids import EntityType as EntityType
    from cint_nb.domain.jobs import JobSnapshot as JobSnapshot
    from cint_nb.domain.models import TargetGroupRef as TargetGroupRef
    from cint_nb.domain.plan import Money as Money
    from cint_nb.domain.plan import TargetGroupPlan as TargetGroupPlan
    from cint_nb.domain.profiling.profiles import Profile as Profile
    from cint_nb.history.history import History as History
    from cint_nb.panels.connect import connect as connect
    from cint_nb.panels.file_picker.widget import FilePicker as FilePicker
    from cint_nb.panels.history_view.widget import HistoryView as HistoryView
    from cint_nb.panels.job_progress.widget import JobProgress as JobProgress
    from cint_nb.panels.resume import resume_jobs as resume_jobs
    from cint_nb.panels.status_table.widget import StatusTable as StatusTable
    from cint_nb.panels.wave_view.findings_table import FindingsTable as FindingsTable
    from cint_nb.panels.wave_view.widget import WaveView as WaveView
    from cint_nb.study.files.respondents import Respondents as Respondents
    from cint_nb.study.files.respondents import read_respondents as read_respondents
    from cint_nb.study.outcome.crosswalk import Crosswalk as Crosswalk
    from cint_nb.study.outcome.upload_outcome import Outcome as Outcome
    from cint_nb.study.outcome.visit_reports import VisitReport as VisitReport
    from cint_nb.study.outcome.visit_reports import read_report as read_report
    from cint_nb.wave.client import Client as Client
    from cint_nb.wave.wave import Wave as Wave
    from cint_nb.wire.loop_thread import allow_nested_loops as allow_nested_loops

__version__ = "0.1.0"

_HOMES = {
    "CintError": "cint_nb.domain.errors",
    "Client": "cint_nb.wave.client",
    "Crosswalk": "cint_nb.study.outcome.crosswalk",
    "EntityType": "cint_nb.domain.ids",
    "FilePicker": "cint_nb.panels.file_picker.widget",
    "Findings": "cint_nb.domain.findings",
    "FindingsTable": "cint_nb.panels.wave_view.findings_table",
    "History": "cint_nb.history.history",
    "HistoryView": "cint_nb.panels.history_view.widget",
    "Job": "cint_nb.api.jobs.job",
    "JobProgress": "cint_nb.panels.job_progress.widget",
    "JobSnapshot": "cint_nb.domain.jobs",
    "Money": "cint_nb.domain.plan",
    "Outcome": "cint_nb.study.outcome.upload_outcome",
    "Profile": "cint_nb.domain.profiling.profiles",
    "Respondents": "cint_nb.study.files.respondents",
    "StatusTable": "cint_nb.panels.status_table.widget",
    "TargetGroupPlan": "cint_nb.domain.plan",
    "TargetGroupRef": "cint_nb.domain.models",
    "VisitReport": "cint_nb.study.outcome.visit_reports",
    "Wave": "cint_nb.wave.wave",
    "WaveView": "cint_nb.panels.wave_view.widget",
    "allow_nested_loops": "cint_nb.wire.loop_thread",
    "connect": "cint_nb.panels.connect",
    "read_report": "cint_nb.study.outcome.visit_reports",
    "read_respondents": "cint_nb.study.files.respondents",
    "resume_jobs": "cint_nb.panels.resume",
}
_MODULES = ("errors", "frames", "measure", "plots", "sandbox")

__all__ = [
    "CintError",
    "Client",
    "Crosswalk",
    "EntityType",
    "FilePicker",
    "Findings",
    "FindingsTable",
    "History",
    "HistoryView",
    "Job",
    "JobProgress",
    "JobSnapshot",
    "Money",
    "Outcome",
    "Profile",
    "Respondents",
    "StatusTable",
    "TargetGroupPlan",
    "TargetGroupRef",
    "VisitReport",
    "Wave",
    "WaveView",
    "__version__",
    "allow_nested_loops",
    "connect",
    "errors",
    "frames",
    "measure",
    "plots",
    "read_report",
    "read_respondents",
    "resume_jobs",
    "sandbox",
]


def _load_renderer() -> Any:
    return importlib.import_module("cint_nb.panels.results.render")


register_renderer(_load_renderer)


def __getattr__(name: str) -> Any:
    """Load a public name from its home on first use."""
    if name in _MODULES:
        return importlib.import_module(f"cint_nb.{name}")
    try:
        return load_name(__name__, name, _HOMES)
    except ModuleNotFoundError as error:
        if error.name not in ("numpy", "pandas"):
            raise
        from cint_nb.install_commands import missing_tables

        raise missing_tables(name, error.name) from None


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
