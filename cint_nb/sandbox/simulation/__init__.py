"""The simulation: what happens as virtual time passes.

Knows: jobs, fieldwork, the life of a target group and its metrics.
May import: sandbox.world, sandbox.protocol, domain.limits.
Gives out: functions over a `World`.
"""
