"""Names from the exchange never leave the chosen folder and never replace a file unasked."""

from __future__ import annotations

import ntpath
import os
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path, PurePosixPath, PureWindowsPath
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given

from cint_nb.api.resources.downloads import Download, download_file_name
from cint_nb.domain.errors import InputError, RespondentFileError
from cint_nb.domain.files import UploadFile
from cint_nb.domain.ids import EntityType
from cint_nb.domain.models import TargetGroupRef
from cint_nb.panels.file_picker.rooted_folder import RootedFolder
from cint_nb.wave.client import Client
from cint_nb.wave.journal.journal import Journal, WaveKey
from cint_nb.wire.calls import Call, make_reply
from cint_nb.wire.retry_policy import Idempotency
from tests.support.servers import Listener, raw_response
from tests.support.strategies import any_text

REF = TargetGroupRef(project_id="01JPROJECT", target_group_id="01JGROUP")
DEVICES = ["CON", "con.csv", "NUL.txt", "AUX", "PRN.tar.gz", "COM1", "com1.csv", "LPT9.csv", "CONIN$", "COM¹.csv"]
HOSTILE = [
    "../../etc/passwd", "..\\..\\evil.csv", "/etc/cron.d/job", "C:\\Windows\\win.ini", "\\\\server\\share\\x.csv",
    "C:evil.csv", "a.csv:stream", "....//....//x.csv", "..", ".", "...", "", " ", ".ssh", "~root", "-rf.csv", "x.csv.",
    "x.csv ", "a\x00b.csv", "\x00", "a\r\nb.csv", "a\tb", "%2e%2e%2fpasswd", "..%2f..%2fpasswd", "a" * 300 + ".csv",
    "é" * 300, "rcs\u202evsc.exe", "\uff0e\uff0e\uff0fpasswd", "\u2025/passwd", "a\u2215b\u2044c\u29f8d.csv",
    "x\u200b.csv", "$(touch x).csv", "`id`.csv", "x;rm -rf ~", "<b>.csv", '"quoted".csv', *DEVICES,
]  # fmt: skip


def headers_for(name: str) -> list[str]:
    """Return every way a header can carry the name."""
    forms = (f'"{name}"', name)
    return [*(f"attachment; filename={form}" for form in forms), f"attachment; filename*=UTF-8''{quote(name)}"]


def name_in(header: str) -> str:
    call = Call("download", "GET", "/x", Idempotency.SAFE)
    return download_file_name(
        make_reply(call, 200, httpx.Headers([(b"content-disposition", header.encode())]), b""), "default.csv"
    )


def is_reserved(name: str) -> bool:
    """Tell whether Windows takes a name for a device; since Python 3.13 another function knows."""
    if sys.version_info >= (3, 13):
        return ntpath.isreserved(name)
    return PureWindowsPath(name).is_reserved()


def assert_harmless(name: str) -> None:
    assert name
    assert len(name) <= 129
    assert name.isascii()
    assert unicodedata.normalize("NFKC", name) == name
    for kind in (PurePosixPath, PureWindowsPath):
        assert kind(name).name == name, "one step, no folder, no drive"
        assert (kind("folder") / name).parent == kind("folder")
    assert not is_reserved(name)
    assert name[0] not in ".-"
    assert name[-1] not in ". "


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('attachment; filename="wave 2.csv"', "wave_2.csv"),
        ("attachment; filename=wave2.csv", "wave2.csv"),
        ("attachment; filename*=UTF-8''wave%202.csv", "wave_2.csv"),
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ('attachment; filename="..\\\\..\\\\evil.csv"', "evil.csv"),
        ('attachment; filename=".ssh"', "ssh"),
        ('attachment; filename="NUL.csv"', "_NUL.csv"),
        ('attachment; filename=""', "default.csv"),
        ('attachment; filename=".."', "default.csv"),
        ("attachment", "default.csv"),
    ],
)
def test_a_file_name_from_a_header_keeps_what_is_harmless(header: str, name: str) -> None:
    assert name_in(header) == name


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize("name", HOSTILE)
def test_no_hostile_name_is_more_than_a_name(name: str) -> None:
    for header in headers_for(name):
        assert_harmless(name_in(header))


@given(any_text(300))
def test_no_text_at_all_is_more_than_a_name(name: str) -> None:
    assert_harmless(name_in(f"attachment; filename*=UTF-8''{quote(name, errors='replace')}"))


def test_a_long_name_keeps_its_ending() -> None:
    assert name_in(f'attachment; filename="{"a" * 300}.csv"').endswith("aaa.csv")


@pytest.mark.parametrize("name", ["../../outside.csv", "/tmp/outside.csv", "\uff0e\uff0e\uff0foutside.csv", "CON"])  # noqa: S108
def test_a_download_over_the_wire_is_written_inside_the_folder_only(
    listen: Callable[..., Listener], go_live: Callable[..., Client], tmp_path: Path, name: str
) -> None:
    more = f"Content-Disposition: attachment; filename*=UTF-8''{quote(name)}\r\n"
    client = go_live(listen(lambda path, _: raw_response(b"RSID\r\n", more=more)))
    folder = tmp_path / "inner" / "chosen"
    folder.mkdir(parents=True)
    download = client.recontacts.download(REF, "job-1")
    path = download.save(folder)
    assert path.read_bytes() == b"RSID\r\n"
    assert [each for each in tmp_path.rglob("*") if each.is_file()] == [path]
    assert path.parent == folder


def test_nothing_is_replaced_unless_asked(tmp_path: Path) -> None:
    (tmp_path / "report.csv").write_text("mine")
    download = Download("report.csv", b"theirs")
    with pytest.raises(InputError, match="already"):
        download.save(tmp_path)
    assert (tmp_path / "report.csv").read_text() == "mine"
    download.save(tmp_path, overwrite=True)
    assert (tmp_path / "report.csv").read_text() == "theirs"
    with pytest.raises(InputError, match="There is no folder"):
        download.save(tmp_path / "nowhere")


@pytest.mark.skipif(os.name != "posix", reason="links need no rights there")
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_link_is_never_written_through(tmp_path: Path, overwrite: bool) -> None:
    (tmp_path / "precious").write_text("mine")
    (tmp_path / "report.csv").symlink_to(tmp_path / "precious")
    if overwrite:
        Download("report.csv", b"theirs").save(tmp_path, overwrite=True)
    else:
        with pytest.raises(InputError):
            Download("report.csv", b"theirs").save(tmp_path)
    assert (tmp_path / "precious").read_text() == "mine"


def test_a_download_shows_its_name_and_size_and_no_contents() -> None:
    assert repr(Download("report.csv", b"0f1ce179")) == "<Download: report.csv · 8 bytes>"


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_that_is_sent_is_plain_too(name: str) -> None:
    assert_harmless(UploadFile(b"x\n", 1, EntityType.RSID, name).file_name("token"))


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize("name", HOSTILE)
def test_a_wave_of_any_name_keeps_its_files_beside_the_journal(tmp_path: Path, name: str) -> None:
    journal = Journal(tmp_path / "journal.sqlite3")
    with journal.lock(WaveKey(f"live {name}", name, name)):
        found = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*"))
    assert found == ["journal.sqlite3"]
    journal.close()


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize("name", [each for each in HOSTILE if each.strip() and "\x00" not in each])
def test_a_file_picker_opens_nothing_outside_its_folder(tmp_path: Path, name: str) -> None:
    fence = RootedFolder(tmp_path)
    try:
        inside = fence.resolve(name)
    except RespondentFileError:
        return
    assert inside.is_relative_to(tmp_path.resolve())


@pytest.mark.parametrize("name", ["x\x00.csv", "\x00", "../\x00"])
def test_a_file_picker_refuses_a_null_byte_in_words(tmp_path: Path, name: str) -> None:
    with pytest.raises(RespondentFileError, match="outside"):
        RootedFolder(tmp_path).resolve(name)


def test_a_file_picker_follows_no_link_out_of_its_folder(tmp_path: Path) -> None:
    outside = tmp_path / "outside.csv"
    outside.write_text("x")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "link.csv").symlink_to(outside)
    assert [entry.label for entry in RootedFolder(folder).list_entries(Path())] == []
    with pytest.raises(RespondentFileError):
        RootedFolder(folder).resolve("link.csv")
