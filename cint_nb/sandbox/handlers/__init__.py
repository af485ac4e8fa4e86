"""The handlers: one function per operation, grouped by resource.

Knows: what each operation accepts, changes and returns.
May import: sandbox.openapi, sandbox.simulation, sandbox.world, sandbox.protocol; domain.limits and domain.ids,
python-multipart.
Gives out: tables of `Operation`.
"""
