"""A panel that is closed leaves nothing behind in the kernel, however many a month of watching opens."""

from __future__ import annotations

import pandas as pd
from ipywidgets.widgets import widget

from cint_nb.panels.job_progress.widget import JobProgress
from cint_nb.panels.look.base import Panel
from cint_nb.panels.status_table.widget import StatusTable


def test_a_closed_panel_leaves_no_widget_of_its_own_behind() -> None:
    def open_and_close() -> None:
        panels: list[Panel] = [JobProgress(mode="sandbox", title="Upload"), StatusTable(pd.DataFrame({"name": ["a"]}))]
        for panel in panels:
            panel.close()

    open_and_close()
    before = set(widget._instances)
    open_and_close()
    assert set(widget._instances) == before
