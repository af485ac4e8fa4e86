"""The workflow: one resumable recontact wave.

Knows: the order of steps, and what must never happen twice.
May import: api, study, wire, domain.
Gives out: `Wave`, its journal, and `Client`, which an analyst works with.
"""
