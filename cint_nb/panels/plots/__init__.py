"""Plots of completes, outcomes and the funnel.

Knows: DataFrames made elsewhere.
May import: panels.look, study, domain, matplotlib, numpy.
Gives out: `plot_completes`, `plot_outcomes`, `plot_funnel`.
"""
