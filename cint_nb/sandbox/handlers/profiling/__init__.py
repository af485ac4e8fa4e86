"""The handlers of profiling: the question library, the validator, the profiles of launched target groups.

Knows: which questions and answers a locale has, which profiles are right, and how full quotas are.
May import: sandbox.handlers.operation, sandbox.openapi, sandbox.simulation, sandbox.world, sandbox.protocol.
Gives out: tables of `Operation`.
"""
