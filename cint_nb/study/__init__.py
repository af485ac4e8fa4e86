"""The analysis: respondent files, preflight, outcomes, frames. It never touches the network.

Knows: what a file contains, what a wave needs, and which id ended where.
May import: domain, pandas, numpy.
Gives out: `Respondents`, `Findings`, `Outcome`, `VisitReport` and DataFrames.
"""
