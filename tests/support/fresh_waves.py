"""Waves on new people at the sandbox, in each state that a test begins with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cint_nb.domain.profiling.profiles import Profile
from cint_nb.wave.client import Client, open_client
from cint_nb.wave.wave import Wave
from cint_nb.wire.token_factory import SeededTokenFactory
from tests.support.plans import make_fresh_plan

NAME, PROJECT = "Tracker, wave 1", "Brand tracker"
BUDGET = "300 EUR"
QUOTAS = (Profile("gender", {"male": 50, "female": 50}), Profile("age", {"18-34": 40, "35-99": 60}))


def fresh_wave(client: Client, name: str = NAME, **changes: Any) -> Wave:
    """Return a wave on new people that is not created yet; keywords change its plan."""
    return client.wave(name, project=PROJECT, plan=make_fresh_plan(client.clock.now(), **changes))


def live_wave(client: Client, name: str = NAME, **changes: Any) -> Wave:
    """Return one that is in the field."""
    wave = fresh_wave(client, name, **changes)
    wave.create()
    wave.launch(budget=BUDGET)
    return wave


@contextmanager
def another_machine(client: Client) -> Iterator[Client]:
    """Open a client on the same exchange whose journal knows nothing."""
    with open_client("sandbox", seed=1) as other:
        other.sandbox.world = other.sandbox.dispatcher.world = client.sandbox.world
        other.sandbox.clock.advance_to(client.sandbox.clock.elapsed)
        other.aio.http.token_factory = SeededTokenFactory("another machine")
        yield other
