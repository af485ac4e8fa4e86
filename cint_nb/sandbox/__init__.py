"""The practice room: a simulated Demand API.

Knows: the rules of both guides, a population of respondents, and time that can be moved. It speaks JSON only.
May import: domain.limits and domain.ids, Starlette; never our models or our client.
Gives out: a Starlette app, in this process or served on this machine.
"""
