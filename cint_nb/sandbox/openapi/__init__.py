"""The schemas of every request and response, published and validated from one place.

Knows: JSON Schema, and the shape of every body.
May import: sandbox.world, sandbox.protocol, domain.limits.
Gives out: `SCHEMAS` and example bodies.
"""
