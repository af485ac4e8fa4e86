"""What was uploaded to a wave's target group can be listed and fetched again, and a launched wave has test links."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from cint_nb.domain.errors import InputError, InvalidState, NotFound
from cint_nb.domain.ids import synthetic_id
from cint_nb.study.files.respondents import Respondents, read_respondents
from cint_nb.wave.client import Client
from cint_nb.wave.wave import Wave

MakeWave = Callable[..., Wave]


@pytest.fixture
def uploaded(make_wave: MakeWave) -> Wave:
    wave = make_wave()
    wave.create()
    wave.upload()
    return wave


def test_each_upload_is_a_row_with_what_it_was_and_the_counts_the_job_gives(uploaded: Wave, client: Client) -> None:
    rejected = len(uploaded.outcome.rejected)
    uploaded.resubmit()
    assert uploaded.target_group is not None
    others = read_respondents([synthetic_id("others", 1)], entity_type="RSID")
    client.recontacts.upload(uploaded.target_group, others).wait()
    files = uploaded.files()
    assert files["of"].tolist() == ["other", "resubmission", "list"]
    first = files.iloc[2]
    assert first["failed"] == rejected
    assert first["uploaded"] + first["failed"] == first["sent"] == len(uploaded.respondents)
    assert pd.isna(files.iloc[0]["uploaded"]), "of a full success the exchange gives no counts"
    assert (files["completed_at"] >= files["created_at"]).all()


def test_before_an_upload_there_are_no_rows_and_before_the_draft_no_group(make_wave: MakeWave) -> None:
    wave = make_wave()
    with pytest.raises(InvalidState, match="no target group"):
        wave.files()
    wave.create()
    files = wave.files()
    assert len(files) == 0
    assert str(files["sent"].dtype) == "Int64"


def test_a_name_that_holds_an_id_is_masked(make_wave: MakeWave, client: Client) -> None:
    wave = make_wave()
    ref, person = wave.create(), synthetic_id("person", 1)
    people = read_respondents([person], entity_type="RSID")
    client.recontacts.upload(ref, people, file_name=f"{person}.csv").wait()
    assert person not in wave.files().to_csv()


def test_a_job_that_cannot_be_read_is_still_listed_and_said(uploaded: Wave, client: Client) -> None:
    client.sandbox.faults.arm("404@job*9")
    with pytest.warns(match="listed and could not be read"):
        (row,) = uploaded.files().to_dict("records")
    assert row["of"] == "list"
    assert pd.isna(row["uploaded"])


def test_the_file_is_the_list_that_was_sent(uploaded: Wave, people: Respondents, tmp_path: Path) -> None:
    job_id = uploaded.files()["job_id"].item()
    found = uploaded.download_file(job_id, save_to=tmp_path)
    assert found == people
    assert not [each for each in people.ids[:20] if each in repr(found)]
    kept = next(path for path in tmp_path.iterdir() if path.name.startswith("cint-nb-"))
    assert kept.read_bytes() == people.to_upload().content
    kept.write_bytes(b"changed")
    with pytest.raises(InputError, match="exists"):
        uploaded.download_file(job_id, save_to=tmp_path)
    assert kept.read_bytes() == b"changed"


def test_of_a_file_of_others_the_kind_of_ids_is_asked_for(uploaded: Wave, client: Client) -> None:
    opened = client.wave(uploaded.name, project="Brand tracker")
    job_id = opened.files()["job_id"].item()
    with pytest.raises(InputError, match="RSIDs or RIDs"):
        opened.download_file(job_id)
    assert opened.download_file(job_id, entity_type="RSID") == uploaded.respondents


def test_an_unknown_job_is_not_found(uploaded: Wave) -> None:
    with pytest.raises(NotFound):
        uploaded.download_file("01JX2X0N5RTR012AYDTA83QWTW")


def test_a_launched_wave_has_links_for_testers(uploaded: Wave) -> None:
    with pytest.raises(InvalidState, match="when it is launched"):
        uploaded.test_links()
    uploaded.launch(budget="2000 EUR")
    links = uploaded.test_links()
    assert links["link"].tolist() == ["screener", "client survey"]
    assert links["url"].str.startswith("https://").all()
    uploaded.close()
    assert uploaded.test_links().equals(links)


def test_a_link_that_the_exchange_does_not_give_is_missing_and_said(
    uploaded: Wave, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploaded.launch(budget="2000 EUR")
    read = client.aio.target_groups.details

    async def without_links(ref: object) -> object:
        return (await read(ref)).model_copy(update={"links": {"test_screener": "https://survey.example/1"}})  # type: ignore[arg-type]

    monkeypatch.setattr(client.aio.target_groups, "details", without_links)
    with pytest.warns(match="test_client_survey"):
        links = uploaded.test_links()
    assert links["url"].isna().tolist() == [False, True]
