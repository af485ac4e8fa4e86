"""`wave.reconcile`: what is sent and what is not, once however often, within a budget, and read back line by line."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cint_nb.api.jobs.handle import make_handle
from cint_nb.api.jobs.job import Job
from cint_nb.domain.errors import (
    BudgetExceeded,
    CintError,
    InputError,
    InvalidState,
    OutcomeUnknown,
    PlanError,
    RespondentFileError,
    UnexpectedReply,
)
from cint_nb.domain.ids import mask_id, mask_ids_in, synthetic_id
from cint_nb.domain.jobs import JobKind, JobSnapshot, JobState
from cint_nb.domain.reconciliation.reasons import RECONCILIATION_CODES
from cint_nb.sandbox.world.entities import TargetGroup
from cint_nb.wave.client import Client
from cint_nb.wave.journal.journal import Journal
from cint_nb.wave.wave import Wave
from tests.support.changed_elsewhere import opened

RID, RSID = "Response ID (RID)", "Respondent ID (RSID)"
BUDGET = "60 EUR"


@pytest.fixture
def fielded() -> Iterator[tuple[Client, Wave]]:
    """Return a wave in the field in which some have completed and some have not."""
    with opened("live", with_journal=True) as (client, wave):
        client.pass_time(hours=20)
        yield client, wave


def visits(wave: Wave, *, completed: bool = True) -> pd.DataFrame:
    found = wave.report().visits(reveal=True)
    return found[found["completed"] == completed].reset_index(drop=True)


def bad(wave: Wave, number: int = 2) -> pd.DataFrame:
    return visits(wave)[[RID]].head(number)


def group_of(client: Client) -> TargetGroup:
    (group,) = client.sandbox.world.groups.values()
    return group


def submissions(client: Client) -> int:
    return len(client.sandbox.world.reconciliations)


def forget(wave: Wave) -> None:
    """Lose the journal."""
    wave.client._journal = Journal()


# --- before anything is sent ----------------------------------------------------------------------------------------


def test_a_preview_shows_the_effect_and_submits_nothing(fielded: tuple[Client, Wave]) -> None:
    client, wave = fielded
    list_ = bad(wave)
    before = group_of(client).fieldwork.completes
    preview = wave.reconcile(list_, reason="speeder", dry_run=True)
    assert (preview.state, preview.request_id, preview.counts) == ("preview", None, {"to_send": 2})
    effect = preview.effect().set_index("what")
    assert list(effect.loc["completes"]) == [str(before), str(before - 2)]
    assert list(effect.loc["people who completed, to recontact"]) == [str(before), str(before - 2)]
    assert str(effect.loc["cost", "after"]).startswith("about ")
    assert submissions(client) == 0
    assert preview.frame()["deadline"].map(str).str.endswith("-10-25 23:59:59-05:00").all()


@pytest.mark.parametrize("stage", ["live", "paused"])
def test_while_people_can_enter_rejecting_needs_a_budget_that_covers_replacements(stage: str) -> None:
    with opened(stage, with_journal=True) as (client, wave):
        client.pass_time(hours=20)
        list_ = bad(wave)
        for budget, error in ((None, PlanError), ("1 EUR", BudgetExceeded), ("60 USD", PlanError)):
            with pytest.raises(error) as refused:
                wave.reconcile(list_, reason=933, budget=budget)
            assert "nothing was" in str(refused.value)
        assert submissions(client) == 0
        with pytest.raises(PlanError, match=r"after wave\.close\(\) nobody can"):
            wave.reconcile(list_, reason=933)
        assert wave.reconcile(list_, reason=933, budget=BUDGET).counts == {"accepted": len(list_)}
        assert str(client.aio.spend_guard.approved(wave.exchange_state().ref)) == BUDGET


def test_after_the_close_rejecting_needs_no_budget_and_making_complete_does(fielded: tuple[Client, Wave]) -> None:
    client, wave = fielded
    wave.close()
    completes = group_of(client).fieldwork.completes
    assert wave.reconcile(bad(wave), reason=26).state == "done"
    assert group_of(client).fieldwork.completes == completes - 2
    rejected = visits(wave, completed=False)
    rejected = rejected[rejected["Client Status"] == "26"][[RID]]
    with pytest.raises(PlanError):
        wave.reconcile(rejected, reason="complete")
    with pytest.raises(BudgetExceeded):
        wave.reconcile(rejected, reason="complete", budget="1 EUR")
    assert wave.reconcile(rejected, reason="complete", budget=BUDGET).counts == {"accepted": 2}
    assert group_of(client).fieldwork.completes == completes


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize("reason", [None, 940, 943, "overfill", 931, "lazy", 10])
def test_a_reason_that_is_missing_unknown_or_not_allowed_is_refused(
    fielded: tuple[Client, Wave], reason: str | int | None
) -> None:
    client, wave = fielded
    with pytest.raises(InputError) as refused:
        wave.reconcile(bad(wave), reason=reason, budget=BUDGET)
    assert "nothing was sent" in str(refused.value)
    assert submissions(client) == 0


def test_each_row_may_have_its_own_reason_and_a_visit_has_one(fielded: tuple[Client, Wave]) -> None:
    client, wave = fielded
    list_ = bad(wave, 3).assign(why=["speeder", "26.0", "930"])
    wave.reconcile(list_, reason="why", budget=BUDGET)
    changed = wave.report().visits(reveal=True).set_index(RID).loc[list_[RID], "Client Status"]
    assert changed.tolist() == ["28", "26", "38"]
    with pytest.raises(InputError, match="second reason"):
        wave.reconcile(pd.concat([list_, list_.assign(why="26")]), reason="why", budget=BUDGET)
    assert submissions(client) == 1


# --- which rows are sent --------------------------------------------------------------------------------------------


def test_only_rows_that_change_a_visit_of_this_wave_are_sent(fielded: tuple[Client, Wave]) -> None:
    client, wave = fielded
    done, other = visits(wave)[RID].tolist(), visits(wave, completed=False)[RID].tolist()
    rows = [done[0], done[0].upper(), "none", synthetic_id("elsewhere", 1), other[0], f" {done[1]} "]
    result = wave.reconcile([{"rid": each} for each in rows], reason=26, budget=BUDGET)
    assert result.frame()["end"].tolist() == [
        "accepted",
        "duplicate",
        "malformed",
        "not_of_this_wave",
        "no_change",
        "accepted",
    ]
    (sent,) = client.sandbox.world.reconciliations.values()
    assert sent.content.decode() == f"{done[0]},26\n{done[1]},26\n"
    assert len(result.warnings) == 3


def test_a_visit_past_its_deadline_is_not_sent_and_one_that_is_near_is_said(fielded: tuple[Client, Wave]) -> None:
    client, wave = fielded
    wave.close()
    list_ = bad(wave)
    client.pass_time(days=50)  # 22 October
    preview = wave.reconcile(list_, reason=26, dry_run=True)
    assert any("2026-10-25 23:59:59 CDT (America/Chicago)" in text for text in preview.warnings)
    client.pass_time(days=4)
    result = wave.reconcile(list_, reason=26)
    assert (result.state, result.counts) == ("nothing to send", {"expired": 2})
    assert "not sent" in result.warnings[0]
    assert submissions(client) == 0


@pytest.mark.parametrize("kind", ["rsids", "mixed", "masked", "elsewhere", "no ids"])
def test_wrong_kinds_of_ids_are_refused(fielded: tuple[Client, Wave], kind: str) -> None:
    client, wave = fielded
    found = visits(wave)
    ids = {
        "rsids": found[RSID].tolist(),
        "mixed": [*found[RSID].head(2), *found[RID].tail(2)],
        "masked": [mask_id(each) for each in found[RID]],
        "elsewhere": [synthetic_id("elsewhere", number) for number in range(5)],
        "no ids": ["a", "b"],
    }[kind]
    with pytest.raises(RespondentFileError) as refused:
        wave.reconcile(pd.DataFrame({"id": ids}), reason=26, budget=BUDGET)
    assert {"rsids": "RSIDs", "mixed": "mixes", "masked": "masked"}.get(kind, "No RID") in str(refused.value)
    assert submissions(client) == 0


def test_of_two_columns_with_rids_one_must_be_named(fielded: tuple[Client, Wave]) -> None:
    _, wave = fielded
    list_ = bad(wave).assign(copy=lambda frame: frame[RID])
    with pytest.raises(RespondentFileError, match="choose one"):
        wave.reconcile(list_, reason=26, dry_run=True)
    assert wave.reconcile(list_, rid="copy", reason=26, dry_run=True).counts == {"to_send": 2}


def _as_csv(frame: pd.DataFrame, folder: Path) -> Path:
    path = folder / "bad.csv"
    frame.to_csv(path, index=False)
    return path


SHAPES: dict[str, Callable[[pd.DataFrame, Path], Any]] = {
    "pandas": lambda frame, _: frame,
    "polars": lambda frame, _: pytest.importorskip("polars").DataFrame(frame.to_dict("list")),
    "pyarrow": lambda frame, _: pytest.importorskip("pyarrow").table(frame.to_dict("list")),
    "rows": lambda frame, _: frame.to_dict("records"),
    "list": lambda frame, _: frame.iloc[:, 0].tolist(),
    "series": lambda frame, _: frame.iloc[:, 0],
    "file": _as_csv,
}


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize("shape", SHAPES)
def test_any_frame_will_do(fielded: tuple[Client, Wave], shape: str, tmp_path: Path) -> None:
    _, wave = fielded
    list_ = SHAPES[shape](bad(wave).assign(score=[3, 4]), tmp_path)
    assert wave.reconcile(list_, reason=26, dry_run=True).counts == {"to_send": 2}


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize("shape", sorted(SHAPES.keys() - {"file"}))
@pytest.mark.parametrize("dry_run", [True, False])
def test_where_no_visit_is_listed_there_is_nothing_to_send(
    fielded: tuple[Client, Wave], shape: str, tmp_path: Path, dry_run: bool
) -> None:
    client, wave = fielded
    list_ = SHAPES[shape](bad(wave).head(0), tmp_path)
    result = wave.reconcile(list_, reason=26, dry_run=dry_run)
    assert (result.state, result.counts) == ("preview" if dry_run else "nothing to send", {})
    assert "The list has no rows" in result.warnings[-1]
    assert len(result.frame()) == 0
    assert client.sandbox.world.reconciliations == {}


def test_a_file_without_rows_is_refused_since_a_file_is_written_on_purpose(
    fielded: tuple[Client, Wave], tmp_path: Path
) -> None:
    _, wave = fielded
    with pytest.raises(CintError, match="has no rows"):
        wave.reconcile(_as_csv(bad(wave).head(0), tmp_path), reason=26)


# --- once -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lost", [False, True], ids=["with journal", "journal lost"])
def test_the_same_list_is_submitted_once_in_any_order(fielded: tuple[Client, Wave], lost: bool) -> None:
    client, wave = fielded
    list_ = bad(wave, 3)
    first = wave.reconcile(list_, reason=26, budget=BUDGET)
    if lost:
        forget(wave)
    again = wave.reconcile(list_.iloc[::-1], reason="no reason")  # nothing can be spent, so that no budget is asked for
    assert submissions(client) == 1
    assert (again.request_id, again.counts) == (first.request_id, first.counts)
    assert "adopted" in again.warnings[0]
    assert "submitted already" in wave.reconcile(list_, reason=26, dry_run=True).warnings[-1]


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize(
    "fault", ["drop-reply", "500-after", "truncated", "html", "reset", "delay", "503", "429", "502"]
)
@pytest.mark.parametrize("lost", [False, True], ids=["with journal", "journal lost"])
def test_a_lost_reply_is_looked_up_and_nothing_is_sent_twice(
    fielded: tuple[Client, Wave], fault: str, lost: bool
) -> None:
    client, wave = fielded
    wave.close()
    list_ = bad(wave, 3)
    client.sandbox.faults.arm(f"{fault}@reconcile")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what cannot be read is said as well
        try:
            result = wave.reconcile(list_, reason=26)
        except OutcomeUnknown:
            if lost:
                forget(wave)
            result = wave.reconcile(list_, reason=26)
    assert (submissions(client), result.counts) == (1, {"accepted": 3})


def test_where_the_list_cannot_be_read_after_a_lost_reply_nothing_more_is_sent(fielded: tuple[Client, Wave]) -> None:
    client, wave = fielded
    wave.close()
    list_ = bad(wave)
    client.sandbox.faults.arm("drop-reply@reconcile")
    client.sandbox.faults.arm("500@list-reconciliations*always+2")
    with pytest.raises(OutcomeUnknown, match="submit a reconciliation"):
        wave.reconcile(list_, reason=26)
    assert submissions(client) == 1
    client.sandbox.faults.clear()
    assert wave.reconcile(list_, reason=26).counts == {"accepted": 2}
    assert submissions(client) == 1


def test_what_never_ends_is_unknown_and_is_followed_again(fielded: tuple[Client, Wave]) -> None:
    client, wave = fielded
    wave.close()
    list_ = bad(wave)
    client.sandbox.faults.arm("job-never-ends@reconcile")
    for _ in range(2):
        result = wave.reconcile(list_, reason=26)
        assert (result.state, result.counts) == ("unknown", {"unknown": 2})
        assert "nothing is sent twice" in result.warnings[-1]
    assert submissions(client) == 1


def test_a_list_that_lags_behind_does_not_hide_what_was_submitted(fielded: tuple[Client, Wave]) -> None:
    client, wave = fielded
    wave.close()
    one, other = bad(wave, 1), visits(wave)[[RID]].tail(1)
    first = wave.reconcile(one, reason=26)
    wave.reconcile(other, reason=26)
    known = dict(client.sandbox.world.reconciliations)
    for each in known.values():
        each.name = f"hidden {each.name[-5:]}"  # as a list that does not show it yet
    assert wave.reconcile(one, reason=26).request_id == first.request_id
    assert client.sandbox.world.reconciliations.keys() == known.keys()


def test_an_intent_is_not_forgotten_over_another_list(fielded: tuple[Client, Wave]) -> None:
    client, wave = fielded
    wave.close()
    one, other = bad(wave, 1), visits(wave)[[RID]].tail(1)
    client.sandbox.faults.arm("drop-reply@reconcile")
    client.sandbox.faults.arm("500@list-reconciliations*always+2")
    with pytest.raises(OutcomeUnknown):
        wave.reconcile(one, reason=26)
    client.sandbox.faults.clear()
    wave.reconcile(other, reason=26)
    (first, _) = client.sandbox.world.reconciliations.values()
    name, first.name = first.name, "hidden"
    client.sandbox.faults.arm("500@list-reconciliations*always+1")
    with pytest.raises(OutcomeUnknown):
        wave.reconcile(one, reason=26)
    client.sandbox.faults.clear()
    first.name = name
    assert wave.reconcile(one, reason=26).request_id == first.id
    assert submissions(client) == 2


def test_visits_that_were_changed_again_since_are_said(fielded: tuple[Client, Wave]) -> None:
    client, wave = fielded
    wave.close()
    list_ = bad(wave)
    wave.reconcile(list_, reason=26)
    wave.reconcile(list_, reason="complete", budget=BUDGET)
    again = wave.reconcile(list_, reason=26)
    assert submissions(client) == 2
    assert any("2 are not so in the report now" in text for text in again.warnings)


# --- what became of it ----------------------------------------------------------------------------------------------


def test_what_the_exchange_refuses_is_told_row_by_row(fielded: tuple[Client, Wave]) -> None:
    client, wave = fielded
    client.pass_time(days=3)
    list_ = visits(wave)[[RID]]
    assert len(list_) == 10
    client.sandbox.faults.arm("partial@reconcile")
    result = wave.reconcile(list_, reason=26)
    assert result.counts == {"accepted": 9, "invalid": 1}
    assert result.frame()["end"].tolist()[-1] == "invalid"
    assert result.summary()["rows"].sum() == 10


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize("box", ["submitted", "expired", "invalid", "positive", "negative"])
def test_counts_that_contradict_the_files_are_an_error(fielded: tuple[Client, Wave], box: str) -> None:
    client, wave = fielded
    wave.close()
    list_ = bad(wave)
    request = wave.reconcile(list_, reason=26).request_id
    submission = client.sandbox.world.reconciliations[str(request)]
    if box == "submitted":
        submission.lines.append("one more")
    else:
        counts = next(iter(submission.groups.values()))
        setattr(counts, box, getattr(counts, box) + 1)
    with pytest.raises(UnexpectedReply, match="contradict") as refused:
        wave.reconcile(list_, reason=26)
    assert "wave.report()" in str(refused.value)


def test_a_wave_that_was_never_launched_has_nothing_to_reconcile() -> None:
    with opened("uploaded", with_journal=True) as (_, wave), pytest.raises(InvalidState, match="never launched"):
        wave.reconcile([{"rid": synthetic_id("x", 1)}], reason=26)


def test_no_id_is_shown_logged_or_kept_in_the_journal(
    fielded: tuple[Client, Wave], caplog: pytest.LogCaptureFixture
) -> None:
    client, wave = fielded
    caplog.set_level("DEBUG")
    list_ = bad(wave)
    result = wave.reconcile(list_, reason=26, budget=BUDGET)
    kept = "".join(entry.payload.model_dump_json() for entry in client.aio.journal.entries())
    texts = [repr(result), repr(result.lines), str(result.frame()), str(result.summary()), caplog.text, kept]
    for rid in list_[RID]:
        assert not any(rid in text for text in texts)
        assert rid in str(result.frame(reveal=True)["rid"].tolist())
    assert mask_ids_in(repr(result)) == repr(result)


def test_an_undocumented_status_is_neither_done_nor_failed(fielded: tuple[Client, Wave]) -> None:
    client, wave = fielded
    wave.close()
    client.sandbox.faults.arm("unknown-status@reconciliation*always=Archiving")
    assert wave.reconcile(bad(wave), reason=26).state == "unknown"


def test_the_page_on_reconciliation_runs_and_shows_the_codes(
    fielded: tuple[Client, Wave], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "reconciliation.md").read_text("utf-8")
    client, wave = fielded
    wave.close()
    bad(wave).assign(reason="speeder").to_csv(tmp_path / "rejected.csv", index=False)
    monkeypatch.chdir(tmp_path)
    found: dict[str, Any] = {"client": client}
    exec(page.split("```python\n")[1].split("```")[0], found)  # noqa: S102 - our own page
    assert found["result"].counts == {"accepted": 2}
    for row in RECONCILIATION_CODES:
        assert (f"| {row.code} | `{row.word}` |" in page) == row.allowed


class Shown:
    """A reporter that keeps what it was given."""

    def __init__(self) -> None:
        self.titles: list[str] = []
        self.states: list[str] = []
        self.last: JobSnapshot | None = None

    def __call__(self, title: str, mode: str) -> Shown:
        self.titles.append(f"{mode} · {title}")
        return self

    def update(self, snapshot: JobSnapshot) -> None:
        self.states.append(f"{snapshot.handle.kind} {snapshot.state} {snapshot.raw_status}")

    def note(self, text: str) -> None:
        raise AssertionError(text)

    def finish(self, snapshot: JobSnapshot | None) -> None:
        self.last = snapshot


def test_a_reconciliation_that_is_followed_shows_how_far_it_is(fielded: tuple[Client, Wave]) -> None:
    client, wave = fielded
    list_ = bad(wave)
    shown = client.aio.reporter_factory = Shown()
    wave.reconcile(list_, reason="speeder", budget=BUDGET)
    assert shown.titles[-1] == f"sandbox · Reconciliation · {wave.name}"
    followed = [each for each in shown.states if each.startswith("reconciliation")]
    assert followed[0] == "reconciliation running processing"
    assert followed[-1] == "reconciliation done complete"
    assert shown.last is not None
    assert shown.last.polls == len(followed)


def test_a_list_that_changes_nothing_shows_no_progress(fielded: tuple[Client, Wave]) -> None:
    client, wave = fielded
    list_ = bad(wave)
    wave.reconcile(list_, reason="speeder", budget=BUDGET)
    shown = client.aio.reporter_factory = Shown()
    assert wave.reconcile(list_, reason="straight-lining", budget=BUDGET).state == "nothing to send"
    assert not [title for title in shown.titles if "Reconciliation" in title]


def test_a_submission_can_be_followed_as_a_job(fielded: tuple[Client, Wave]) -> None:
    client, wave = fielded
    rids, ref = list(bad(wave)[RID]), wave.exchange_state().ref
    request_id = client.reconciliations.submit(dict.fromkeys(rids, 933), name="as a job", groups=[ref], budget=BUDGET)
    handle = make_handle(client.http, JobKind.RECONCILIATION, request_id)
    assert Job.attach(client, handle).wait().state is JobState.DONE
