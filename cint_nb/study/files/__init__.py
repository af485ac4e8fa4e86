"""Respondent files: any source in, unique ids and a verdict for every line out."""
