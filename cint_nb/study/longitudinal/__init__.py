"""The waves of a study together: who took part in which, and how they compare.

Knows: dispositions of people over waves, and proportions with intervals.
May import: study.outcome, study.files, domain, pandas, numpy.
Gives out: `WaveSeries` and `HistoryWave`.
"""
