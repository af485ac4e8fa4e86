"""Profiling: which people a target group asks for, how many of each, and how far that has come.

Knows: profiles by name, the question library, quotas; the exchange's form of all three.
May import: domain, pydantic.
Gives out: `Profile`, which users write; `Question`, which names are looked up in; the quotas of a launched group.
"""
