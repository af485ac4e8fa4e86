"""The pipe: settings, tokens, retries, pagination, the clock and the loop thread.

Knows: how to send one request safely; nothing of surveys.
May import: domain, httpx, tenacity, platformdirs, nest_asyncio2.
Gives out: `Http`, which turns a `Call` into a `Reply` or one of our errors.
"""
