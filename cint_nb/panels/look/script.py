"""The one script of the panels, where anywidget is installed: keys that stay in a panel, copying, tables that sort.

Without it a keystroke in a button or a list of ours reaches JupyterLab, where `d d` deletes the cell. Nothing is loaded
from anywhere: the script travels with the widget.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import ipywidgets as widgets

_script_boxes: list[widgets.Box] = []


def panel_script() -> widgets.Box:
    """Return the one box that carries the script; every panel shows it, hidden. It is empty without anywidget."""
    if not _script_boxes or _script_boxes[0].comm is None:
        box = widgets.Box(_make_script())
        box.add_class("cint-guard")
        _script_boxes[:] = [box]
    return _script_boxes[0]


def is_scripted() -> bool:
    """Return whether panels have their script, as far as the kernel knows."""
    return bool(panel_script().children)


def _make_script() -> tuple[Any, ...]:
    try:
        import anywidget
    except ImportError:
        return ()

    class PanelScript(anywidget.AnyWidget):
        _esm = (files("cint_nb.panels.look") / "panel.js").read_text(encoding="utf-8")

    return (PanelScript(),)
