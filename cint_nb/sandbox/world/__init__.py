"""The state of one sandbox: entities, fixed data, ids and the population.

Knows: everything that exists, what is due next, who the people are, and what decides who is missing.
May import: sandbox.protocol, domain.limits, domain.ids, domain.arguments.
Gives out: `World`, `PopulationParameters`, `Missingness`.
"""
