"""The API client; names follow the URLs of the Demand API.

Knows: URLs, bodies and replies; which operation may be retried.
May import: wire, domain; the sandbox only when a client for it is built.
Gives out: `AsyncClient`, typed models and `Job`.
"""
