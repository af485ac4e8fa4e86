"""The plots of cint_nb. Each takes what an analyst holds and returns a Matplotlib figure; none touches global state.

Of a wave: `plot_completes`, `plot_outcomes`, `plot_funnel`. Of a study, from the results of `cint_nb.measure`:
`plot_retention`, `plot_patterns`, `plot_balance`, `plot_flow`, `plot_forecast`.
"""

from __future__ import annotations

try:
    from cint_nb.panels.plots.charts import (
        plot_completes,
        plot_funnel,
        plot_outcomes,
    )
    from cint_nb.panels.plots.study_charts import (
        plot_balance,
        plot_flow,
        plot_forecast,
        plot_patterns,
        plot_retention,
    )
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] != "matplotlib":
        raise
    from cint_nb.install_commands import missing_extra

    raise missing_extra("lab", "The plots need matplotlib, which is not installed here.") from None

__all__ = [
    "plot_balance",
    "plot_completes",
    "plot_flow",
    "plot_forecast",
    "plot_funnel",
    "plot_outcomes",
    "plot_patterns",
    "plot_retention",
]
