"""The history view: what is kept of each wave, who came back, and what the exchange will soon no longer give.

Knows: a history on disk and what is measured of it.
May import: panels.look, history, measure, domain, ipywidgets. Its tables need the extra `history`.
Gives out: `HistoryView`.
"""
