"""Respondent files: any source in, unique ids and a verdict for every line out.

Knows: encodings, layouts, columns, and what an id looks like.
May import: domain, pandas, numpy, and optional readers of workbooks, Parquet and SPSS files.
Gives out: `read_respondents` and `Respondents`.
"""
