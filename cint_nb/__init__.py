"""Recontact earlier survey respondents through the Cint Exchange Demand API, from Jupyter.

```python
import cint_nb as cint

client = cint.connect()  # the sandbox by default
people = cint.read_respondents("wave1.csv", column="RSID", entity_type="RSID")
wave = client.wave("Tracker Q4, wave 2", project="Brand tracker", respondents=people, plan=plan)
```

Names are loaded on first use, so that the import itself is quick. Errors, frames and plots are in the modules
`cint_nb.errors`, `cint_nb.frames` and `cint_nb.plots`; the simulated exchange is `cint_nb.sandbox`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cint_nb import errors as errors
    from cint_nb import frames as frames
    from cint_nb import plots as plots
    from cint_nb import sandbox as sandbox
    from cint_nb.api.jobs.job import Job as Job
    from cint_nb.domain.errors import CintError as CintError
    from cint_nb.domain.findings import Findings as Findings
    from cint_nb.domain.jobs import JobSnapshot as JobSnapshot
    from cint_nb.domain.models import TargetGroupRef as TargetGroupRef
    from cint_nb.domain.plan import Money as Money
    from cint_nb.domain.plan import TargetGroupPlan as TargetGroupPlan
    from cint_nb.panels.connect import connect as connect
    from cint_nb.panels.file_picker.widget import FilePicker as FilePicker
    from cint_nb.panels.job_progress.widget import JobProgress as JobProgress
    from cint_nb.panels.resume import resume_jobs as resume_jobs
    from cint_nb.panels.status_table.widget import StatusTable as StatusTable
    from cint_nb.panels.wave_view.findings_table import FindingsTable as FindingsTable
    from cint_nb.panels.wave_view.widget import WaveView as WaveView
    from cint_nb.study.files.respondents import Respondents as Respondents
    from cint_nb.study.files.respondents import read_respondents as read_respondents
    from cint_nb.study.longitudinal.history import History as History
    from cint_nb.study.longitudinal.history import HistoryWave as HistoryWave
    from cint_nb.study.longitudinal.history import read_report as read_report
    from cint_nb.study.outcome.crosswalk import Crosswalk as Crosswalk
    from cint_nb.study.outcome.upload_outcome import Outcome as Outcome
    from cint_nb.study.outcome.visit_reports import VisitReport as VisitReport
    from cint_nb.wave.client import Client as Client
    from cint_nb.wave.wave import Wave as Wave
    from cint_nb.wire.loop_thread import allow_nested_loops as allow_nested_loops

__version__ = "0.1.0"

_HOMES = {
    "CintError": "cint_nb.domain.errors",
    "Client": "cint_nb.wave.client",
    "Crosswalk": "cint_nb.study.outcome.crosswalk",
    "FilePicker": "cint_nb.panels.file_picker.widget",
    "Findings": "cint_nb.domain.findings",
    "FindingsTable": "cint_nb.panels.wave_view.findings_table",
    "History": "cint_nb.study.longitudinal.history",
    "HistoryWave": "cint_nb.study.longitudinal.history",
    "Job": "cint_nb.api.jobs.job",
    "JobProgress": "cint_nb.panels.job_progress.widget",
    "JobSnapshot": "cint_nb.domain.jobs",
    "Money": "cint_nb.domain.plan",
    "Outcome": "cint_nb.study.outcome.upload_outcome",
    "Respondents": "cint_nb.study.files.respondents",
    "StatusTable": "cint_nb.panels.status_table.widget",
    "TargetGroupPlan": "cint_nb.domain.plan",
    "TargetGroupRef": "cint_nb.domain.models",
    "VisitReport": "cint_nb.study.outcome.visit_reports",
    "Wave": "cint_nb.wave.wave",
    "WaveView": "cint_nb.panels.wave_view.widget",
    "allow_nested_loops": "cint_nb.wire.loop_thread",
    "connect": "cint_nb.panels.connect",
    "read_report": "cint_nb.study.longitudinal.history",
    "read_respondents": "cint_nb.study.files.respondents",
    "resume_jobs": "cint_nb.panels.resume",
}
_MODULES = ("errors", "frames", "plots", "sandbox")

__all__ = [
    "CintError",
    "Client",
    "Crosswalk",
    "FilePicker",
    "Findings",
    "FindingsTable",
    "History",
    "HistoryWave",
    "Job",
    "JobProgress",
    "JobSnapshot",
    "Money",
    "Outcome",
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
    "plots",
    "read_report",
    "read_respondents",
    "resume_jobs",
    "sandbox",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its home on first use."""
    if name in _MODULES:
        return importlib.import_module(f"cint_nb.{name}")
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'cint_nb' has no attribute {name!r}")
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
