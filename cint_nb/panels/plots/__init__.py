"""Plots of waves and of studies, each with its numbers written on it and said in words.

Knows: what verbs and measures return.
May import: panels.look, wave, study, domain, matplotlib, narwhals, numpy.
Gives out: `plot_completes`, `plot_outcomes`, `plot_funnel`; `plot_retention`, `plot_patterns`, `plot_balance`,
`plot_flow`, `plot_forecast`.
"""
