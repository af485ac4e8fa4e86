"""Recontact earlier survey respondents through the Cint Exchange Demand API, from Jupyter.

```python
import cint_nb as cint

client = cint.connect()  # the sandbox, unless told otherwise
people = cint.read_respondents("wave1.csv", column="RSID", entity_type="RSID")
wave = client.wave("Tracker Q4, wave 2", project="Brand tracker", respondents=people, plan=plan)
```

Names are loaded when they are first used, so that the import itself is quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cint_nb.api.jobs.job import Job as Job
    from cint_nb.domain.errors import CintError as CintError
    from cint_nb.domain.plan import AllocationFormat as AllocationFormat
    from cint_nb.domain.plan import Money as Money
    from cint_nb.domain.plan import TargetGroupPlan as TargetGroupPlan
    from cint_nb.panels.connect import connect as connect
    from cint_nb.panels.file_picker.widget import FilePicker as FilePicker
    from cint_nb.panels.job_progress.widget import JobProgress as JobProgress
    from cint_nb.panels.plots.charts import plot_completes as plot_completes
    from cint_nb.panels.plots.charts import plot_funnel as plot_funnel
    from cint_nb.panels.plots.charts import plot_outcomes as plot_outcomes
    from cint_nb.panels.resume import resume_jobs as resume_jobs
    from cint_nb.panels.status_table.widget import StatusTable as StatusTable
    from cint_nb.panels.wave_view.findings_table import FindingsTable as FindingsTable
    from cint_nb.panels.wave_view.widget import WaveView as WaveView
    from cint_nb.sandbox.sample import write_sample as write_sample
    from cint_nb.study.files.respondents import Respondents as Respondents
    from cint_nb.study.files.respondents import read_respondents as read_respondents
    from cint_nb.study.frames import analysis_frame as analysis_frame
    from cint_nb.study.frames import completes_frame as completes_frame
    from cint_nb.study.frames import funnel_frame as funnel_frame
    from cint_nb.study.longitudinal.history import History as History
    from cint_nb.study.longitudinal.history import HistoryWave as HistoryWave
    from cint_nb.study.longitudinal.history import read_report as read_report
    from cint_nb.study.outcome.crosswalk import Crosswalk as Crosswalk
    from cint_nb.study.outcome.crosswalk import to_rsids as to_rsids
    from cint_nb.wave.client import Client as Client
    from cint_nb.wave.wave import Wave as Wave
    from cint_nb.wire.loop_thread import allow_nested_loops as allow_nested_loops

__version__ = "0.1.0"

_HOMES = {
    "AllocationShape": "cint_nb.domain.plan",
    "CintError": "cint_nb.domain.errors",
    "Crosswalk": "cint_nb.study.outcome.crosswalk",
    "FilePicker": "cint_nb.panels.file_picker.widget",
    "FindingsTable": "cint_nb.panels.wave_view.findings_table",
    "Job": "cint_nb.api.jobs.job",
    "JobProgress": "cint_nb.panels.job_progress.widget",
    "Money": "cint_nb.domain.plan",
    "Panel": "cint_nb.study.longitudinal.history",
    "PanelWave": "cint_nb.study.longitudinal.history",
    "Respondents": "cint_nb.study.files.respondents",
    "Session": "cint_nb.wave.client",
    "StatusTable": "cint_nb.panels.status_table.widget",
    "TargetGroupPlan": "cint_nb.domain.plan",
    "Wave": "cint_nb.wave.wave",
    "WavePanel": "cint_nb.panels.wave_view.widget",
    "allow_nested_loops": "cint_nb.wire.loop_thread",
    "analysis_frame": "cint_nb.study.frames",
    "completes_frame": "cint_nb.study.frames",
    "connect": "cint_nb.panels.connect",
    "funnel_frame": "cint_nb.study.frames",
    "plot_completes": "cint_nb.panels.plots.charts",
    "plot_funnel": "cint_nb.panels.plots.charts",
    "plot_outcomes": "cint_nb.panels.plots.charts",
    "read_report": "cint_nb.study.longitudinal.history",
    "read_respondents": "cint_nb.study.files.respondents",
    "to_rsids": "cint_nb.study.outcome.crosswalk",
    "watch_again": "cint_nb.panels.resume",
    "write_sample": "cint_nb.sandbox.sample",
}

__all__ = [
    "AllocationShape",
    "CintError",
    "Crosswalk",
    "FilePicker",
    "FindingsTable",
    "Job",
    "JobProgress",
    "Money",
    "Panel",
    "PanelWave",
    "Respondents",
    "Session",
    "StatusTable",
    "TargetGroupPlan",
    "Wave",
    "WavePanel",
    "__version__",
    "allow_nested_loops",
    "analysis_frame",
    "completes_frame",
    "connect",
    "funnel_frame",
    "plot_completes",
    "plot_funnel",
    "plot_outcomes",
    "read_report",
    "read_respondents",
    "to_rsids",
    "watch_again",
    "write_sample",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its home on first use."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'cint_nb' has no attribute {name!r}")
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
