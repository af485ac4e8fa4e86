"""A panel to choose a respondent file, in the browser or on the server, and to see what is in it.

The chooser is our own, of plain ipywidgets: they are what JupyterLab, Binder, VS Code and Voila all show. The known
library for it, ipyfilechooser, writes file names into HTML unescaped, is not readable in the dark theme, and has had no
release since 2021.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ipywidgets as widgets

from cint_nb.domain import limits
from cint_nb.domain.ids import EntityType, mask_ids_in
from cint_nb.domain.ids import parse_entity_type as read_entity_type
from cint_nb.panels.file_picker.model import (
    ENTITY_QUESTION,
    ENTITY_TOOLTIPS,
    FileFacts,
    Reader,
    Source,
    code_line,
    facts_of,
    offered_columns,
)
from cint_nb.panels.file_picker.rooted_folder import READABLE, Fence
from cint_nb.panels.file_picker.view import draw_bad, draw_code, draw_facts, draw_hints, still_lines, text_lines
from cint_nb.panels.look.background import beside
from cint_nb.panels.look.base import Panel, html_part, say, write
from cint_nb.panels.look.mode import mode_of
from cint_nb.panels.look.text_format import count, esc, size


def _read_respondents(source: Any, **options: Any) -> Any:
    from cint_nb.study.files.respondents import read_respondents

    return read_respondents(source, **options)


class FilePicker(Panel):
    """Choose a respondent file and see what is in it, before anything is sent.

    Args:
        folder: Folder on the server whose files can be chosen; nothing outside it can.
        mode: `sandbox`, `replay` or `live`; that of the latest `connect` when left out.
        title: Heading.
        reader: Reads the file; `cint_nb.read_respondents` when left out.

    `value` is the `Respondents`, None until a file was read and its ids were named. `choose()` does the same from code.
    Serves the recontact guide, prerequisites and step 2.
    """

    def __init__(
        self,
        folder: str | Path = ".",
        *,
        mode: object = None,
        title: str = "Respondent file",
        reader: Reader | None = None,
    ) -> None:
        self.fence = Fence(folder)
        self._reader = reader or _read_respondents
        self._source: Source | None = None
        self._facts: FileFacts | None = None
        self._column: str | int | None = None
        self._round = 0
        self._quiet = False
        self._lock = threading.RLock()
        self._make_controls()
        self._about, self._bad = html_part("cint-about-part"), html_part("cint-bad-part")
        self._hints, self._code = html_part("cint-hints-part"), html_part("cint-code-part")
        self._line = html_part("cint-status-part")
        top = widgets.HBox([self.upload, html_part("cint-hint-part", _BROWSER_HINT)])
        shelf = widgets.HBox([self.files, self.look_button])
        for row in (top, shelf):
            row.add_class("cint-row")
        parts = (top, shelf, self.columns, self.entity, self._hints, self._line, self._about, self._bad, self._code)
        super().__init__("file-picker", mode or mode_of(None), title, parts)
        self._list(self.fence.root)
        say(self._line, "calm", "…", "no file chosen", "choose one above")

    def _make_controls(self) -> None:
        self.upload = widgets.FileUpload(accept=",".join(READABLE), multiple=False, description="Choose a file")
        self.upload.add_class("cint-upload")
        self.upload.observe(self._on_upload, "value")
        self.files = widgets.Dropdown(options=[], description="or on the server")
        self.files.add_class("cint-files")
        self.files.observe(self._on_file, "value")
        self.look_button = widgets.Button(description="Look again", tooltip="List the folder anew")
        self.look_button.add_class("cint-look-again")
        self.look_button.on_click(lambda _: self._list(self._here))
        self.columns = widgets.Dropdown(options=[], description="Column of ids")
        self.columns.add_class("cint-columns")
        self.columns.layout.display = "none"
        self.columns.observe(lambda _: self._read_beside(), "value")
        # Buttons, since JupyterLab keeps the arrow keys for itself: the second radio button could not be reached
        self.entity = widgets.ToggleButtons(
            options=ENTITY_QUESTION, value=None, description="Each id is", tooltips=ENTITY_TOOLTIPS
        )
        self.entity.add_class("cint-entity")
        self.entity.observe(lambda _: self._read_beside(), "value")

    @property
    def facts(self) -> FileFacts | None:
        """Return what is shown of the file, None until one was read."""
        return self._facts

    def choose(self, path: str | Path, *, entity_type: str, column: str | int | None = None) -> FilePicker:
        """Choose a file of the folder from code and read it now.

        Args:
            path: File name, relative to the folder.
            entity_type: `RSID` or `RESPONDENT_ID` (one per person), `RID` or `RESPONSE_ID` (one per visit).
            column: Name or position, from 1, of the column that holds the ids, for a table with several.

        Raises:
            RespondentFileError: the file lies outside the folder or cannot be read.
            ValueError: the entity type is none of the four words.
        """
        kind = read_entity_type(entity_type)
        place = self.fence.inside(path)
        number = self._begin(Source(self.fence.name(place), place))
        with self._quietly():
            self.entity.value = kind.value
        try:
            self._read(number, kind, column)
        except Exception as error:
            self._fail(number, error)
            raise
        return self

    def to_code(self) -> str:
        """Return the line of code that makes the same choice, empty before there is one."""
        if self._source is None or self.value is None:
            return ""
        return code_line(self._source, self.value.entity_type, self._column)

    # --- choosing ---------------------------------------------------------------------------------------------

    def _list(self, folder: Path) -> None:
        self._here = folder
        entries, inside = self.fence.entries(folder), self.fence.name(folder)
        where = mask_ids_in(f"{self.fence.root.name or '/'}/{inside}")
        here = f"in {where}: choose one" if inside != "." else "choose one"
        with self._quietly():
            self.files.options = [(here, None), *((entry.label, entry) for entry in entries)]
            self.files.index = 0
        if not entries:
            say(self._line, "calm", "…", "no file chosen", f"nothing to read in {where}")

    def _on_file(self, change: Any) -> None:
        entry = change["new"]
        with self._lock:
            if entry is None or self._quiet:
                return
            if entry.folder:
                self._list(entry.path)
                return
            self._begin(Source(self.fence.name(entry.path), entry.path))
            self._read_beside()

    def _on_upload(self, change: Any) -> None:
        if not change["new"]:
            return
        item = change["new"][0]
        source = Source(Path(str(item["name"])).name, content=bytes(item["content"]))
        self.upload.value = ()  # the ids must not stay in a trait: notebooks save traits
        self._begin(source)
        self._read_beside()

    def _begin(self, source: Source) -> int:
        with self._lock:
            self._source, self._column = source, None
            self._round += 1
            self._offer(())
            return self._round

    @contextmanager
    def _quietly(self) -> Iterator[None]:
        """Change controls without taking it for a choice of the reader; choices on other threads wait."""
        with self._lock:
            before, self._quiet = self._quiet, True
            try:
                yield
            finally:
                self._quiet = before

    def _offer(self, columns: tuple[tuple[str, int], ...]) -> None:
        with self._quietly():
            self.columns.options = [("choose one", None), *columns] if columns else []
            self.columns.index = 0 if columns else None
            self.columns.layout.display = "" if columns else "none"

    # --- reading ----------------------------------------------------------------------------------------------

    def _read_beside(self) -> None:
        with self._lock:
            if self._quiet or self._source is None:
                return
            self._round += 1
            number, name = self._round, self._source.shown
        kind = None if self.entity.value is None else EntityType(self.entity.value)
        column = self.columns.value if self.columns.options else None
        self._show_error(None)
        say(self._line, "busy", "↻", "reading", name)

        def work() -> None:
            try:
                self._read(number, kind, column)
            except Exception as error:  # noqa: BLE001  # whatever reading raises belongs in the panel, not on a thread
                self._fail(number, error)

        beside(work)

    def _read(self, number: int, kind: EntityType | None, column: str | int | None) -> None:
        """Read the file; before the ids are named its lines can be counted all the same."""
        source = self._source
        if source is None:
            return
        people = source.read(self._reader, kind or EntityType.RSID, column)
        facts = facts_of(people, source)
        with self._lock:
            if number != self._round:
                return
            self._column = column
            self._show_error(None)
            if kind is None:
                say(self._line, "busy", "?", "one question left", "is each id one per person, or one per visit?")
            elif facts.usable:
                say(self._line, "good", "✔", "ready", f"{count(facts.usable, 'id')} to send")
            else:
                say(self._line, "bad", "✖", "nothing to send", "no line holds a usable id")
            write(self._about, draw_facts(facts))
            write(self._bad, draw_bad(facts))
            write(self._hints, draw_hints(facts, kind))
            line = code_line(source, kind, column) if kind else ""
            write(self._code, draw_code(line, usable=bool(facts.usable)))
            # Last, so that whoever waits for the value finds the panel complete
            self._facts, self.value = facts, people if kind else None

    def _fail(self, number: int, error: Exception) -> None:
        with self._lock:
            if number != self._round:
                return
            self._facts, self.value = None, None
            for part in (self._about, self._bad, self._hints, self._code):
                write(part, "")
            columns = offered_columns(error) if not self.columns.options else ()
            if columns:
                self._offer(columns)
                say(self._line, "busy", "?", "one question left", "which column holds the ids?")
                self._show_error(None)
                return
            say(self._line, "bad", "✖", "cannot be used", self._source.shown if self._source else "")
            self._show_error(error)

    def summary(self) -> list[str]:
        """Return the title and the verdict counts of the file."""
        if self._facts is None:
            return [self._title, "no file chosen"]
        counts = ", ".join(f"{number:,} {verdict}" for verdict, number in self._facts.counts if number)
        kind = self.value.entity_type.value if self.value is not None else "RSID or RID?"
        return [self._title, self._facts.name, kind, counts]

    def still(self) -> str:
        """Return the counts and the first bad lines."""
        return super().to_static_html() + (still_lines(self._facts) if self._facts else "")

    def text(self) -> str:
        """Return the repr, the counts and the first bad lines."""
        if self._facts is None:
            return repr(self)
        kind = None if self.value is None else self.value.entity_type
        return "\n".join([repr(self), *text_lines(self._facts, kind)])


_BROWSER_HINT = (
    f'<div class="cint-soft">from this computer, up to {esc(size(limits.UPLOAD_MAX_BYTES))}. A larger one does not '
    "arrive here: drop it onto JupyterLab's file list, then press Look again.</div>"
)
