"""No test of a panel may see which connection another one made last."""

from __future__ import annotations

import pytest

from cint_nb.panels.look import mode


@pytest.fixture(autouse=True)
def _no_connection_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mode, "_latest_mode", [])
    monkeypatch.setattr(mode, "_modes", set())
