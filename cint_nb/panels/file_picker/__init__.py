"""The file picker: choose a respondent file and see what is in it.

Knows: one folder and the lines of one file, ids masked.
May import: panels.look, study, domain, ipywidgets.
Gives out: `FilePicker`.
"""
