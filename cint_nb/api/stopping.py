"""Wait for the end of a pause, or for a signal that cuts it short."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable


async def stopped_during(pause: Awaitable[None], signal: asyncio.Event) -> bool:
    """Wait for the end of a pause or for the signal, and tell whether it was the signal."""
    sleeping = asyncio.ensure_future(pause)
    stopping = asyncio.ensure_future(signal.wait())
    try:
        ended, _ = await asyncio.wait((sleeping, stopping), return_when=asyncio.FIRST_COMPLETED)
        if sleeping in ended:
            sleeping.result()  # a clock that fails must not turn the watch into a busy one
    finally:
        for task in (sleeping, stopping):
            task.cancel()
        await asyncio.gather(sleeping, stopping, return_exceptions=True)
    return signal.is_set()
