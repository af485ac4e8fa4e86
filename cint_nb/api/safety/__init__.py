"""Requests that must not take effect twice.

Knows: what may be resent, and what must be checked first after a lost reply.
May import: api.jobs, api.operations, wire, domain.
Gives out: `send_once`, `check_until_certain`, `start_removal`, conditional updates with If-Match, and `SpendCheck`.
"""
