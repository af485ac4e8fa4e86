"""Rows of the contradictions between Cint's documents that the file and the wave have to cope with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cint_nb.domain.errors import PreflightBlocked
from cint_nb.domain.ids import synthetic_id
from cint_nb.study.files.respondents import Respondents, read_respondents
from cint_nb.wave.client import Client
from cint_nb.wave.wave import Wave

IDS = [synthetic_id("contradictions", number) for number in range(5)]


@pytest.mark.parametrize(
    "content",
    [
        "\n".join(IDS),
        "\ufeff" + "\r\n".join(IDS) + "\r\n",
        ",".join(IDS),
        ", ".join(IDS) + ",",
        "RSID\n" + "\n".join(IDS),
        "\n".join(f'"{identifier.upper()}"' for identifier in IDS),
    ],
    ids=["lines", "mark and CRLF", "comma list", "trailing comma", "header", "quotes and capitals"],
)
def test_b07_whatever_the_file_looks_like_one_id_a_line_is_sent(tmp_path: Path, content: str) -> None:
    file = tmp_path / "people.csv"
    file.write_bytes(content.encode())
    sent = read_respondents(file, entity_type="RSID").to_upload().content
    assert sent == "".join(f"{identifier}\n" for identifier in IDS).encode()


def test_b08_duplicates_are_dropped_here_and_counted(tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("\n".join([*IDS, IDS[0].upper(), IDS[1]]), encoding="utf-8")
    people = read_respondents(file, entity_type="RSID")
    assert (people.counts.usable, people.counts.duplicate) == (5, 2)
    assert people.to_upload().id_count == 5


def test_b13_the_goal_is_checked_against_saved_ids_not_against_the_file(
    client: Client, make_wave: Callable[..., Wave], people: Respondents
) -> None:
    wave = make_wave(completes_goal=len(people))
    ref = wave.create()
    wave.upload()
    saved = client.recontacts.saved_count(ref)
    assert saved < len(people)
    with pytest.raises(PreflightBlocked, match=f"{saved:,}"):
        wave.launch(budget="5000 EUR")
    assert wave.lower_goal() == saved
    assert client.target_groups.get(ref).completes_goal == saved
