"""The simulation: what happens as virtual time passes.

Knows: jobs, fieldwork, how visits end, quotas, the life of a target group, its metrics, and the truth.
May import: sandbox.world, sandbox.protocol, domain.limits.
Gives out: functions over a `World`.
"""
