"""The wave view: where a wave stands and which line of code comes next.

Knows: the state of one wave, its journal and its findings.
May import: the panels beside it, panels.look, wave, domain, ipywidgets.
Gives out: `WaveView` and `FindingsTable`.
"""
