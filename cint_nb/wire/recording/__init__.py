"""Recording and replay: calls written to a file, scrubbed, and answered from it, strictly.

Knows: which fields a recording may contain, and which reply belongs to which request.
May import: wire, domain, httpx.
Gives out: `RecordingTransport` and `ReplayTransport`, two httpx transports over one file.
"""
