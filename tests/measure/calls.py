"""One call of every measure that returns a frame, for tests that try all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cint_nb as cint
from tests.measure.worlds import Rows, panel, shares

VISITS, ATTRIBUTES = panel(9, people=70, waves=3)
STOPPED, _ = panel(9, people=70, waves=3, goal_in=3)
CELLS = [row | {"cell": "abc"[row["person"] % 3]} for row in STOPPED]
VALUES: Rows = [{"person": row["person"], "value": row["age"] / 7} for row in ATTRIBUTES]
HISTORY = shares([(30, 80), (36, 90), (25, 70), (33, 90)])

Make = Callable[[Rows], Any]
m = cint.measure
MEASURES: dict[str, Callable[[Make], Any]] = {
    "dispositions": lambda make: m.dispositions(make(STOPPED)),
    "dispositions of elsewhere": lambda make: m.dispositions(make(HISTORY)),
    "retention": lambda make: m.retention(make(STOPPED)),
    "retention, by cell": lambda make: m.retention(make(CELLS), by="cell", base="ever"),
    "retention, previous": lambda make: m.retention(make(STOPPED), base="previous", horizon=20),
    "retention of dispositions": lambda make: m.retention(m.dispositions(make(STOPPED)), base="first"),
    "retention without times": lambda make: m.retention(make(HISTORY)),
    "retention_curve": lambda make: m.retention_curve(make(CELLS), by="cell"),
    "logrank": lambda make: m.logrank(make(CELLS), by="cell"),
    "patterns": lambda make: m.patterns(make(STOPPED)),
    "select": lambda make: m.select(make(STOPPED), max_gap=1, gaps="attrition", last_since=2),
    "flow": lambda make: m.flow(make(STOPPED)),
    "contrast": lambda make: m.contrast(make(VISITS), make(ATTRIBUTES), wave=2),
    "r_indicator": lambda make: m.r_indicator(make(VISITS), make(ATTRIBUTES), wave=3, columns=["gender", "device"]),
    "attrition_weights": lambda make: m.attrition_weights(make(VISITS), make(ATTRIBUTES)),
    "bootstrap_weights": lambda make: m.bootstrap_weights(
        make(VISITS), make(ATTRIBUTES), replicates=2, columns=["gender"]
    ),
    "weight_summary": lambda make: m.weight_summary(m.attrition_weights(make(VISITS), make(ATTRIBUTES))),
    "balance": lambda make: m.balance(
        make(VISITS), make(ATTRIBUTES), m.attrition_weights(make(VISITS), make(ATTRIBUTES)), wave=3
    ),
    "weighted_mean": lambda make: m.weighted_mean(
        make(VALUES), m.attrition_weights(make(VISITS), make(ATTRIBUTES)), wave=3
    ),
    "forecast": lambda make: m.forecast(make(HISTORY), saved=100, goal=30, price=2.0),
    "forecast_check": lambda make: m.forecast_check(make(HISTORY)),
}
