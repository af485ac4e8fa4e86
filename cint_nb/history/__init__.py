"""The memory: a study on disk, people, waves and visits, in Parquet files that anybody can read.

Knows: what was read of each wave, who was on its list, and which person is which id.
May import: study, api, wire, domain, and warnings for callers; pandas, narwhals, and when they are used duckdb and
pyarrow. Never wave: it takes what a wave hands over.
Gives out: `History`, whose `long()` is what the measures take.
"""
