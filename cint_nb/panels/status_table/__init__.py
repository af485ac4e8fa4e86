"""The status table: target groups as rows that refresh.

Knows: the status DataFrame.
May import: panels.look, study, domain, ipywidgets.
Gives out: `StatusTable`.
"""
