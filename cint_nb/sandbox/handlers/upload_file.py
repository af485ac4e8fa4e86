"""Parsing an upload: the multipart envelope, then the lines, by the rules of the recontact guide."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from cint_nb.domain import limits
from cint_nb.sandbox.protocol.messages import ApiError, Request, bad_request, unsupported_media_type
from cint_nb.sandbox.world.id_store import ID_BYTES

_ID = re.compile(rb"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")


@dataclass
class _Part:
    headers: dict[str, bytes] = field(default_factory=dict)
    content: bytearray = field(default_factory=bytearray)


def parse_upload(request: Request) -> tuple[str, bytes]:
    """Return the name and the bytes of the one uploaded file.

    Raises:
        ApiError: 415 when the request is not a multipart form, 413 for 5 MB or more, 400 for anything but one file
            named `file` that ends in .csv or .txt.
    """
    kind, options = parse_options_header(request.headers.get("content-type"))
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise unsupported_media_type("the request is not a valid multipart upload")
    files: list[tuple[str, bytes]] = []
    for part in _parts(request.body, boundary):
        _, named = parse_options_header(part.headers.get("content-disposition"))
        if named.get(b"name") == b"file" and b"filename" in named:
            files.append((named[b"filename"].decode("utf-8", "replace"), bytes(part.content)))
    if len(files) != 1:
        reason = "'File' must not be empty." if not files else "only one file can be uploaded per job."
        raise bad_request(("File", reason))
    name, content = files[0]
    if len(content) >= limits.UPLOAD_MAX_BYTES:
        raise payload_too_large()
    if not name.lower().endswith(limits.UPLOAD_SUFFIXES):
        raise bad_request(("File", "the file must be in .csv or .txt format."))
    if not content.strip():
        raise bad_request(("File", "the file is empty."))
    if b"\0" in content:
        raise bad_request(("File", "the file is not a text file."))
    return name, content


def payload_too_large() -> ApiError:
    """Return a 413 for a file of 5 MB or more."""
    return ApiError(413, "content_too_large_error", "File upload limit exceeded")


def parse_ids(content: bytes) -> tuple[list[bytes], int]:
    """Parse one id per line; return their 16-byte values in order, and how many lines failed.

    A header, two columns, quotes, a byte-order mark and blank lines are not ids: each such line fails.
    """
    lines = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    if lines and not lines[-1]:
        lines.pop()  # a final line break does not start another line
    keys: list[bytes] = []
    match = _ID.fullmatch
    for line in lines:
        text = line.strip(b" \t")
        if match(text):
            keys.append(bytes.fromhex(text.replace(b"-", b"").decode("ascii")))
    return keys, len(lines) - len(keys)


def join_ids(keys: list[bytes]) -> bytes:
    """Join 16-byte values into one bytes object."""
    data = b"".join(keys)
    if len(data) != ID_BYTES * len(keys):
        raise ValueError("a key is not 16 bytes long")
    return data


def _parts(body: bytes, boundary: bytes) -> list[_Part]:
    parts: list[_Part] = []
    name, value = bytearray(), bytearray()

    def begin() -> None:
        parts.append(_Part())

    def end_header() -> None:
        parts[-1].headers[bytes(name).lower().decode("latin-1")] = bytes(value)
        name.clear()
        value.clear()

    ended = False

    def end() -> None:
        nonlocal ended
        ended = True

    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": begin,
                "on_part_data": lambda data, start, stop: parts[-1].content.extend(data[start:stop]),
                "on_header_field": lambda data, start, stop: name.extend(data[start:stop]),
                "on_header_value": lambda data, start, stop: value.extend(data[start:stop]),
                "on_header_end": end_header,
                "on_end": end,
            },
        )
        parser.write(body)
        parser.finalize()
    except FormParserError:
        ended = False
    if not ended:
        raise unsupported_media_type("the multipart body is damaged or its boundary is wrong")
    return parts
