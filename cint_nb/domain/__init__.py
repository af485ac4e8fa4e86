"""The domain: respondent ids, limits, models, findings and errors; no I/O.

Knows: what Cint's objects are called and which values are allowed.
May import: the standard library and pydantic. No other package of ours.
Gives out: plain values and the one tree of errors. No input or output happens here.
"""
