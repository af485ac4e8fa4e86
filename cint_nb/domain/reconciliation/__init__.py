"""Reconciliation: which visits are rejected or made complete, why, until when, and what the exchange says of it.

Knows: reason codes, the changes that are submitted, deadlines; the exchange's form of all three.
May import: domain, pydantic.
Gives out: `parse_reason`, `parse_changes`, `reconciliation_deadline`, and the models of submissions.
"""
