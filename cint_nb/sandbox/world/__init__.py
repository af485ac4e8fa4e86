"""The state of one sandbox: entities, fixed data, ids and the population.

Knows: everything that exists, and what is due next.
May import: sandbox.protocol, domain.limits, domain.ids.
Gives out: `World`.
"""
