"""Rich reprs: still pictures of results, as HTML in a notebook and as text in a terminal, with the same words.

Knows: the values that verbs return.
May import: panels.look, panels.job_progress, panels.wave_view, panels.history_view, wave, history, study, domain.
Gives out: `results.render`, registered as the renderer of `domain.ids`.
"""
