"""The look of the panels: one style sheet on the notebook's own colours, light and dark.

`card.css` is for still pictures and panels, `panel.css` for live panels alone. Colours come from JupyterLab or VS Code
where they have them, and ours stand where theirs are missing or too pale; sizes answer to the width of the panel.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources import files

import ipywidgets as widgets

from cint_nb.panels.look.static_html import HIDE_STATIC_STYLE


def _read_sheet(name: str) -> str:
    text = (files("cint_nb.panels.look") / name).read_text(encoding="utf-8")
    return re.sub(r"\s*\n\s*", "\n", re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)).strip()


CARD_STYLE = f"<style>{_read_sheet('card.css')}</style>"
"""The style that a still picture brings along."""


FIGURE_STYLE = (
    "<style>.cint-figure{margin:2px 0;max-width:740px;overflow-x:auto}"
    ".cint-figure img{display:block;width:100%;min-width:600px;height:auto;color-scheme:light}"
    ':is([data-jp-theme-light="false"],body.vscode-dark,[data-theme="dark"]) .cint-figure img{color-scheme:dark}'
    "</style>"
)
"""The style that a drawing brings along: it follows the theme of the page."""

_LONG_NUMBER = re.compile(r"\b([1-9]\d*\.\d{2})\d+")


def themed_drawing(svg: str, colours: Mapping[str, tuple[str, str]]) -> str:
    """Return a drawing whose colours are variables, with one value in a light page and another in a dark one.

    Args:
        svg: The drawing in the light colours.
        colours: Name, light and dark colour.
    """
    text = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    text = _LONG_NUMBER.sub(r"\1", text)
    for name, (light, _) in colours.items():
        text = text.replace(light, f"var(--{name})")
    light_theme, dark_theme = (
        ";".join(f"--{name}:{both[place]}" for name, both in colours.items()) for place in range(2)
    )
    themes = f":root{{{light_theme}}}@media (prefers-color-scheme:dark){{:root{{{dark_theme}}}}}"
    return re.sub(r"(<svg[^>]*>)", rf"\1<style>{themes}</style>", text, count=1)


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
