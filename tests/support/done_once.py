"""A pytest plugin: what would be done anew in each test, and is always the same, is done once in a process.

The list of certificate authorities is read once, which takes a plain httpx client as long as many a test. The level of
the root logger stays as low as pytest sets it around each part of a test: each change would empty the caches of all
loggers. And what was imported and collected stays until the end, so that the garbage collector leaves it alone.
"""

from __future__ import annotations

import functools
import gc
import importlib
import logging
import os
import ssl
from collections.abc import Generator
from typing import Any, cast

import pytest

network: Any = importlib.import_module("httpx._transports.default")  # where plain clients find the function
_YOUNG_OBJECTS = 10_000
"""After so many new ones garbage is looked for; Python's own 700 suits a program of less memory."""
_create_ssl_context = network.create_ssl_context
_bundled_certificates = functools.cache(_create_ssl_context)


def _ssl_context(verify: Any = True, cert: Any = None, trust_env: bool = True) -> ssl.SSLContext:
    is_usual = (
        verify is True and cert is None and not (os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR"))
    )
    create = _bundled_certificates if is_usual else functools.partial(_create_ssl_context, verify, cert, trust_env)
    return cast("ssl.SSLContext", create())


def pytest_configure() -> None:
    network.create_ssl_context = _ssl_context
    root = logging.getLogger()
    set_level = root.setLevel
    set_level(logging.DEBUG)
    root.setLevel = lambda level: None if level == root.level else set_level(level)  # type: ignore[method-assign]


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.set_threshold(_YOUNG_OBJECTS)
        gc.enable()
