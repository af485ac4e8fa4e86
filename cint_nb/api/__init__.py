"""The client: one module per resource of the Demand API.

Knows: addresses, bodies and replies; which operation may be repeated.
May import: wire, domain.
Gives out: typed models and `Job` handles.
"""
