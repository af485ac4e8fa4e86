"""The resources of the Demand API, one module each, named as in its URLs.

Knows: parameters, bodies and replies of each resource.
May import: api.safety, api.jobs, api.operations, api.parsing, wire, domain.
Gives out: one class per resource, whose methods are coroutines.
"""
