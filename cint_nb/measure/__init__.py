"""The measures: what share came back, who did, who can be expected; of any table of people and waves.

Knows: statistics of panels, as the literature defines them.
May import: domain, and warnings for callers; narwhals, and for models numpy and statsmodels, when they are used.
Gives out: functions of a frame, which return a frame of the same library.
"""

from cint_nb.measure.attrition.contrast import contrast
from cint_nb.measure.attrition.representativity import r_indicator
from cint_nb.measure.attrition.weighted import balance, weight_summary, weighted_mean
from cint_nb.measure.attrition.weights import attrition_weights, bootstrap_weights
from cint_nb.measure.dispositions import dispositions
from cint_nb.measure.flow import flow
from cint_nb.measure.forecast import forecast, forecast_check
from cint_nb.measure.methods_text import methods_text
from cint_nb.measure.patterns import patterns, select
from cint_nb.measure.retention import retention
from cint_nb.measure.survival import logrank, retention_curve

__all__ = [
    "attrition_weights",
    "balance",
    "bootstrap_weights",
    "contrast",
    "dispositions",
    "flow",
    "forecast",
    "forecast_check",
    "logrank",
    "methods_text",
    "patterns",
    "r_indicator",
    "retention",
    "retention_curve",
    "select",
    "weight_summary",
    "weighted_mean",
]
