"""Preflight: rules that check a wave before anything is sent.

Knows: what both guides require of a plan, a list and a draft.
May import: study.files, domain.
Gives out: `check`, which returns `Findings`, and `rule`, to add rules of your own.
"""
