"""A panel to choose a respondent file, in the browser or on the server, and to see what is in it.

The chooser is our own, of plain ipywidgets: they are what JupyterLab, Binder, VS Code and Voila all show. The known
library for it, ipyfilechooser, writes file names into HTML unescaped, is not readable in the dark theme, and has had no
release since 2021.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import ipywidgets as widgets

from cint_nb.caller_warnings import deliver_warnings
from cint_nb.domain.arguments import check_arguments
from cint_nb.domain.errors import InputError
from cint_nb.domain.ids import EntityType, mask_ids_in, parse_entity_type
from cint_nb.panels.file_picker.drop_zone import FileReceiver, make_drop_zone
from cint_nb.panels.file_picker.model import (
    BROWSER_MAX_BYTES,
    ENCODING_CHOICES,
    ENTITY_QUESTION,
    ENTITY_TOOLTIPS,
    HIDDEN_QUESTION,
    SEPARATOR_WORDS,
    FileChoice,
    FileSummary,
    ReadChoices,
    Reader,
    code_line,
    column_choices,
    separator_choices,
    sheet_choices,
    summarise,
)
from cint_nb.panels.file_picker.rooted_folder import RootedFolder
from cint_nb.panels.file_picker.view import (
    format_lines,
    render_bad_lines,
    render_code,
    render_hints,
    render_static_lines,
    render_summary,
)
from cint_nb.panels.look.background import run_in_thread
from cint_nb.panels.look.base import Panel, make_html_part, set_html, show_state
from cint_nb.panels.look.mode import mode_of
from cint_nb.panels.look.text_format import escape, format_count, format_size
from cint_nb.study.files.file_format import READABLE_SUFFIXES
from cint_nb.study.files.text_files import Separator


def _read_respondents(source: Any, **options: Any) -> Any:
    from cint_nb.study.files.respondents import read_respondents

    return read_respondents(source, **options)


@check_arguments()
class FilePicker(Panel):
    """Choose a respondent file and see what is in it, before anything is sent.

    Args:
        folder: Folder on the server whose files can be chosen; nothing outside it can.
        mode: `sandbox`, `replay` or `live`; that of the latest `connect` when left out.
        title: Heading.
        reader: Reads the file; `cint_nb.read_respondents` when left out.

    `value` is the `Respondents`, None until a file was read and its ids were named. `choose()` does the same from code.
    Serves the recontact guide, prerequisites and step 2.

    Example:
        >>> file = cint.sandbox.write_sample("respondents.csv", lines=60)
        >>> print(cint.FilePicker().choose(file, entity_type="RSID").summary())
        ['Respondent file', 'respondents.csv', 'RSID', '57 usable, 1 duplicate, 1 malformed, 1 blank']
    """

    def __init__(
        self,
        folder: str | Path = ".",
        *,
        mode: str | None = None,
        title: str = "Respondent file",
        reader: Reader | None = None,
    ) -> None:
        self.folder = RootedFolder(folder)
        self._reader = reader or _read_respondents
        self._source: FileChoice | None = None
        self._facts: FileSummary | None = None
        self._choices = ReadChoices()
        self._read_number = 0
        self._events_suppressed = False
        self._lock = threading.RLock()
        self._make_controls()
        self._summary_part, self._bad = make_html_part("cint-about-part"), make_html_part("cint-bad-part")
        self._hints, self._code = make_html_part("cint-hints-part"), make_html_part("cint-code-part")
        self._line = make_html_part("cint-status-part")
        self.receiver = FileReceiver(self._on_received)
        self.drop_zone = make_drop_zone(self.receiver)
        top = widgets.HBox([self.upload, make_html_part("cint-hint-part", _BROWSER_HINT)])
        top.add_class("cint-plain-upload")
        shelf = widgets.HBox([self.files, self.look_button])
        otherwise = widgets.HBox([self.other_button])
        for row in (top, shelf, otherwise):
            row.add_class("cint-row")
        parts = (
            self.drop_zone,
            top,
            shelf,
            self.sheets,
            self.columns,
            self.entity,
            self.hidden,
            otherwise,
            self.how,
            self._hints,
            self._line,
            self._summary_part,
            self._bad,
            self._code,
        )
        super().__init__("file-picker", mode or mode_of(None), title, parts)
        self._list_folder(self.folder.root)
        show_state(self._line, "calm", "…", "no file chosen")

    def _make_controls(self) -> None:
        self.upload = widgets.FileUpload(
            accept=",".join(READABLE_SUFFIXES), multiple=False, description="Choose a file"
        )
        self.upload.add_class("cint-upload")
        self.upload.observe(self._on_upload, "value")
        self.files = widgets.Dropdown(options=[], description="on the server")
        self.files.add_class("cint-files")
        self.files.observe(self._on_file, "value")
        self.look_button = widgets.Button(description="List again", tooltip="List the folder anew")
        self.look_button.add_class("cint-look-again")
        self.look_button.on_click(lambda _: self._list_folder(self._here))
        self.sheets = widgets.Dropdown(options=[], description="Sheet")
        self.sheets.add_class("cint-columns")
        self.sheets.layout.display = "none"
        self.sheets.observe(lambda _: self._read_in_background(), "value")
        self.columns = widgets.Dropdown(options=[], description="Column of ids")
        self.columns.add_class("cint-columns")
        self.columns.layout.display = "none"
        self.columns.observe(lambda _: self._read_in_background(), "value")
        # Buttons, since JupyterLab keeps the arrow keys for itself: the second radio button could not be reached
        self.entity = widgets.ToggleButtons(
            options=ENTITY_QUESTION, value=None, description="Each id is", tooltips=ENTITY_TOOLTIPS
        )
        self.entity.add_class("cint-entity")
        self.entity.layout.display = "none"  # before there is a file there is nothing to ask
        self.entity.observe(lambda _: self._read_in_background(), "value")
        self.hidden = widgets.ToggleButtons(options=HIDDEN_QUESTION, value=None, description="Hidden lines")
        self.hidden.add_class("cint-entity")
        self.hidden.layout.display = "none"
        self.hidden.observe(lambda _: self._read_in_background(), "value")
        self._make_text_controls()

    def _make_text_controls(self) -> None:
        """Make the controls for how a text is read, which are shown where a reader wants another way than was found."""
        self.other_button = widgets.ToggleButton(
            value=False, description="Read it otherwise", tooltip="Choose separator, encoding or header line"
        )
        self.other_button.layout.display = "none"
        self.other_button.observe(lambda _: self._show_how(), "value")
        self.separators = widgets.Dropdown(options=[], description="Separator")
        self.encodings = widgets.Dropdown(options=[], description="Encoding")
        for control in (self.separators, self.encodings):
            control.add_class("cint-columns")
            control.observe(lambda _: self._read_otherwise(), "value")
        self.header_line = widgets.Text(
            description="Header line", placeholder="found by itself", continuous_update=False
        )
        self.header_line.add_class("cint-columns")
        self.header_line.observe(lambda _: self._read_otherwise(), "value")
        self.how = widgets.VBox([self.separators, self.encodings, self.header_line])
        self.how.add_class("cint-how")
        self.how.layout.display = "none"

    @property
    def file_summary(self) -> FileSummary | None:
        """Return what is shown of the file, None until one was read."""
        return self._facts

    def choose(
        self,
        path: str | Path,
        *,
        entity_type: str,
        column: str | int | None = None,
        hidden: Literal["skip", "read"] | None = None,
        sheet: str | int | None = None,
        separator: Separator | None = None,
        encoding: str | None = None,
        header_row: int | None = None,
    ) -> FilePicker:
        """Choose a file of the folder from code and read it now.

        Args:
            path: File name, relative to the folder.
            entity_type: `RSID` or `RESPONDENT_ID` (one per person), `RID` or `RESPONSE_ID` (one per visit).
            column: Name or position, from 1, of the column that holds the ids, for a table with several.
            hidden: Whether what is hidden in a workbook is left out (`skip`) or read too (`read`).
            sheet: Name or position, from 1, of the sheet of a workbook, where several hold ids.
            separator: Of the values of a text, such as `";"`, or a line end for one value a line.
            encoding: Of a text, as Python calls it, such as `"cp1250"`.
            header_row: Line with the names of the columns, from 1.

        Raises:
            RespondentFileError: the file lies outside the folder or cannot be read.
            InputError: the entity type is none of the four words.
        """
        try:
            kind = parse_entity_type(entity_type)
        except ValueError as error:
            raise InputError(f"{error}.", next_step="pass one of these.") from None
        place = self.folder.resolve(path)
        number = self._start_read(FileChoice(self.folder.relative_name(place), place))
        with self._suppress_events():
            self.entity.value = kind.value
        choices = ReadChoices(sheet, column, hidden, separator, encoding, header_row)
        try:
            self._read(number, kind, choices)
        except Exception as error:
            self._show_failure(number, error)
            raise
        return self

    def to_code(self) -> str:
        """Return the line of code that makes the same choice, empty before there is one."""
        if self._source is None or self.value is None:
            return ""
        return code_line(self._source, self.value.entity_type, self._choices)

    # --- choosing ---------------------------------------------------------------------------------------------

    def _list_folder(self, folder: Path) -> None:
        self._here = folder
        entries, inside = self.folder.list_entries(folder), self.folder.relative_name(folder)
        where = mask_ids_in(f"{self.folder.root.name or '/'}/{inside}")
        here = f"in {where}: choose one" if inside != "." else "choose one"
        with self._suppress_events():
            self.files.options = [(here, None), *((entry.label, entry) for entry in entries)]
            self.files.index = 0
        if not entries:
            show_state(self._line, "calm", "…", "no file chosen", f"nothing to read in {where}")

    def _on_file(self, change: Any) -> None:
        entry = change["new"]
        with self._lock:
            if entry is None or self._events_suppressed:
                return
            if entry.is_folder:
                self._list_folder(entry.path)
                return
            self._start_read(FileChoice(self.folder.relative_name(entry.path), entry.path))
            self._read_in_background()

    def _on_upload(self, change: Any) -> None:
        if not change["new"]:
            return
        item = change["new"][0]
        content = bytes(item["content"])
        self.upload.value = ()  # the ids must not stay in a trait: notebooks save traits
        self._on_received(str(item["name"]), content)

    def _on_received(self, name: str, content: bytes) -> None:
        self._start_read(FileChoice(Path(name).name, content=content))
        self._read_in_background()

    def _start_read(self, source: FileChoice) -> int:
        with self._lock:
            self._source, self._choices = source, ReadChoices()
            self._read_number += 1
            self._offer(self.columns, ())
            self._offer(self.sheets, ())
            self.entity.layout.display = ""
            with self._suppress_events():
                self.hidden.value, self.hidden.layout.display = None, "none"
                self._offer_ways(None, ReadChoices())
                self.other_button.value, self.other_button.layout.display = False, "none"
                self._show_how()
            return self._read_number

    def _show_how(self) -> None:
        self.how.layout.display = "" if self.other_button.value else "none"

    def _offer_ways(self, facts: FileSummary | None, choices: ReadChoices) -> None:
        """Offer separators and encodings, each with what was found first, and show what was chosen."""
        with self._suppress_events():
            found = facts.separator if facts and choices.separator is None else None
            marks = [(word, mark) for mark, word in SEPARATOR_WORDS.items()]
            self._set_options(self.separators, found, marks, choices.separator)
            found = facts.encoding if facts and choices.encoding is None else None
            self._set_options(self.encodings, found, list(ENCODING_CHOICES), choices.encoding)
            self.header_line.value = "" if choices.header_row is None else f"{choices.header_row}"

    @staticmethod
    def _set_options(
        control: widgets.Dropdown, found: str | None, choices: list[tuple[str, str]], chosen: str | None
    ) -> None:
        own = [] if chosen is None or chosen in dict(choices).values() else [(repr(chosen), chosen)]
        options = [(f"as found: {found}" if found else "as found", None), *choices, *own]
        if list(control.options) != options:
            control.options = options
        control.index = [value for _, value in options].index(chosen)  # by value, None would show nothing

    def _read_otherwise(self) -> None:
        """Read again in another way: which columns there are may be another question then."""
        with self._lock:
            if self._events_suppressed:
                return
            self._offer(self.columns, ())
        self._read_in_background()

    @contextmanager
    def _suppress_events(self) -> Iterator[None]:
        """Change controls without taking it for a choice of the reader; choices on other threads wait."""
        with self._lock:
            before, self._events_suppressed = self._events_suppressed, True
            try:
                yield
            finally:
                self._events_suppressed = before

    def _offer(self, control: widgets.Dropdown, choices: tuple[tuple[str, int], ...]) -> None:
        with self._suppress_events():
            control.options = [("choose one", None), *choices] if choices else []
            control.index = 0 if choices else None
            control.layout.display = "" if choices else "none"

    # --- reading ----------------------------------------------------------------------------------------------

    def _read_in_background(self) -> None:
        with self._lock:
            if self._events_suppressed or self._source is None:
                return
            self._read_number += 1
            number, name = self._read_number, self._source.display_name
        kind = None if self.entity.value is None else EntityType(self.entity.value)
        choices = ReadChoices(
            sheet=self.sheets.value if self.sheets.options else None,
            column=self.columns.value if self.columns.options else None,
            hidden=self.hidden.value,
            separator=self.separators.value,
            encoding=self.encodings.value,
        )
        header = self.header_line.value.strip()
        self._show_error(None)
        show_state(self._line, "busy", "↻", "reading", name)

        def work() -> None:
            try:
                whole = replace(choices, header_row=_line_number(header))
                with deliver_warnings(show=False):  # the panel shows them; on this thread nobody sees Python's
                    self._read(number, kind, whole)
            except Exception as error:  # noqa: BLE001  # whatever reading raises belongs in the panel, not on a thread
                self._show_failure(number, error)

        run_in_thread(work)

    def _read(self, number: int, kind: EntityType | None, choices: ReadChoices) -> None:
        """Read the file; before the ids are named its lines can be counted all the same."""
        source = self._source
        if source is None:
            return
        people = source.read(self._reader, kind or EntityType.RSID, choices)
        undecided = getattr(getattr(people, "source_info", None), "hidden_undecided", 0)
        facts = summarise(people, source, kind)
        with self._lock:
            if number != self._read_number:
                return
            self._choices = choices
            self._show_error(None)
            if facts.is_text:
                self._offer_ways(facts, choices)
                self.other_button.layout.display = ""
            if undecided:
                with self._suppress_events():
                    self.hidden.layout.display = ""
            self._show_what_is_left(facts, kind, undecided)
            set_html(self._summary_part, render_summary(facts))
            set_html(self._bad, render_bad_lines(facts))
            set_html(self._hints, render_hints(facts, kind))
            line = code_line(source, kind, choices) if kind else ""
            set_html(self._code, render_code(line, facts) if kind and not undecided else "")
            # Last, so that whoever waits for the value finds the panel complete
            self._facts, self.value = facts, people if kind and not undecided else None

    def _show_what_is_left(self, facts: FileSummary, kind: EntityType | None, undecided: int) -> None:
        if kind is None:
            show_state(self._line, "busy", "?", "one question left", "is each id one per person, or one per visit?")
        elif undecided:
            lines = format_count(undecided, "line")
            show_state(self._line, "busy", "?", "one question left", f"do the {lines} count that the workbook hides?")
        elif not facts.usable:
            show_state(self._line, "bad", "✕", "nothing to send", "no line holds a usable id")
        elif facts.problems:
            what, fix = facts.problems[0]
            fix = fix.replace("respondents.", "picker.value.")
            show_state(self._line, "warn", "▲", "cannot be uploaded as it is", f"{what} Next: {fix}")
        else:
            who = format_count(facts.usable, *(("person", "people") if kind is EntityType.RSID else ("visit",)))
            show_state(self._line, "good", "✓", f"{who} can be sent", f"of {format_count(facts.lines, 'line')}")

    def _show_failure(self, number: int, error: Exception) -> None:
        with self._lock:
            if number != self._read_number:
                return
            self._facts, self.value = None, None
            for part in (self._summary_part, self._bad, self._hints, self._code):
                set_html(part, "")
            sheets = sheet_choices(error) if not self.sheets.options else ()
            if sheets:
                self._offer(self.sheets, sheets)
                show_state(self._line, "busy", "?", "one question left", "which sheet holds the ids?")
                self._show_error(None)
                return
            separators = separator_choices(error)
            if separators:
                with self._suppress_events():
                    self.separators.options = [("choose one", None), *separators]
                    self.separators.index = 0
                    self.other_button.value, self.other_button.layout.display = True, ""
                    self._show_how()
                show_state(self._line, "busy", "?", "one question left", "what separates the values?")
                self._show_error(None)
                return
            columns = column_choices(error) if not self.columns.options else ()
            if columns:
                self._offer(self.columns, columns)
                show_state(self._line, "busy", "?", "one question left", "which column holds the ids?")
                self._show_error(None)
                return
            if self._source is not None and self._source.may_be_text:
                self.other_button.layout.display = ""
            show_state(self._line, "bad", "✕", "cannot be used", self._source.display_name if self._source else "")
            self._show_error(error)

    def summary(self) -> list[str]:
        """Return the title and the verdict counts of the file."""
        if self._facts is None:
            return [self._title, "no file chosen"]
        counts = ", ".join(f"{number:,} {verdict}" for verdict, number in self._facts.counts if number)
        kind = self.value.entity_type.value if self.value is not None else "RSID or RID?"
        return [self._title, self._facts.name, kind, counts]

    def to_static_html(self) -> str:
        """Return the counts and the first bad lines."""
        if self._facts is None:
            return super().to_static_html()
        return super().to_static_html() + render_static_lines(self._facts)

    def to_text(self) -> str:
        """Return the repr, the counts and the first bad lines."""
        if self._facts is None:
            return repr(self)
        return "\n".join([repr(self), *format_lines(self._facts)])


def _line_number(text: str) -> int | None:
    """Return the number of a line that was typed; None for nothing.

    Raises:
        InputError: it is no number of a line.
    """
    if not text:
        return None
    if not text.isdecimal() or len(text) > 9 or int(text) < 1:
        raise InputError("The header line is a number, from 1.", next_step="type the number of a line, or nothing.")
    return int(text)


_BROWSER_HINT = (
    f'<div class="cint-soft">from this computer, up to {escape(format_size(BROWSER_MAX_BYTES))}: <b>the connection to '
    "the kernel loses a larger file, and nothing here can notice it</b>. Put that into the notebook's folder, such "
    "as with JupyterLab's file browser, and press List again.</div>"
)
