"""Which files the recontact guide allows: name, size, number, form of the request."""

from __future__ import annotations

import pytest

from cint_nb.domain import ids

UPLOAD = "recontacts/jobs/upload-respondents-by-file"


@pytest.mark.parametrize("name", ["wave.csv", "wave.txt", "WAVE.CSV"])
def test_csv_and_txt_files_are_taken(stranger, good_ids, name):
    assert stranger.upload(stranger.group(), good_ids[:5], name=name).status_code == 201


@pytest.mark.parametrize("name", ["wave.xlsx", "wave", "wave.csv.exe"])
def test_other_files_are_refused(stranger, good_ids, name):
    assert stranger.upload(stranger.group(), good_ids[:5], name=name).status_code == 400


@pytest.mark.parametrize("content", [b"", b"\n \r\n", b"PK\x03\x04\x00\x00"])
def test_an_empty_or_binary_file_is_refused(stranger, content):
    files = {"file": ("wave.csv", content, "text/csv")}
    reply = stranger.ask("POST", f"{stranger.group()}/{UPLOAD}", params={"entity_type": "RSID"}, files=files)
    assert reply.status_code == 400


def test_only_one_file_can_be_uploaded_per_job(stranger, good_ids):
    part = ("a.csv", good_ids[0].encode(), "text/csv")
    path = f"{stranger.group()}/{UPLOAD}"
    reply = stranger.ask("POST", path, params={"entity_type": "RSID"}, files=[("file", part), ("file", part)])
    assert reply.status_code == 400
    reply = stranger.ask("POST", path, params={"entity_type": "RSID"}, files={"upload": part})
    assert reply.status_code == 400


@pytest.mark.parametrize("size", [4_999_999, 5_000_000, 6_000_000])
def test_the_file_must_be_smaller_than_5_mb(stranger, good_ids, size):
    lines = (good_ids[0] + "\n").encode()
    content = (lines * (size // len(lines) + 1))[:size]
    files = {"file": ("wave.csv", content, "text/csv")}
    reply = stranger.ask("POST", f"{stranger.group()}/{UPLOAD}", params={"entity_type": "RSID"}, files=files)
    assert reply.status_code == (201 if size < 5_000_000 else 413)
    if reply.status_code == 413:
        assert reply.json()["object"] == "content_too_large_error"


@pytest.mark.parametrize(
    "kind", ["text/csv", "application/json", "multipart/form-data", "multipart/form-data; boundary=other", ""]
)
def test_anything_but_a_valid_multipart_upload_is_415(stranger, kind):
    body = b'--right\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\nx\r\n--right--\r\n'
    path = f"{stranger.group()}/{UPLOAD}?entity_type=RSID"
    reply = stranger.ask("POST", path, content=body, headers={"Content-Type": kind})
    assert reply.status_code == 415
    assert reply.json()["object"] == "unsupported_media_type_error"


def test_existing_plus_new_ids_cannot_exceed_100_000(stranger):
    group = stranger.group()
    people = [ids.synthetic_id("cap", number) for number in range(104_000)]
    assert stranger.upload(group, people[:100_001]).status_code == 400
    stranger.stored(group, people[:90_000])
    before = stranger.saved(group)
    assert 86_000 < before < 90_000
    assert stranger.upload(group, people[90_000:]).status_code == 400
    room = 100_000 - before
    stranger.stored(group, people[90_000 : 90_000 + room])
    assert before < stranger.saved(group) <= 100_000
