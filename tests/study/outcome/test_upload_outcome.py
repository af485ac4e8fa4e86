"""Sent against saved: what became of every line, by id where the exchange lets us know, honest counts where not."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from cint_nb.domain.errors import UnexpectedReply
from cint_nb.domain.ids import synthetic_id
from cint_nb.study.files import id_array
from cint_nb.study.files.respondents import Respondents, read_respondents
from cint_nb.study.outcome.upload_outcome import _MEANINGS, LineOutcome, compare_upload, parse_message_counts

IDS = [synthetic_id("outcome", number) for number in range(20)]
PARTIAL = "Upload partially successful. 500 respondent IDs uploaded successfully, 10 failed (invalid or empty)."


def people(lines: list[str] = IDS, entity_type: str = "RSID") -> Respondents:
    return read_respondents("\n".join(lines).encode(), entity_type=entity_type)


def test_every_line_has_one_outcome() -> None:
    sent = people(["RSID", IDS[0], IDS[1].upper(), "", IDS[0], "ann@example.com", IDS[2], IDS[3]])
    outcome = compare_upload(sent, before=[IDS[0].upper()], after=[IDS[0], IDS[1], IDS[2], IDS[9]])
    assert outcome.counts == {
        "saved": 2, "already_saved": 1, "rejected": 1, "duplicate": 1, "malformed": 1, "blank": 1, "header": 1,
    }  # fmt: skip
    assert sum(outcome.counts.values()) == sent.counts.lines
    frame = outcome.frame(reveal=True)
    assert list(frame["outcome"]) == [
        "header", "already_saved", "saved", "blank", "duplicate", "malformed", "saved", "rejected",
    ]  # fmt: skip
    assert list(frame["line"]) == list(range(1, 9))
    assert frame.loc[4, "of_line"] == 2
    assert frame.loc[7, "id"] == IDS[3]
    assert outcome.summary()["lines"].sum() == sent.counts.lines


def test_the_rejected_keep_their_source_lines() -> None:
    sent = people(["", *IDS[:6]])
    outcome = compare_upload(sent, before=[], after=[*IDS[:2], *IDS[3:5]])
    assert outcome.rejected.ids == (IDS[2], IDS[5])
    assert list(outcome.rejected.lines()["line"]) == [4, 7]
    assert outcome.rejected.entity_type is sent.entity_type


def test_only_ids_that_were_not_rejected_before_are_proposed_again() -> None:
    first = compare_upload(people(), before=[], after=IDS[:15])
    assert first.resubmittable.ids == tuple(IDS[15:])
    second = compare_upload(
        first.resubmittable, before=IDS[:15], after=IDS[:18], rejected_before=frozenset(first.rejected.ids)
    )
    assert second.counts["saved"] == 3
    assert second.rejected.ids == tuple(IDS[18:])
    assert len(second.resubmittable) == 0
    reasons = second.frame()["reason"]
    assert reasons.str.contains("twice").sum() == 2


def test_without_a_list_agreed_counts_mean_all_were_saved() -> None:
    outcome = compare_upload(people(), before=[], after=None, saved_count=20)
    assert outcome.counts["saved"] == 20
    assert outcome.warnings == ()


def test_counts_that_contradict_each_other_are_an_error_with_all_three() -> None:
    message = "Upload partially successful. 19 respondent IDs uploaded successfully, 1 failed (invalid or empty)."
    agreed = compare_upload(people(), before=[], after=IDS[:19], saved_count=19, message=message)
    assert agreed.warnings == ()
    for after, count in ((IDS[:18], 19), (IDS[:18], 18), (IDS[:19], 20), ([], 19), ([], 0), (IDS[:19], 0), (None, 19)):
        with pytest.raises(UnexpectedReply) as caught:
            compare_upload(people(), before=[], after=after, saved_count=count, message=message)
        assert f"overview says {count} " in str(caught.value)
        assert f"list contains {'(not checked)' if after is None else len(after)}," in str(caught.value)
        assert "19 uploaded, 1 failed" in str(caught.value)
        assert "do not resubmit" in str(caught.value.safe)


def test_people_who_were_added_since_are_a_warning() -> None:
    message = "Upload partially successful. 19 respondent IDs uploaded successfully, 1 failed (invalid or empty)."
    outcome = compare_upload(people(), before=[], after=IDS[:20], saved_count=20, message=message)
    assert outcome.counts["saved"] == 20
    (warning,) = outcome.warnings
    assert "19 uploaded, 1 failed" in warning


def test_no_id_shows_in_an_outcome() -> None:
    outcome = compare_upload(people(), before=[], after=IDS[:5])
    shown = repr(outcome) + outcome.frame().to_string() + outcome.summary().to_string()
    assert not any(identifier in shown for identifier in IDS)
    assert repr(outcome) == "<Outcome: 5 saved · 15 rejected>"


def test_rids_with_a_crosswalk_are_compared_by_person() -> None:
    rids, rsids = IDS[:5], IDS[10:15]
    crosswalk = dict(zip(rids[:4], [rsids[0].upper(), rsids[1], rsids[2], rsids[0]], strict=True))
    outcome = compare_upload(people(rids, "RID"), before=[rsids[2]], after=[rsids[0], rsids[2]], crosswalk=crosswalk)
    assert list(outcome.frame()["outcome"]) == ["saved", "rejected", "already_saved", "already_saved", "unknown"]
    assert any("not in the crosswalk" in warning for warning in outcome.warnings)
    assert any("saved once" in warning for warning in outcome.warnings)


def test_rids_without_a_crosswalk_are_only_counted() -> None:
    sent = people(IDS[:5], "RID")
    outcome = compare_upload(sent, before=[], after=IDS[10:13])
    assert outcome.counts["unknown"] == 5
    assert outcome.counts["saved"] == 0
    assert sum(outcome.counts.values()) == 5
    assert any("3 respondents are new" in warning for warning in outcome.warnings)
    assert len(outcome.resubmittable) == 0


@pytest.mark.parametrize(("after", "saved_count"), [(IDS[10:15], None), (IDS[10:15], 5), (None, 5)])
def test_rids_that_all_arrived_are_known_to_be_saved(after: list[str] | None, saved_count: int | None) -> None:
    outcome = compare_upload(people(IDS[:5], "RID"), before=[], after=after, saved_count=saved_count)
    assert outcome.counts["saved"] == 5
    assert outcome.warnings == ()


def test_rids_of_which_none_arrived_are_known_to_be_rejected() -> None:
    assert compare_upload(people(IDS[:5], "RID"), before=[], after=[]).counts["rejected"] == 5


@pytest.mark.parametrize(
    ("message", "counts"),
    [
        (PARTIAL, (500, 10)),
        ("Upload partially successful. 99,990 respondent IDs uploaded successfully, 10 failed", (99_990, 10)),
        ("", (None, None)),
        ("Something else entirely", (None, None)),
        ("12 ids successfully stored", (12, None)),
    ],
)
def test_the_message_is_read_for_its_counts_only(message: str, counts: tuple[int | None, int | None]) -> None:
    assert parse_message_counts(message) == counts


def test_a_saved_id_that_vanished_counts_as_rejected() -> None:
    outcome = compare_upload(people(IDS[:2]), before=IDS[:2], after=[IDS[0]])
    assert outcome.counts["already_saved"] == 1
    assert outcome.counts["rejected"] == 1


def test_the_reject_file_of_an_outcome_leaves_out_whoever_is_in(tmp_path: Path) -> None:
    outcome = compare_upload(people([*IDS[:3], IDS[0], "=1+1"]), before=[], after=IDS[:2])
    text = outcome.to_rejects(tmp_path / "rejects.csv").read_text(encoding="utf-8-sig")
    assert len(text.splitlines()) == 3
    assert IDS[2] in text
    assert ",'=1+1" in text


def test_a_meaning_is_short_enough_to_be_shown_whole() -> None:
    assert set(_MEANINGS) == set(LineOutcome)
    widest = pd.get_option("display.max_colwidth")
    assert max(map(len, _MEANINGS.values())) < widest


def test_ids_as_a_list_endpoint_writes_them_and_as_people_do_become_the_same_keys() -> None:
    plain = [synthetic_id("keys", number) for number in range(5_000)]
    spelled = [*plain[:4_500], f" {{{plain[4_500].upper()}}}", *(identifier.upper() for identifier in plain[4_501:])]
    expected = id_array.from_ids(plain)
    assert list(id_array.iter_ids(expected)) == plain
    assert (id_array.from_ids(spelled) == expected).all()
    assert len(id_array.from_ids([plain[0][:-1] + "g", "", "x" * 36, plain[1] + "\n" + plain[2], "ä"])) == 0
