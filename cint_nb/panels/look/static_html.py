"""What a panel leaves in the notebook: the live widget, and beside it a still picture for when no kernel runs.

JupyterLab shows `Error displaying widget` for a widget whose kernel is gone, and never the text stored with it. So a
panel is shown twice: as a widget, and as plain HTML that hides itself while the widget is alive.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from cint_nb.domain.ids import as_printed
from cint_nb.panels.look.text_format import escape

STATIC_STYLE = (
    "<style>.jp-OutputArea:has(.cint-static) .jp-OutputArea-output.jupyter-widgets:not(:has(*)){display:none}</style>"
)
"""Hides the error in place of a dead widget, only where a still picture stands in for it."""

NO_MATHJAX_CLASS = "mathjax_ignore"
"""CSS class under which front ends set no formulas: a name with two `$` in it is a name."""

HIDE_STATIC_STYLE = """
.jp-OutputArea:has(.cint-panel) .jp-OutputArea-child:has(.cint-static) { display: none; }
:is(.cell_container, .output_wrapper):has(.cint-panel) .cint-static { display: none; }
"""
"""Part of the style sheet that live panels bring along."""


def in_kernel() -> bool:
    """Return whether a Jupyter kernel runs this code, so that widgets have somewhere to go."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None) is not None


def plain_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table without style, so that a stored notebook does not change with the look of the panels."""
    head = "".join(f"<th>{escape(text)}</th>" for text in heads)
    body = "".join(f"<tr>{''.join(f'<td>{escape(text)}</td>' for text in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def display_widget(bundle: dict[str, Any]) -> None:
    """Show the widget of a panel from its MIME bundle."""
    _display(bundle)


def display_static(html: str, text: str) -> None:
    """Show the still picture of a panel: HTML that hides itself while the panel is alive, and text for the rest."""
    _display(
        {"text/html": f'{STATIC_STYLE}<div class="cint-static {NO_MATHJAX_CLASS}">{html}</div>', "text/plain": text}
    )


class StillPicture:
    """The still picture of a panel as an object, for front ends that show HTML and know no widgets.

    Args:
        html: The picture.
        text: The same in text.
    """

    def __init__(self, html: str, text: str) -> None:
        self._html, self._text = html, text

    def __repr__(self) -> str:
        """Show the text form."""
        return self._text

    def _repr_html_(self) -> str:
        return f'<div class="{NO_MATHJAX_CLASS}">{self._html}</div>'


def knows_these_widgets() -> bool:
    """Return whether the installed ipywidgets is one our panels are made for; hosted notebooks may have version 7."""
    import ipywidgets

    return int(str(ipywidgets.__version__).partition(".")[0]) >= 8


def display_text(text: str) -> None:
    """Show the text form alone, where there is no kernel."""
    _display({"text/plain": text})


def _display(bundle: dict[str, Any]) -> None:
    from IPython.core.getipython import get_ipython
    from IPython.display import display

    if get_ipython() is None:  # a script, where IPython would print the bundle itself
        sys.stdout.write(f"{as_printed(bundle['text/plain'])}\n")
        return

    show: Callable[..., Any] = display
    show(bundle, raw=True)
