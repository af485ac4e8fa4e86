"""Background jobs of the exchange: handle, status, schedule and polling.

Knows: when to poll next, how to parse a status reply, how long jobs take.
May import: api.operations, api.parsing, wire, domain.
Gives out: `Job`, which any number of watchers share and one poller polls.
"""
