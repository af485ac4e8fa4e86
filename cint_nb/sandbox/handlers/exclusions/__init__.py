"""The handlers of exclusions: by file, by project, by activity elsewhere, and by groups of target groups.

Knows: who is kept out of a target group, and which operation says so.
May import: sandbox.handlers, sandbox.simulation, sandbox.world, sandbox.protocol.
Gives out: tables of `Operation`.
"""
