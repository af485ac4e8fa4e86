"""What all panels share: a head with the mode, a line for errors, a text form, and one look."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any

import ipywidgets as widgets
import traitlets

from cint_nb.domain.errors import CintError
from cint_nb.domain.ids import printable
from cint_nb.panels.look import static_html
from cint_nb.panels.look.script import panel_script
from cint_nb.panels.look.style import style_sheet
from cint_nb.panels.look.text_format import escape, parse_mode


def make_html_part(css: str, value: str = "") -> widgets.HTML:
    """Create an HTML widget of one CSS class; it takes no room while it is empty."""
    part = widgets.HTML()
    part.add_class(css)
    part.add_class("cint-empty")
    set_html(part, value)
    return part


def set_html(part: widgets.HTML, value: str) -> None:
    """Put HTML into a part, only when it differs, so that a screen reader hears what is new and nothing else."""
    before = part.value
    if value == before:
        return
    part.value = value
    if not value:
        part.add_class("cint-empty")
    elif not before:
        part.remove_class("cint-empty")


def mode_badge_html(mode: str) -> str:
    """Write the mode as a coloured word."""
    return f'<span class="cint-mode cint-mode-{escape(mode)}">{escape(mode)}</span>'


def state_html(css: str, icon: str, word: str) -> str:
    """Write a state as colour, icon and word, so that none of them carries it alone."""
    return f'<span class="cint-state cint-{css}"><i aria-hidden="true">{escape(icon)}</i>{escape(word)}</span>'


def show_state(part: widgets.HTML, css: str, icon: str, word: str, detail: str | None = None) -> None:
    """Write a state line into a part; a screen reader reads it when it changes."""
    tail = f"<span>{escape(detail)}</span>" if detail else ""
    set_html(part, f'<div role="status" class="cint-status">{state_html(css, icon, word)}{tail}</div>')


def render_warnings(texts: Iterable[str]) -> str:
    """Write warnings as a list; nothing where there is none."""
    lines = "".join(
        f'<li class="cint-note cint-warn"><span aria-hidden="true">▲</span><div><span class="cint-vh">warning </span>'
        f"{escape(text)}</div></li>"
        for text in texts
    )
    return f'<ul class="cint-warnings">{lines}</ul>' if lines else ""


def render_line(code: str) -> str:
    """Write a line of code with a button that copies it, where a script can."""
    return (
        f'<div class="cint-line"><code>{escape(code)}</code><button type="button" class="cint-b cint-copy" '
        'data-lm-suppress-shortcuts="true" aria-label="Copy this line">Copy</button></div>'
    )


def error_message(error: BaseException) -> str:
    """Return what a panel says of an error: our own four lines, or kind and text of any other."""
    return str(error) if isinstance(error, CintError) else f"{type(error).__name__}: {error}"


def close_tree(whole: widgets.Widget) -> None:
    """Close what a widget is made of, shown or kept for later: its parts with theirs, its layout and style."""
    kept = (part for part in vars(whole).values() if isinstance(part, widgets.Widget))
    parts = {*getattr(whole, "children", ()), *kept, getattr(whole, "layout", None), getattr(whole, "style", None)}
    for part in parts - {None, style_sheet(), panel_script()}:  # all panels share those
        part.close()
        if not isinstance(part, Panel):  # a panel closes its own
            close_tree(part)


def _cell_number() -> int:
    """Return the number of the running cell; 0 where there are none."""
    ipython = sys.modules.get("IPython")
    return int(getattr(ipython and ipython.get_ipython(), "execution_count", 0) or 0)


class Panel(widgets.VBox):  # type: ignore[misc]  # ipywidgets ships no types
    """The parts of one panel under a head that names the mode.

    Args:
        css: Name of the panel in its CSS class `cint-<css>`.
        mode: `sandbox`, `replay` or `live`; None where it is not certain, and no badge is shown.
        title: What the panel is about; shown and escaped.
        parts: The widgets below the head.

    Saved notebooks, terminals and front ends without widgets show `to_text()`; its first line is the repr.
    """

    value = traitlets.Any(None, allow_none=True)

    def __init__(self, css: str, mode: object, title: str, parts: Iterable[widgets.Widget]) -> None:
        self._mode = "" if mode is None else parse_mode(mode)
        self._head = make_html_part("cint-head-part")
        self._error = make_html_part("cint-error-part")
        self._error_text = self._aside = ""
        self._buttons = widgets.HBox([])
        self._buttons.add_class("cint-buttons")
        self._top = widgets.HBox([self._head, self._buttons])
        self._top.add_class("cint-top")
        self._shown_in: int | None = None
        self._started_in: int | None = None
        super().__init__(children=(style_sheet(), panel_script(), self._top, *parts, self._error))
        self.add_class("cint")
        self.add_class("cint-panel")
        self.add_class(f"cint-{css}")
        self._show_title(title)

    @property
    def mode(self) -> str:
        """Return the mode the panel shows; empty where it shows none."""
        return self._mode

    @property
    def error(self) -> str:
        """Return what the error line says, empty when nothing is wrong."""
        return self._error_text

    def set_buttons(self, *buttons: widgets.Widget) -> None:
        """Show these buttons in the head; a panel that needs none shows none."""
        self._buttons.children = buttons

    def _note_start(self) -> None:
        """Note in which cell it was started: where it is shown already, that cell shows no second copy."""
        self._started_in = _cell_number() if self._shown_in is not None else None

    def _show_title(self, title: str) -> None:
        self._title = title
        self._draw_head()

    def _show_aside(self, text: str) -> None:
        """Show to the right of the title when its content was read."""
        self._aside = text
        self._draw_head()

    def _draw_head(self) -> None:
        aside = f'<span class="cint-right cint-n">{escape(self._aside)}</span>' if self._aside else ""
        set_html(
            self._head,
            f'<div class="cint-head"><span class="cint-title">{escape(self._title)}</span>'
            f"{mode_badge_html(self._mode) if self._mode else ''}{aside}</div>",
        )

    def _show_error(self, error: BaseException | None) -> None:
        self._error_text = "" if error is None else error_message(error)
        set_html(
            self._error,
            f'<div class="cint-error" role="alert">{escape(self._error_text)}</div>' if self._error_text else "",
        )

    def close(self) -> None:
        """Close the panel and all its parts, which ipywidgets would otherwise keep alive as long as the kernel."""
        if self.comm is not None:  # else it is closed
            super().close()  # first: nothing is sent any more of what happens to the parts
            close_tree(self)

    def __del__(self, _is_ending: Callable[[], bool] = sys.is_finalizing) -> None:
        """Close it, unless it was refused while it was made, or Python itself ends and has no modules any more."""
        if not _is_ending() and "_top" in vars(self):
            super().__del__()

    def summary(self) -> list[str]:
        """Return what the repr says after the mode: stable words, without ids, times and addresses."""
        return [self._title] if self._title else []

    def to_text(self) -> str:
        """Return the text form: the repr, and what the panel shows, where that does not change from run to run."""
        return repr(self)

    def to_static_html(self) -> str:
        """Return the HTML that stands in for the panel in a saved notebook: no ids, nothing that needs a kernel."""
        return f"<p>{escape(self._said())}</p>"

    def display_static(self) -> None:
        """Write the still picture of the panel, as it stands now, into the output of the running cell."""
        static_html.display_static(
            self.to_static_html(), self.to_text().partition("\n")[2] or " · ".join(self.summary())
        )

    @printable
    def __repr__(self) -> str:
        """Show the panel, its mode and its state on one line that does not change from run to run."""
        return f"<{type(self).__name__}: {self._said()}>"

    def _said(self) -> str:
        return " · ".join(bit for bit in (self._mode, *self.summary()) if bit)

    def display(self) -> None:
        """Show the widget alone in the output of the running cell; `display_static` may follow when there is an end."""
        self._shown_in = _cell_number()
        live = self.comm is not None  # ipywidgets takes the method away from a panel that is closed
        static_html.display_widget((live and self._repr_mimebundle_()) or {"text/plain": repr(self)})

    def _ipython_display_(self) -> None:
        if not static_html.in_kernel():
            static_html.display_text(self.to_text())
            return
        started, self._started_in = self._started_in, None
        if started is not None and started == _cell_number():
            return  # `panel.start()` as the last line of a cell: it is shown above
        if static_html.knows_these_widgets():
            self.display()
        else:
            self._load_for_picture()
        self.display_static()

    def _load_for_picture(self) -> None:
        """Load what a still picture shows; a panel that loads nothing has nothing to do."""

    def _display_(self) -> static_html.StillPicture:
        """Return what marimo shows, which would put a warning in place of a widget."""
        self._load_for_picture()
        return static_html.StillPicture(self.to_static_html(), self.to_text())

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        # ipywidgets cuts the text at 110 characters; a saved notebook should hold all of it.
        bundle = super()._repr_mimebundle_(**kwargs)
        return bundle and {**bundle, "text/plain": repr(self)}
