"""The plots of cint_nb. Each takes a DataFrame and returns a Matplotlib figure; none touches global state."""

from __future__ import annotations

from cint_nb.panels.plots.charts import (
    plot_completes,
    plot_funnel,
    plot_outcomes,
)

__all__ = [
    "plot_completes",
    "plot_funnel",
    "plot_outcomes",
]
