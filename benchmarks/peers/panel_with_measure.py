"""The analysis of a panel with `cint_nb.measure`; prints one result a line.

Usage: panel_with_measure.py FOLDER
"""

import sys

import pandas as pd

from cint_nb import measure

# --- the data
folder = sys.argv[1]
visits = pd.read_csv(f"{folder}/visits.csv", dtype={"entered": "Int64", "ended": "Int64"})
people = pd.read_csv(f"{folder}/people.csv")
draws = pd.read_csv(f"{folder}/draws.csv")
known = people[["person", "age", "education", "device"]]

# --- the analysis
kept = measure.retention(visits, base="first", horizon=240).set_index("wave")
soon = measure.logrank(visits, by="device", base="first").set_index("wave")
left = measure.contrast(visits, known, wave=2, base="first").set_index(["attribute", "level"])
weights = measure.attrition_weights(visits, known, waves=[1, 2, 3])
cost = measure.weight_summary(weights).set_index("wave")
mean = measure.weighted_mean(people[["person", "value"]], weights, wave=3)
replicates = measure.bootstrap_weights(visits, known, draws=draws, waves=[1, 2, 3])
bootstrap = measure.weighted_mean(people[["person", "value"]], weights, wave=3, replicates=replicates)

# --- the results
results = {
    "share who stayed to wave 2": kept.share[2],
    "its interval, low": kept.low[2],
    "its interval, high": kept.high[2],
    "share after ten days, wave 4": kept.km_share[4],
    "its interval, low (wave 4)": kept.km_low[4],
    "its interval, high (wave 4)": kept.km_high[4],
    "log-rank test by device, wave 2": soon.chi2[2],
    "its p-value": soon.p[2],
    "standardised difference of age": left.smd.xs("age").iloc[0],
    "p-value of age, Holm": left.p_holm.xs("age").iloc[0],
    "p-value of device, Holm": left.p_holm.xs("device").iloc[0],
    "marginal effect of a year of age": left.ame.xs("age").iloc[0],
    "largest weight, wave 3": cost["max"][3],
    "effective number of people": cost.n_eff[3],
    "weighted mean": mean["mean"][0],
    "its standard error, linearised": mean.se[0],
    "its standard error, bootstrap": bootstrap.se[0],
}
for name, value in results.items():
    print(f"{name}\t{value:.15g}")
