"""Background jobs of the exchange: handle, status, schedule and polling.

Knows: when to poll again, how to read a status reply, how long jobs take.
May import: api.operations, api.parsing, wire, domain.
Gives out: `Job`, which many can watch and one poller polls.
"""
