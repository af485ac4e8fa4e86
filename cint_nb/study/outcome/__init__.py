"""Outcomes: what became of an upload, crosswalks from RID to RSID, and visit reports.

Knows: how ids sent compare with ids saved, and how reports name their columns.
May import: study.files, domain, pandas.
Gives out: `Outcome`, `Crosswalk`, `VisitReport`.
"""
