"""The look of the panels: one style sheet on the notebook's own colours, light and dark.

`card.css` is for still pictures and panels, `panel.css` for live panels alone. Colours come from JupyterLab or VS Code
where they have them, and ours stand where theirs are missing or too pale; sizes answer to the width of the panel.
"""

from __future__ import annotations

import re
from importlib.resources import files

import ipywidgets as widgets

from cint_nb.panels.look.static_html import HIDE_STATIC_STYLE


def _read_sheet(name: str) -> str:
    text = (files("cint_nb.panels.look") / name).read_text(encoding="utf-8")
    return re.sub(r"\s*\n\s*", "\n", re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)).strip()


CARD_STYLE = f"<style>{_read_sheet('card.css')}</style>"
"""The style that a still picture brings along."""


_style_widgets: list[widgets.HTML] = []


def style_sheet() -> widgets.HTML:
    """Return the one widget that carries the style sheet; every panel shows it. One that was closed is made anew."""
    if not _style_widgets or _style_widgets[0].comm is None:
        sheet = widgets.HTML(
            f"<style>{_read_sheet('card.css')}{_read_sheet('panel.css')}{_read_sheet('table.css')}{HIDE_STATIC_STYLE}"
            "</style>"
        )
        sheet.add_class("cint-style")
        _style_widgets[:] = [sheet]
    return _style_widgets[0]
