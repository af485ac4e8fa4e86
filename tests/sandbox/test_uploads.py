"""Which files the recontact guide allows: name, size, number, form of the request."""

from __future__ import annotations

import pytest

from cint_nb.domain import ids, limits
from tests.support.sandbox_client import RawClient

UPLOAD = "recontacts/jobs/upload-respondents-by-file"


@pytest.mark.parametrize("name", ["wave.csv", "wave.txt", "WAVE.CSV"])
def test_csv_and_txt_files_are_taken(raw_client: RawClient, good_ids: list[str], name: str) -> None:
    assert raw_client.upload(raw_client.group(), good_ids[:5], name=name).status_code == 201


@pytest.mark.parametrize("name", ["wave.xlsx", "wave", "wave.csv.exe"])
def test_other_files_are_refused(raw_client: RawClient, good_ids: list[str], name: str) -> None:
    assert raw_client.upload(raw_client.group(), good_ids[:5], name=name).status_code == 400


@pytest.mark.parametrize("content", [b"", b"\n \r\n", b"PK\x03\x04\x00\x00"])
def test_an_empty_or_binary_file_is_refused(raw_client: RawClient, content: bytes) -> None:
    files = {"file": ("wave.csv", content, "text/csv")}
    reply = raw_client.ask("POST", f"{raw_client.group()}/{UPLOAD}", params={"entity_type": "RSID"}, files=files)
    assert reply.status_code == 400


def test_only_one_file_can_be_uploaded_per_job(raw_client: RawClient, good_ids: list[str]) -> None:
    part = ("a.csv", good_ids[0].encode(), "text/csv")
    path = f"{raw_client.group()}/{UPLOAD}"
    reply = raw_client.ask("POST", path, params={"entity_type": "RSID"}, files=[("file", part), ("file", part)])
    assert reply.status_code == 400
    reply = raw_client.ask("POST", path, params={"entity_type": "RSID"}, files={"upload": part})
    assert reply.status_code == 400


@pytest.mark.parametrize("size", [4_999_999, 5_000_000, 6_000_000])
def test_the_file_must_be_smaller_than_5_mb(raw_client: RawClient, good_ids: list[str], size: int) -> None:
    lines = (good_ids[0] + "\n").encode()
    content = (lines * (size // len(lines) + 1))[:size]
    files = {"file": ("wave.csv", content, "text/csv")}
    reply = raw_client.ask("POST", f"{raw_client.group()}/{UPLOAD}", params={"entity_type": "RSID"}, files=files)
    assert reply.status_code == (201 if size < 5_000_000 else 413)
    if reply.status_code == 413:
        assert reply.json()["object"] == "content_too_large_error"


@pytest.mark.parametrize(
    "kind", ["text/csv", "application/json", "multipart/form-data", "multipart/form-data; boundary=other", ""]
)
def test_anything_but_a_valid_multipart_upload_is_415(raw_client: RawClient, kind: str) -> None:
    body = b'--right\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\nx\r\n--right--\r\n'
    path = f"{raw_client.group()}/{UPLOAD}?entity_type=RSID"
    reply = raw_client.ask("POST", path, content=body, headers={"Content-Type": kind})
    assert reply.status_code == 415
    assert reply.json()["object"] == "unsupported_media_type_error"


def test_existing_plus_new_ids_cannot_exceed_the_most(raw_client: RawClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "IDS_PER_TARGET_GROUP", 1_000)
    group = raw_client.group()
    people = [ids.synthetic_id("cap", number) for number in range(1_040)]
    assert raw_client.upload(group, people[:1_001]).status_code == 400
    raw_client.saved_ids(group, people[:900])
    before = raw_client.saved(group)
    assert 850 < before < 900
    assert raw_client.upload(group, people[900:]).status_code == 400
    room = 1_000 - before
    raw_client.saved_ids(group, people[900 : 900 + room])
    assert before < raw_client.saved(group) <= 1_000
