"""The progress of a job: a panel in a notebook, a bar in a terminal, lines elsewhere.

Knows: snapshots of one job.
May import: panels.look, api.jobs, domain, ipywidgets, tqdm.
Gives out: `JobProgress`, and the reporters that plain verbs use.
"""
