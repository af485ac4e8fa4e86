"""The words: respondent ids, limits, models, findings and errors.

Knows: what Cint's things are called and which values are allowed.
May import: the standard library and pydantic. Nothing of ours.
Gives out: plain values and the one tree of errors. No input or output happens here.
"""
