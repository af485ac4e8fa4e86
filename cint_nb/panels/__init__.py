"""The glass: widgets and plots for values made elsewhere. A panel never calls the API.

Knows: how to show a value in a notebook, a terminal and a saved file.
May import: wave, history, api, study, wire, domain, ipywidgets, matplotlib.
Gives out: `connect` and `resume_jobs`, and from its folders `FilePicker`, `JobProgress`, `StatusTable`,
`FindingsTable`, `WaveView`, `HistoryView` and the plots.
"""
