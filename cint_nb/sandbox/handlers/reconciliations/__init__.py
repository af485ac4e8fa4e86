"""The handlers of reconciliations: submissions, what became of them, and what can still be reconciled.

Knows: the form of a submission, and how its results are read.
May import: sandbox.handlers.operation, sandbox.openapi, sandbox.simulation, sandbox.world, sandbox.protocol.
Gives out: tables of `Operation`.
"""
