"""The wave view: where a wave stands and which line of code comes next.

Knows: the journal of one wave, and its findings.
May import: the panels beside it, panels.look, wave, domain, ipywidgets.
Gives out: `WaveView` and `FindingsTable`.
"""
