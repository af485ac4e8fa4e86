"""The analysis: respondent files, preflight, reconciliation, frames.

Knows: what a file holds, what a wave needs, which id ended where. It never touches the network.
May import: domain, pandas, numpy.
Gives out: `Respondents`, `Findings` and DataFrames.
"""
