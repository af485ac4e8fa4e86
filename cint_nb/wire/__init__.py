"""The pipe: settings, token, retries, pages, recordings, clock and the loop thread.

Knows: how to send one request safely; nothing of surveys.
May import: domain, httpx, tenacity.
Gives out: `Http`, which turns a `Call` into a `Reply` or one of our errors.
"""
