"""`cint_nb.connect`: the client of a notebook, whose waves show their progress."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from cint_nb.caller_warnings import warn_caller
from cint_nb.domain.arguments import check_arguments
from cint_nb.domain.errors import SettingsError
from cint_nb.panels.job_progress.reporters import make_reporter
from cint_nb.panels.look.mode import remember_mode
from cint_nb.panels.look.static_html import in_kernel
from cint_nb.wave.client import Client, open_client
from cint_nb.wire.loop_thread import archived_nest_asyncio_applied
from cint_nb.wire.settings import Mode, ModeName, wrap_secrets


@check_arguments(SettingsError)
def connect(
    mode: ModeName | Mode | None = None,
    *,
    seed: int | None = None,
    speed: float | None = None,
    faults: Sequence[str] = (),
    **settings: Any,
) -> Client:
    """Connect to the sandbox, to a replay of recorded responses, or to the live exchange.

    Args:
        mode: `sandbox`, `replay` or `live`; else the variable `CINT_NB_MODE`; else `sandbox`. Live spends real money,
            so it is never chosen for you.
        seed: Seed of the sandbox: the same seed, the same respondents. Else the variable `CINT_NB_SEED`, else 1.
        speed: How many times faster than real time the sandbox's clock runs; it jumps when left out.
        faults: Faults to inject into the sandbox, such as `drop-reply@upload`; `cint_nb.sandbox.FAULT_NAMES` has the
            names.
        **settings: `account_id`, `client_id`, `client_secret`, `token`, `base_url`, `token_url`, `recording`, `record`,
            `keep_token`, `in_flight`, `requests_per_second`, instead of their variables `CINT_NB_…`.

    The sandbox has a time of its own, `client.clock.now()`, which jumps when something waits and which
    `client.pass_time(days=3)` advances.

    In a notebook it also asks pandas to show `$` in tables as it is, where a name with two of them would be set as a
    formula; `pd.set_option("display.html.use_mathjax", True)` afterwards undoes that. The tables of pandas 2 say so in
    the words of MathJax 2, which JupyterLab 4 does not read.

    Returns:
        A client: `client.wave(...)` starts a wave; nothing is sent before it is needed.

    Raises:
        SettingsError: the mode is unknown, or live mode lacks credentials; it names each missing variable.

    Example:
        >>> with cint.connect() as client:
        ...     print(client)
        <cint_nb client: sandbox · account 101>
    """
    settings = wrap_secrets(settings)
    if in_kernel():
        pd.set_option("display.html.use_mathjax", False)
    if archived_nest_asyncio_applied():
        warn_caller(
            "The archived nest_asyncio is applied in this kernel: on ipykernel 7 it can lose the queued cells of a "
            "Run All. Use cint_nb.allow_nested_loops() in its place. Everything of cint_nb works with either."
        )
    client = open_client(mode, reporter=make_reporter, seed=seed, speed=speed, faults=faults, **settings)
    remember_mode(client.mode)
    return client
