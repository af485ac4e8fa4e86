"""A file that comes from the browser in acknowledged pieces: above one message's limit none is lost without a word."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from pathlib import PurePath
from typing import Any

import ipywidgets as widgets

LARGEST_BYTES = 200_000_000

Answer = dict[str, Any]


class FileReceiver:
    """Put the pieces of one file together, in order, each exactly once.

    Args:
        on_file: Called with name and content once a file is whole.
    """

    def __init__(self, on_file: Callable[[str, bytes], None]) -> None:
        self._on_file = on_file
        self._id: str | None = None
        self._name, self._size = "", 0
        self._content = bytearray()

    def receive(self, message: Mapping[str, Any], buffers: Sequence[Any] = ()) -> Answer | None:
        """Take a message of the browser; return what to answer, None where nothing is awaited.

        Args:
            message: Its `type` (`begin`, `piece` or `cancel`) and `id`; of a beginning `name` and `size`, of a piece
                its `offset`.
            buffers: The piece.
        """
        number = message.get("id")
        match message.get("type"):
            case "begin":
                return self._begin(str(number), message)
            case "piece" if number == self._id and buffers:
                return self._add(message, buffers[0])
            case "cancel" if number == self._id:
                self._forget()
            case "piece":  # of a file that was cancelled, or of a kernel that was restarted
                return {
                    "type": "refused",
                    "id": number,
                    "why": "The kernel no longer knows this file: choose it again.",
                }
        return None

    def _begin(self, number: str, message: Mapping[str, Any]) -> Answer:
        self._forget()
        size = message.get("size")
        if not isinstance(size, int) or not 0 <= size <= LARGEST_BYTES:
            return {
                "type": "refused",
                "id": number,
                "why": "The file is larger than 200 MB: put it into the folder below.",
            }
        self._id, self._size = number, size
        self._name = PurePath(str(message.get("name") or "file")).name
        return self._acknowledge()

    def _add(self, message: Mapping[str, Any], piece: Any) -> Answer:
        if message.get("offset") == len(self._content):  # else it is one that came twice
            self._content += bytes(piece)
        if len(self._content) > self._size:
            number = self._id
            self._forget()
            return _refuse(number, "The file changed while it was read: choose it again.")
        return self._acknowledge()

    def _acknowledge(self) -> Answer:
        answer = {"type": "received", "id": self._id, "received": len(self._content)}
        if len(self._content) == self._size:
            name, content = self._name, bytes(self._content)
            self._forget()
            self._on_file(name, content)
        return answer

    def _forget(self) -> None:
        self._id, self._content = None, bytearray()


def _refuse(number: Any, why: str) -> Answer:
    return {"type": "refused", "id": number, "why": why}


def make_drop_zone(receiver: FileReceiver) -> widgets.Box:
    """Return a box with the drop zone, which hides the plain upload beside it; empty without anywidget."""
    box = widgets.Box(_make_widget(receiver))
    box.add_class("cint-drop")
    return box


def _make_widget(receiver: FileReceiver) -> tuple[Any, ...]:
    try:
        import anywidget
    except ImportError:
        return ()

    class DropZone(anywidget.AnyWidget):
        _esm = (files("cint_nb.panels.file_picker") / "drop_zone.js").read_text(encoding="utf-8")

    zone = DropZone()

    def answer(_: Any, message: Mapping[str, Any], buffers: Sequence[Any]) -> None:
        reply = receiver.receive(message, buffers)
        if reply is not None:
            zone.send(reply)

    zone.on_msg(answer)
    return (zone,)
