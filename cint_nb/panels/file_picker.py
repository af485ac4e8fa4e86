"""A panel to choose a respondent file, in the browser or on the server, and to see what is in it."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ipywidgets as widgets

from cint_nb.domain import limits
from cint_nb.domain.errors import RespondentFileError
from cint_nb.domain.ids import EntityType
from cint_nb.domain.ids import entity_type as read_entity_type
from cint_nb.panels.background import beside
from cint_nb.panels.base import Panel, html_part, state, write
from cint_nb.panels.fence import READABLE, Fence
from cint_nb.panels.file_model import ENTITY_WORDS, FileFacts, draw_bad, draw_facts, facts_of
from cint_nb.panels.wording import count, esc, size

Reader = Callable[..., Any]


def _read_respondents(source: Any, **options: Any) -> Any:
    from cint_nb.study.respondents import read_respondents

    return read_respondents(source, **options)


class FilePicker(Panel):
    """Choose a respondent file and show what is in it, before anything is sent.

    Args:
        folder: Folder on the server whose files can be chosen; nothing outside it can.
        mode: `sandbox`, `replay` or `live`.
        title: Heading.
        reader: Reads the file; `study.respondents.read_respondents` when left out.

    `value` is the `Respondents`, None until a file was read. `choose()` does the same from code.
    Serves the recontact guide, step 2.
    """

    def __init__(
        self,
        folder: str | Path = ".",
        *,
        mode: object = "sandbox",
        title: str = "Respondent file",
        reader: Reader | None = None,
    ) -> None:
        self.fence = Fence(folder)
        self._reader = reader or _read_respondents
        self._source: Path | tuple[str, bytes] | None = None
        self._facts: FileFacts | None = None
        self._round = 0
        self._lock = threading.RLock()
        self.upload = widgets.FileUpload(accept=",".join(READABLE), multiple=False, description="Choose a file")
        self.upload.add_class("cint-upload")
        self.upload.observe(self._on_upload, "value")
        self.files = widgets.Select(options=[], description="On the server", rows=6)
        self.files.add_class("cint-files")
        self.files.observe(self._on_file, "value")
        self.entity = widgets.RadioButtons(options=ENTITY_WORDS, value=None, description="Each id is")
        self.entity.add_class("cint-entity")
        self.entity.observe(lambda _: self._read_beside(), "value")
        hint = html_part(
            "cint-hint-part",
            f'<div class="cint-soft">up to {size(limits.UPLOAD_MAX_BYTES)} from this computer; '
            "larger files do not arrive, put them into the folder on the server</div>",
        )
        self._line = html_part("cint-status-part")
        self._about = html_part("cint-about-part")
        self._bad = html_part("cint-bad-part")
        top = widgets.HBox([self.upload, hint])
        top.add_class("cint-row")
        super().__init__("file-picker", mode, title, (top, self.files, self.entity, self._line, self._about, self._bad))
        self._list(self.fence.root)
        self._say("calm", "…", "no file chosen")

    @property
    def facts(self) -> FileFacts | None:
        """Return what is shown of the file, None until one was read."""
        return self._facts

    def choose(self, path: str | Path, *, entity_type: str, column: str | None = None) -> FilePicker:
        """Choose a file of the folder from code and read it now.

        Args:
            path: File name, relative to the folder.
            entity_type: `RSID` or `RESPONDENT_ID` (one per person), `RID` or `RESPONSE_ID` (one per visit).
            column: The column that holds the ids, for a file of several.

        Raises:
            RespondentFileError: if the file lies outside the folder or cannot be read.
        """
        kind = read_entity_type(entity_type)
        place = self.fence.inside(path)
        with self._lock:
            self._round += 1
            number, self._source = self._round, place
        self.entity.unobserve_all("value")
        self.entity.value = kind.value
        self.entity.observe(lambda _: self._read_beside(), "value")
        try:
            self._show(number, *self._read(place, kind, column))
        except Exception as error:
            self._fail(number, error)
            raise
        return self

    def _list(self, folder: Path) -> None:
        self.files.unobserve(self._on_file, "value")
        self.files.options = [(entry.label, entry) for entry in self.fence.entries(folder)]
        self.files.value = None
        self.files.observe(self._on_file, "value")

    def _on_file(self, change: Any) -> None:
        entry = change["new"]
        if entry is None:
            return
        if entry.folder:
            self._list(entry.path)
            return
        self._source = entry.path
        self._read_beside()

    def _on_upload(self, change: Any) -> None:
        if not change["new"]:
            return
        item = change["new"][0]
        name, content = str(item["name"]), bytes(item["content"])
        self.upload.value = ()  # the ids must not stay in a trait: notebooks save traits
        self._source = (name, content)
        self._read_beside()

    def _read_beside(self) -> None:
        source, kind = self._source, self.entity.value
        if source is None:
            return
        name = source.name if isinstance(source, Path) else source[0]
        if kind is None:
            self._say("busy", "?", "one question left", f"what do the ids of {name} identify?")
            return
        with self._lock:
            self._round += 1
            number = self._round
        self._show_error(None)
        self._say("busy", "↻", "reading", name)

        def work() -> None:
            try:
                self._show(number, *self._read(source, EntityType(kind), None))
            except Exception as error:  # noqa: BLE001  # whatever reading raises belongs in the panel, not on a thread
                self._fail(number, error)

        beside(work)

    def _read(self, source: Path | tuple[str, bytes], kind: EntityType, column: str | None) -> tuple[Any, FileFacts]:
        options = {"column": column} if column else {}
        if isinstance(source, Path):
            people = self._reader(source, entity_type=kind, **options)
            name, length = source.name, source.stat().st_size
        else:
            name, content = source
            length = len(content)
            if length >= limits.UPLOAD_MAX_BYTES:
                raise RespondentFileError(
                    f"The file is too large to come through the browser: {size(length)}.",
                    evidence={"file": name, "limit": size(limits.UPLOAD_MAX_BYTES)},
                    next_step="put it into the folder on the server and choose it there, or split it.",
                )
            buffer = io.BytesIO(content)
            buffer.name = name
            people = self._reader(buffer, entity_type=kind, **options)
        return people, facts_of(people, name=name, size_bytes=length, column=column or "")

    def _show(self, number: int, people: Any, facts: FileFacts) -> None:
        with self._lock:
            if number != self._round:
                return
            self._facts, self.value = facts, people
            self._show_error(None)
            self._say("good", "✔", "ready", f"{count(facts.usable, 'id')} to send")
            write(self._about, draw_facts(facts))
            write(self._bad, draw_bad(facts.bad))

    def _fail(self, number: int, error: BaseException) -> None:
        with self._lock:
            if number != self._round:
                return
            self._facts, self.value = None, None
            write(self._about, "")
            write(self._bad, "")
            self._say("bad", "✖", "cannot be used")
            self._show_error(error)

    def _say(self, css: str, icon: str, word: str, detail: str = "") -> None:
        tail = f"<span>{esc(detail)}</span>" if detail else ""
        write(self._line, f'<div role="status" class="cint-status">{state(css, icon, word)}{tail}</div>')

    def summary(self) -> list[str]:
        """Return the title and the verdict counts of the file."""
        if self._facts is None:
            return [self._title, "no file chosen"]
        counts = ", ".join(f"{number:,} {verdict}" for verdict, number in self._facts.counts if number)
        return [self._title, self._facts.name, self._facts.entity_type.value, counts]
