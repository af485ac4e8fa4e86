"""Somebody withdraws: kept out of the wave, told apart from who came already, and left out of later lists."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest

from cint_nb.domain.errors import (
    CintError,
    InputError,
    InvalidState,
    JobAlreadyRunning,
    JobFailed,
    NothingToResubmit,
    PermissionDenied,
    PlanError,
    PreflightBlocked,
)
from cint_nb.domain.ids import synthetic_id
from cint_nb.domain.models import TargetGroupRef
from cint_nb.sandbox.changes_elsewhere import ChangeName
from cint_nb.study.files.respondents import read_respondents
from cint_nb.wave.client import Client
from cint_nb.wave.exchange.identity import id_digest
from cint_nb.wave.journal.journal import EntryState, WaveKey
from cint_nb.wave.journal.payloads import WITHDRAWAL, WithdrawalPayload
from cint_nb.wave.wave import Wave
from tests.support.fresh_waves import another_machine, live_wave
from tests.support.plans import make_plan as plan_at

MakeWave = Callable[..., Wave]


def count(frame: pd.DataFrame, what: str) -> object:
    return frame.set_index("what").loc[what, "people"]


def group_of(wave: Wave) -> TargetGroupRef:
    assert wave.target_group is not None
    return wave.target_group


@pytest.fixture
def fielded(make_wave: MakeWave, client: Client) -> Wave:
    wave = make_wave()
    wave.create()
    wave.upload()
    wave.launch(budget="2000 EUR")
    return wave


def test_who_withdraws_in_the_field_is_excluded_and_everybody_else_stays(fielded: Wave, client: Client) -> None:
    left = fielded.respondents.sample(5)
    said = fielded.withdraw(left)
    assert (count(said, "withdrawn"), count(said, "on the list"), count(said, "excluded")) == (5, 5, 5)
    assert all(isinstance(note, str) for note in said["note"])
    assert not {"nan", "None", "NaN"} & set(repr(pd.DataFrame(said)).split())
    assert count(said, "not excluded") == 0
    assert set(client.exclusions.effective_rsids(group_of(fielded))) == set(left.ids)
    assert client.recontacts.saved_count(group_of(fielded)) > 400
    client.pass_time(days=5)
    report = fielded.report()
    assert len(report.entrants) > 0
    # The exchange turns them away at the door: a visit of theirs ends by the exclusion, and never in the survey.
    assert not len(report.completes.intersection(left))


def test_an_exclusion_of_others_stays(fielded: Wave, client: Client) -> None:
    other = read_respondents([synthetic_id("others", 1)], entity_type="RSID")
    client.exclusions.upload(group_of(fielded), other).wait()
    fielded.withdraw(fielded.respondents.sample(2))
    assert set(other.ids) < set(client.exclusions.effective_rsids(group_of(fielded)))
    assert len(client.exclusions.effective_rsids(group_of(fielded))) == 3


def test_who_came_is_counted_by_the_report_and_what_no_report_shows_is_not_known(fielded: Wave, client: Client) -> None:
    client.pass_time(days=2)
    report = fielded.report()
    people = fielded.respondents.intersection(report.completes.ids[:3]).union(
        fielded.respondents.difference(report.entrants).sample(2)
    )
    said = fielded.withdraw(people, report=report)
    assert (count(said, "visits ended"), count(said, "completed")) == (3, 3)
    without = fielded.withdraw(people)
    assert count(without, "visits ended") is pd.NA
    assert count(without, "completed") is pd.NA
    assert "report=wave.report()" in str(without.set_index("what").loc["completed", "note"])


def test_before_anybody_entered_it_is_known_that_nobody_did(make_wave: MakeWave) -> None:
    wave = make_wave()
    wave.create()
    wave.upload()
    wave.launch(budget="2000 EUR")
    said = wave.withdraw(wave.respondents.sample(1))
    assert [count(said, what) for what in ("visits ended", "completed", "in the survey now")] == [0, 0, 0]


def test_run_again_it_sends_nothing_and_says_the_same(fielded: Wave, client: Client) -> None:
    people = fielded.respondents.sample(4)
    first = fielded.withdraw(people)
    entries = len(client.aio.journal.entries())
    again = fielded.withdraw(people)
    pd.testing.assert_frame_equal(first, again)
    assert client.exclusions.overview(group_of(fielded)).saved_respondent_ids_count == 4
    assert len(client.aio.journal.entries()) == entries


@pytest.mark.parametrize("fault", ["drop-reply", "500-after", "delay"])
def test_a_lost_reply_excludes_them_once(fielded: Wave, client: Client, fault: str) -> None:
    client.sandbox.faults.arm(f"{fault}@exclude")
    said = fielded.withdraw(fielded.respondents.sample(3))
    assert count(said, "excluded") == 3
    assert client.exclusions.overview(group_of(fielded)).saved_respondent_ids_count == 3


def test_a_failed_job_keeps_the_withdrawal_and_may_be_run_again(fielded: Wave, client: Client) -> None:
    people = fielded.respondents.sample(3)
    client.sandbox.faults.arm("job-fails@exclude")
    with pytest.raises(JobFailed, match="failed") as refused:
        fielded.withdraw(people)
    assert "not excluded" in str(refused.value)
    assert fielded.withdrawn == people
    assert count(fielded.withdraw(people), "excluded") == 3


def test_a_list_of_exclusions_that_cannot_be_read_back_is_not_taken_for_excluded(
    fielded: Wave, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = client.aio.exclusions.effective_rsids
    answers = iter([read])

    async def first_only(ref: TargetGroupRef) -> object:
        for answer in answers:
            return await answer(ref)
        raise PermissionDenied("The exchange refuses to list exclusions.")

    monkeypatch.setattr(client.aio.exclusions, "effective_rsids", first_only)
    with pytest.warns(match="could not be read back"):
        said = fielded.withdraw(fielded.respondents.sample(3))
    assert count(said, "excluded") is pd.NA


def test_before_the_upload_the_check_blocks_until_they_are_left_out(make_wave: MakeWave, client: Client) -> None:
    wave = make_wave()
    people = wave.respondents.sample(2)
    said = wave.withdraw(people)
    assert count(said, "excluded") is pd.NA
    assert wave.withdrawn == people
    with pytest.raises(PreflightBlocked, match="2 of the"):
        wave.create()
    rest = make_wave(respondents=wave.respondents.difference(wave.withdrawn))
    rest.create()
    rest.upload()
    assert len(rest.withdrawn) == 0
    assert rest.launch(budget="2000 EUR")


def test_a_draft_excludes_them_and_still_takes_no_list_with_them(make_wave: MakeWave, client: Client) -> None:
    wave = make_wave()
    wave.create()
    wave.withdraw(wave.respondents.sample(2))
    with pytest.raises(PreflightBlocked, match="have withdrawn"):
        wave.upload()
    assert {each.rule for each in wave.check("upload", ask=True).blocking} == {"withdrawn"}
    assert client.recontacts.saved_count(group_of(wave)) == 0


def test_an_uploaded_wave_goes_on_and_is_launched_without_them(make_wave: MakeWave, client: Client) -> None:
    wave = make_wave()
    wave.create()
    wave.upload()
    wave.withdraw(wave.respondents.sample(2))
    wave.upload()  # sends nothing
    assert not wave.check().blocking, "cells that run again are not stopped"
    assert not wave.check("launch", ask=True).blocking
    assert wave.launch(budget="2000 EUR")


def test_after_a_removal_they_are_not_put_back(make_wave: MakeWave) -> None:
    wave = make_wave()
    wave.create()
    wave.upload()
    wave.withdraw(wave.respondents.sample(2))
    wave.remove()
    with pytest.raises(PreflightBlocked, match="have withdrawn"):
        wave.upload()
    rest = make_wave(respondents=wave.respondents.difference(wave.withdrawn))
    rest.upload()
    assert rest.launch(budget="2000 EUR")


def test_a_launch_waits_for_the_exclusion_of_who_withdrew_from_another_wave(make_wave: MakeWave) -> None:
    wave = make_wave()
    wave.create()
    wave.upload()
    other = make_wave("Tracker, wave 3")
    other.withdraw(wave.respondents.sample(2))
    with pytest.raises(PreflightBlocked, match="not seen to exclude them"):
        wave.launch(budget="2000 EUR")
    wave.withdraw(wave.withdrawn)
    assert wave.launch(budget="2000 EUR")


def test_a_later_wave_of_the_project_is_blocked_and_one_of_another_is_not(fielded: Wave, make_wave: MakeWave) -> None:
    people = fielded.respondents.sample(3)
    fielded.withdraw(people)
    later = make_wave("Tracker, wave 3")
    (finding,) = [each for each in later.check().blocking if each.rule == "withdrawn"]
    assert "3 of the" in finding.message
    assert "respondents.difference(wave.withdrawn)" in str(finding.fix)
    by_id = make_wave("Tracker, wave 4", project=group_of(fielded).project_id)
    assert by_id.withdrawn == people
    assert len(make_wave("Tracker, wave 3", project="Another study").withdrawn) == 0


def test_a_rejected_person_who_withdrew_is_not_resubmitted(make_wave: MakeWave) -> None:
    wave = make_wave()
    wave.create()
    wave.upload()
    rejected = wave.outcome.resubmittable
    assert len(rejected) > 1
    wave.withdraw(rejected.sample(1))
    wave.resubmit()
    assert wave.resubmitted_count == len(rejected) - 1
    other = make_wave("Tracker, wave 5", project="Another study")
    other.create()
    other.upload()
    other.withdraw(other.outcome.resubmittable)
    with pytest.raises(NothingToResubmit, match="withdrawn"):
        other.resubmit()


def test_rids_are_compared_by_a_crosswalk_and_block_without_one(make_wave: MakeWave, client: Client) -> None:
    rsids = read_respondents([synthetic_id("a", n) for n in range(120)], entity_type="RSID")
    rids = read_respondents([synthetic_id("b", n) for n in range(120)], entity_type="RID")
    pairs = dict(zip(rids.ids, rsids.ids, strict=True))
    make_wave(respondents=rsids).withdraw(rsids.sample(2))
    blind = make_wave("Tracker, wave 3", respondents=rids)
    assert "withdrawn" in {each.rule for each in blind.check().blocking}
    with pytest.raises(PlanError, match="is not known"):
        _ = blind.withdrawn
    with pytest.raises(InputError, match="RIDs"):
        blind.withdraw(rids)
    plan = plan_at(client.clock.now())
    seeing = client.wave("Tracker, wave 4", project="Brand tracker", respondents=rids, plan=plan, crosswalk=pairs)
    assert len(seeing.withdrawn) == 2
    assert count(seeing.withdraw(seeing.respondents.sample(3)), "withdrawn") == 3


def test_ids_are_in_no_journal_message_or_frame(fielded: Wave, client: Client) -> None:
    people = fielded.respondents.sample(3)
    said = fielded.withdraw(people)
    kept = repr(client.aio.journal.entries()) + said.to_csv() + repr(fielded) + " ".join(fielded.warnings)
    assert not [each for each in people.ids if each in kept or each.replace("-", "") in kept]


@pytest.mark.sampled(every=2)
@pytest.mark.parametrize(
    "named",
    [[], "no id", ["2b9e3c52-0d8e-4a0b-9a55-31d1c0ffee01", "no id"], "••••ee01"],
    ids=["nobody", "text", "one line", "masked"],
)
def test_who_cannot_be_read_is_refused_before_anything_is_kept(fielded: Wave, client: Client, named: object) -> None:
    sent, entries = client.requests_sent, len(client.aio.journal.entries())
    with pytest.raises(CintError) as refused:
        fielded.withdraw(named)  # type: ignore[arg-type]
    assert isinstance(refused.value, InputError)
    assert (client.requests_sent, len(client.aio.journal.entries())) == (sent, entries)


def test_a_wave_opened_to_be_read_can_withdraw_people(fielded: Wave, client: Client) -> None:
    opened = client.wave(fielded.name, project="Brand tracker")
    said = opened.withdraw(fielded.respondents.sample(1))
    assert count(said, "on the list") is pd.NA
    assert count(said, "excluded") == 1


def test_another_machine_sees_on_the_exchange_who_is_excluded_and_sends_nothing(fielded: Wave, client: Client) -> None:
    people = fielded.respondents.sample(2)
    fielded.withdraw(people)
    with another_machine(client) as other:
        there = other.wave(
            fielded.name, project="Brand tracker", respondents=fielded.respondents, plan=plan_at(client.clock.now())
        )
        assert len(there.withdrawn) == 0
        saved = client.exclusions.overview(group_of(fielded))
        with pytest.warns(match="found on the exchange"):
            said = there.withdraw(people)
        assert count(said, "excluded") == 2
        assert there.withdrawn == people
        assert client.exclusions.overview(group_of(fielded)) == saved


def test_a_list_that_may_not_be_read_keeps_nobody_in(
    fielded: Wave, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = fielded.respondents.sample(3)
    read = client.aio.exclusions.effective_rsids

    async def refused(_: TargetGroupRef) -> object:
        raise PermissionDenied("The exchange refuses to list exclusions.")

    monkeypatch.setattr(client.aio.exclusions, "effective_rsids", refused)
    with pytest.warns(match="could not be read back"):
        said = fielded.withdraw(people)
    assert count(said, "excluded") is pd.NA
    monkeypatch.setattr(client.aio.exclusions, "effective_rsids", read)
    assert set(client.exclusions.effective_rsids(group_of(fielded))) == set(people.ids)


def test_beside_a_job_of_others_it_is_kept_and_run_again_later(fielded: Wave, client: Client) -> None:
    people = fielded.respondents.sample(3)
    others = read_respondents([synthetic_id("others", 1)], entity_type="RSID")
    job = client.exclusions.upload(group_of(fielded), others)
    with pytest.raises(JobAlreadyRunning):
        fielded.withdraw(people)
    assert fielded.withdrawn == people
    job.wait()
    assert count(fielded.withdraw(people), "excluded") == 3


def test_a_job_whose_end_nobody_saw_is_followed_before_anything_is_sent(fielded: Wave, client: Client) -> None:
    """The kernel died between the request and the end of its job."""
    people = fielded.respondents.sample(3)
    job = client.exclusions.upload(group_of(fielded), people)
    payload = WithdrawalPayload(
        digests=tuple(map(id_digest, people.ids)), target_group_id=group_of(fielded).target_group_id, handle=job.handle
    )
    group = group_of(fielded)
    key = WaveKey(client.aio.scope, group.project_id, fielded.name)
    client.aio.journal.write(key, WITHDRAWAL, EntryState.RUNNING, payload)
    sent = len(client.aio.journal.entries(step=WITHDRAWAL))
    assert count(fielded.withdraw(people), "excluded") == 3
    states = [entry.state for entry in client.aio.journal.entries(step=WITHDRAWAL)[sent:]]
    assert EntryState.RUNNING not in states, "no second job was started"


def test_of_excluded_people_nobody_who_withdrew_is_advised_to_be_let_in_again(
    make_wave: MakeWave, client: Client
) -> None:
    wave = make_wave()
    wave.create()
    wave.upload()
    wave.withdraw(wave.respondents.sample(2))
    assert "excluded-ids" not in {each.rule for each in wave.check("launch", ask=True)}
    others = wave.respondents.difference(wave.withdrawn).sample(3)
    client.exclusions.upload(group_of(wave), others).wait()
    (found,) = [each for each in wave.check("launch", ask=True) if each.rule == "excluded-ids"]
    assert found.message.startswith("3 respondents")
    assert "who have not withdrawn" in str(found.fix)


def test_somebody_of_a_wave_of_new_people_withdraws_and_is_on_no_later_list(
    client: Client, make_wave: MakeWave
) -> None:
    first = live_wave(client)
    client.pass_time(days=3)
    came = first.report().completes
    said = first.withdraw(came.sample(1), report=first.report())
    assert (count(said, "excluded"), count(said, "completed")) == (1, 1)
    assert count(said, "on the list") is pd.NA
    second = make_wave(respondents=came, completes_goal=10)
    assert second.withdrawn == came.sample(1)
    assert "withdrawn" in {each.rule for each in second.check().blocking}


DRAFT_CHANGES: tuple[ChangeName, ...] = (
    *("group-renamed", "project-renamed", "goal-raised", "price-raised", "launched-elsewhere", "scheduled-elsewhere"),
    *("people-added", "list-emptied", "list-swapped", "group-archived"),
)
FIELD_CHANGES: tuple[ChangeName, ...] = ("paused-elsewhere", "completed-elsewhere", "goal-raised", "list-emptied")


@pytest.mark.sampled(every=3)
@pytest.mark.filterwarnings("ignore::cint_nb.domain.errors.CintWarning")
@pytest.mark.parametrize("change", DRAFT_CHANGES)
def test_whatever_a_colleague_changed_in_the_draft_they_are_excluded(
    make_wave: MakeWave, client: Client, change: ChangeName
) -> None:
    wave = make_wave()
    wave.create()
    wave.upload()
    client.sandbox.inject(change)
    people = wave.respondents.sample(2)
    assert count(wave.withdraw(people), "excluded") == 2
    assert set(people.ids) <= set(client.exclusions.effective_rsids(group_of(wave)))


@pytest.mark.sampled(every=2)
@pytest.mark.filterwarnings("ignore::cint_nb.domain.errors.CintWarning")
@pytest.mark.parametrize("change", FIELD_CHANGES)
def test_whatever_a_colleague_changed_in_the_field_they_are_excluded(
    fielded: Wave, client: Client, change: ChangeName
) -> None:
    client.pass_time(hours=3)
    client.sandbox.inject(change)
    people = fielded.respondents.sample(2)
    said = fielded.withdraw(people)
    assert count(said, "excluded") == 2
    assert "not excluded" in set(said["what"])


@pytest.mark.filterwarnings("ignore::cint_nb.domain.errors.CintWarning")
def test_where_the_group_is_gone_the_withdrawal_is_kept_all_the_same(make_wave: MakeWave, client: Client) -> None:
    wave = make_wave()
    wave.create()
    client.sandbox.inject("group-deleted")
    people = wave.respondents.sample(2)
    with pytest.raises(CintError):
        wave.withdraw(people)
    assert make_wave("Tracker, wave 3").withdrawn == people


# --- another machine ------------------------------------------------------------------------------------------------


def later_wave(other: Client, fielded: Wave) -> Wave:
    """Return a second wave of the study with the same list, created on a machine whose journal knows nothing."""
    wave = other.wave(
        "Tracker, wave 3", project="Brand tracker", respondents=fielded.respondents, plan=plan_at(other.clock.now())
    )
    wave.create()
    return wave


def test_who_withdrew_on_another_machine_is_found_on_the_exchange(fielded: Wave, client: Client) -> None:
    people = fielded.respondents.sample(3)
    fielded.withdraw(people)
    with another_machine(client) as other:
        later = later_wave(other, fielded)
        assert len(later.withdrawn) == 0
        (finding,) = [each for each in later.check("upload", ask=True).blocking if each.rule == "excluded-elsewhere"]
        assert "3 people" in finding.message
        assert fielded.name in str(finding.evidence)
        assert not [each for each in people.ids if each in str(finding)]
        assert later.find_withdrawals() == people
        assert later.find_withdrawals() == people, "it may be run again"
        blocking = {each.rule for each in later.check("upload", ask=True).blocking}
        assert "excluded-elsewhere" not in blocking
        assert "withdrawn" in blocking


def test_a_list_that_holds_them_is_not_launched_until_it_was_looked_for_them(fielded: Wave, client: Client) -> None:
    fielded.withdraw(fielded.respondents.sample(3))
    with another_machine(client) as other:
        later = later_wave(other, fielded)
        later.upload()
        with pytest.raises(PreflightBlocked, match="may have withdrawn"):
            later.launch(budget="2000 EUR")
        later.withdraw(later.find_withdrawals())
        with pytest.warns(match="asked twice"):  # the first wave is in the field
            assert later.launch(budget="2000 EUR", unverified=["asked twice"])


def test_exclusions_that_cannot_be_told_from_others_are_said_to_be_unseen(fielded: Wave, client: Client) -> None:
    client.pass_time(days=3)
    first = fielded.target_group
    live_wave(client, "Elsewhere, wave 1")
    client.pass_time(days=3)
    assert first is not None
    client.exclusions.set_policies(first.project_id, {first.target_group_id: True})
    fielded.withdraw(fielded.respondents.sample(3))
    with another_machine(client) as other:
        later = later_wave(other, fielded)
        (finding,) = [each for each in later.check("upload", ask=True) if each.rule == "excluded-elsewhere"]
        assert "could not be seen" in finding.message
        with pytest.warns(match="could not be seen"):
            assert len(later.find_withdrawals()) == 0


def test_who_is_excluded_elsewhere_and_has_not_withdrawn_can_be_said(fielded: Wave, client: Client) -> None:
    people = fielded.respondents.sample(3)
    client.exclusions.upload(group_of(fielded), people).wait()
    with another_machine(client) as other:
        later = later_wave(other, fielded)
        assert "excluded-elsewhere" in {each.rule for each in later.check("upload", ask=True).blocking}
        later.undo_withdrawal(people)
        assert "excluded-elsewhere" not in later.check("upload", ask=True).rules()


# --- undone ---------------------------------------------------------------------------------------------------------


def test_a_withdrawal_that_was_a_mistake_is_undone_and_all_others_stay_excluded(fielded: Wave, client: Client) -> None:
    left, wrong = fielded.respondents.sample(5, seed=1), fielded.respondents.sample(5, seed=1).sample(2)
    fielded.withdraw(left)
    with pytest.raises(InvalidState, match="only while nobody can enter"):
        fielded.undo_withdrawal(wrong)
    assert fielded.withdrawn == left
    fielded.pause()
    said = fielded.undo_withdrawal(wrong)
    assert (count(said, "no longer withdrawn"), count(said, "excluded again"), count(said, "excluded")) == (2, 3, 0)
    others = left.difference(wrong)
    assert set(client.exclusions.effective_rsids(group_of(fielded))) == set(others.ids)
    assert fielded.withdrawn == others
    fielded.withdraw(wrong)
    assert fielded.withdrawn == left, "and once more"
    assert set(client.exclusions.effective_rsids(group_of(fielded))) == set(left.ids)


def test_before_there_is_a_group_it_is_undone_in_the_journal(make_wave: MakeWave, client: Client) -> None:
    wave = make_wave()
    people = wave.respondents.sample(2)
    wave.withdraw(people)
    said = wave.undo_withdrawal(people)
    assert count(said, "excluded") is pd.NA
    assert len(wave.withdrawn) == 0
    assert "withdrawn" not in wave.check().rules()


def test_it_is_not_undone_where_others_would_lose_their_exclusion(make_wave: MakeWave, client: Client) -> None:
    wave = make_wave()
    ref = wave.create()
    others = read_respondents([synthetic_id("others", 1)], entity_type="RSID")
    client.exclusions.upload(ref, others).wait()
    people = wave.respondents.sample(2)
    wave.withdraw(people)
    with pytest.raises(InvalidState, match="1 other person"):
        wave.undo_withdrawal(people)
    assert set(others.ids) < set(client.exclusions.effective_rsids(ref))
    assert wave.withdrawn == people


def test_after_a_failure_in_between_it_is_said_who_can_enter(fielded: Wave, client: Client) -> None:
    left = fielded.respondents.sample(4, seed=2)
    fielded.withdraw(left)
    fielded.pause()
    client.inject("job-fails", "exclude")
    with pytest.raises(JobFailed) as failed:
        fielded.undo_withdrawal(left.sample(1))
    assert "nobody is excluded" in str(failed.value.safe)
    assert fielded.withdrawn == left, "nothing is forgotten"
    said = fielded.withdraw(fielded.withdrawn)
    assert count(said, "excluded") == 4
