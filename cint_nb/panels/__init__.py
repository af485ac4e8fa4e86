"""The glass: widgets and plots.

Knows: how to show a value, in a notebook, a terminal and a saved file. It never calls the API.
May import: wave, api, study, wire, domain, ipywidgets, matplotlib.
Gives out: `FilePicker`, `JobProgress`, `StatusTable`, `FindingsTable`, `WaveView`, `resume_jobs`, plots, `connect`.
"""
