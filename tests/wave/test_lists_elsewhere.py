"""The same people are the same list, whatever their order and whoever sent them; what was read is read again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cint_nb.domain.errors import (
    BudgetExceeded,
    CintError,
    CintWarning,
    InvalidState,
    NothingToResubmit,
    RespondentFileError,
)
from cint_nb.domain.files import UploadFile
from cint_nb.domain.ids import EntityType
from cint_nb.sandbox.changes_elsewhere import ChangeName
from cint_nb.study.files.respondents import Respondents, read_respondents
from cint_nb.wave.client import Client
from cint_nb.wave.exchange import identity
from cint_nb.wave.journal.journal import Journal
from cint_nb.wave.wave import Wave
from tests.support.changed_elsewhere import opened, people, read_truth

pytestmark = pytest.mark.filterwarnings("ignore:The wave .* was found on the exchange:cint_nb.errors.CintWarning")
Make = Callable[..., Wave]


def _reordered(respondents: Respondents) -> Respondents:
    return read_respondents(list(reversed(respondents.ids)), entity_type="RSID")


def _upload_names(client: Client, wave: Wave) -> list[str]:
    assert wave.target_group is not None
    return [job.file_name or "" for job in client.recontacts.jobs(wave.target_group)]


@pytest.mark.parametrize("journal_lost", [False, True])
def test_the_same_people_in_another_order_are_the_same_list(
    client: Client, make_wave: Make, journal_lost: bool
) -> None:
    first = make_wave()
    first.create()
    first.upload()
    saved, sent = first.outcome.counts["saved"], _upload_names(client, first)
    if journal_lost:
        client.aio._journal = Journal()
    again = make_wave(respondents=_reordered(first.respondents))
    again.create()
    again.upload()
    assert _upload_names(client, again) == sent
    assert again.outcome.counts["saved"] == saved
    again.resubmit()
    assert len(_upload_names(client, again)) == len(sent) + 1


@pytest.mark.sampled(every=2)
@pytest.mark.parametrize("reordered", [False, True])
@pytest.mark.parametrize("journal_lost", [False, True])
def test_an_upload_by_an_earlier_version_is_found_by_its_name_or_its_people(
    client: Client, make_wave: Make, monkeypatch: pytest.MonkeyPatch, journal_lost: bool, reordered: bool
) -> None:
    with monkeypatch.context() as earlier:
        earlier.setattr(Respondents, "people_hash", Respondents.content_hash)
        first = make_wave()
        first.create()
        first.upload()
        sent = _upload_names(client, first)
    respondents = read_respondents(first.respondents.ids, entity_type="RSID")  # nothing of it is computed yet
    assert identity.list_hashes(respondents)[0] not in sent[0]
    if journal_lost:
        client.aio._journal = Journal()
    again = make_wave(respondents=_reordered(respondents) if reordered else respondents)
    again.create()
    again.upload()
    assert _upload_names(client, again) == sent
    assert again.outcome.counts["saved"] == client.recontacts.saved_count(again.create())


def test_a_list_that_a_colleague_uploaded_is_not_uploaded_again(client: Client, make_wave: Make) -> None:
    wave = make_wave()
    ref = wave.create()
    client.recontacts.upload(ref, _reordered(wave.respondents)).wait()
    sent = _upload_names(client, wave)
    wave.upload()
    assert _upload_names(client, wave) == sent
    assert wave.outcome.counts["saved"] == client.recontacts.saved_count(ref)


def test_another_person_is_another_list(make_wave: Make) -> None:
    wave = make_wave()
    wave.create()
    wave.upload()
    other = read_respondents([*wave.respondents.ids[1:], people().ids[0]], entity_type="RSID")
    with pytest.raises(CintError, match="another list"):
        make_wave(respondents=other).upload()


# --- a resubmission reads who is rejected ----------------------------------------------------------------------------


@pytest.mark.parametrize("journal_lost", [False, True])
@pytest.mark.parametrize("verb", ["outcome", "resubmit"])
def test_who_was_never_sent_is_not_rejected(client: Client, make_wave: Make, verb: str, journal_lost: bool) -> None:
    longer, shorter = people(), people().intersection(people().ids[:20])
    wave = make_wave(respondents=shorter, completes_goal=5)
    wave.create()
    wave.upload()
    if journal_lost:
        client.aio._journal = Journal()
    changed = make_wave(respondents=longer, completes_goal=5)
    with pytest.raises(InvalidState, match="This list has not been uploaded yet"):
        getattr(changed, verb)()
    changed.upload()
    assert changed.outcome.counts["already_saved"] > 10
    with pytest.raises(RespondentFileError, match="has already uploaded another list"):
        getattr(make_wave(respondents=shorter.difference(shorter.ids[:1]), completes_goal=5), verb)()


def test_whoever_a_colleague_has_added_since_is_not_sent_again() -> None:
    with opened("uploaded", with_journal=True) as (client, wave):
        rejected = wave.outcome.resubmittable
        assert wave.target_group is not None
        client.recontacts.upload(wave.target_group, rejected).wait()
        before = read_truth(client.sandbox).groups[0]
        with pytest.warns(CintWarning, match="counts disagree"):
            wave.resubmit()
        after = read_truth(client.sandbox).groups[0]
        assert len(after.uploads) == len(before.uploads) + 1
        left = len(rejected) - (len(before.saved) - len(wave.respondents) + len(rejected))
        sent = wave.resubmitted_count
        assert sent == left < len(rejected)


@pytest.mark.parametrize(("change", "word"), [("list-emptied", "removed"), ("list-swapped", "explain")])
def test_a_list_that_is_gone_is_said_to_be_gone(change: ChangeName, word: str) -> None:
    with opened("uploaded", with_journal=True) as (client, wave):
        assert len(wave.outcome.resubmittable)
        client.sandbox.inject(change, "now")
        before = read_truth(client.sandbox)
        with pytest.raises(CintError, match=word) as caught:
            wave.resubmit()
        assert not isinstance(caught.value, NothingToResubmit)
        assert read_truth(client.sandbox) == before


def test_a_resubmission_needs_no_job_that_the_exchange_has_forgotten() -> None:
    with opened("uploaded", with_journal=True) as (client, wave):
        rejected = wave.outcome.resubmittable
        client.sandbox.world.jobs.clear()
        wave.resubmit()
        assert wave.resubmitted_count == len(rejected)


@pytest.mark.sampled(every=2)
@pytest.mark.parametrize("has_ended", [True, False])
@pytest.mark.parametrize("knows_the_upload", [True, False])
def test_a_resubmission_by_another_machine_is_known_by_the_number_sent(has_ended: bool, knows_the_upload: bool) -> None:
    with opened("uploaded", with_journal=knows_the_upload) as (client, wave):
        wave.create()
        rejected = wave.outcome.resubmittable
        other = Journal()
        here, client.aio._journal = client.aio.journal, other
        elsewhere = client.wave(wave.name, project="Brand tracker", respondents=wave.respondents, plan=wave.plan)
        elsewhere.create()
        if has_ended:
            elsewhere.resubmit()
        else:
            name = _upload_names(client, wave)[0].replace(".b0.", ".b1.")
            assert wave.target_group is not None
            client.recontacts.upload(wave.target_group, rejected, file_name=name)
        client.aio._journal = here
        sent = _upload_names(client, wave)
        if has_ended:
            assert wave.outcome.counts["rejected"] == len(rejected)  # as it was, until it is asked for again
            with pytest.raises(NothingToResubmit, match="twice"):
                wave.resubmit()
        else:
            wave.resubmit()
        assert _upload_names(client, wave) == sent
        assert wave.outcome.counts["rejected"] == 1
        assert not len(wave.outcome.resubmittable)
        assert wave.resubmitted_count == len(rejected)
        with pytest.raises(NothingToResubmit, match="twice"):
            wave.resubmit()


def test_a_resubmission_whose_file_cannot_be_read_is_not_known() -> None:
    with opened("uploaded", with_journal=False) as (client, wave):
        wave.create()
        wave.resubmit()
        client.aio._journal = Journal()
        client.sandbox.faults.arm("404@recontact_download_job_file*always")
        again = client.wave(wave.name, project="Brand tracker", respondents=wave.respondents, plan=wave.plan)
        again.create()
        assert again.outcome.counts["rejected"] == 1
        assert again.resubmitted_count is None


# --- ids commit money ------------------------------------------------------------------------------------------------


def _open_ended(make_wave: Make, count: int, people: Respondents) -> Wave:
    wave = make_wave(
        respondents=read_respondents(people.ids[:count], entity_type="RSID"), completes_goal=5, prevent_overfill=False
    )
    wave.create()
    wave.upload()
    return wave


@pytest.mark.sampled(every=2)
@pytest.mark.parametrize("by", ["wave", "client"])
@pytest.mark.parametrize("state", ["live", "paused"])
def test_more_people_in_the_field_cost_no_more_than_was_approved(
    client: Client, make_wave: Make, people: Respondents, state: str, by: str
) -> None:
    wave = _open_ended(make_wave, 20, people)
    wave.launch(budget="60 EUR")
    ref = wave.target_group
    assert ref is not None
    if state == "paused":
        wave.pause()
    saved = client.recontacts.saved_count(ref)
    more = UploadFile(("\n".join(people.ids[:60]) + "\n").encode(), 60, EntityType.RSID)

    def upload() -> None:
        if by == "wave":
            wave.remove(while_live=True)
            make_wave(respondents=people.sample(60, seed=1), completes_goal=5, prevent_overfill=False).upload()
        else:
            client.recontacts.upload(ref, more).wait()

    with pytest.raises(BudgetExceeded, match="allows overfill") as caught:
        upload()
    assert client.recontacts.saved_count(ref) == (0 if by == "wave" else saved)
    advice = str(caught.value.next_step).split("wave.approve(budget='")[1].split("'")[0]
    wave.approve(advice)
    upload()
    assert client.recontacts.saved_count(ref) > saved


def test_where_completes_stop_at_the_goal_more_people_need_no_approval(
    client: Client, make_wave: Make, people: Respondents
) -> None:
    wave = make_wave(respondents=read_respondents(people.ids[:60], entity_type="RSID"), completes_goal=5)
    wave.create()
    wave.upload()
    wave.launch(budget="60 EUR")
    assert wave.target_group is not None
    client.recontacts.upload(wave.target_group, people.sample(100, seed=2)).wait()


def test_an_approval_that_this_journal_does_not_hold_is_not_known(
    client: Client, make_wave: Make, people: Respondents
) -> None:
    wave = _open_ended(make_wave, 20, people)
    wave.launch(budget="500 EUR")
    client.aio._journal = Journal()
    assert wave.exchange_state().is_in_field
    with pytest.raises(BudgetExceeded, match="not known to this journal"):
        client.recontacts.upload(wave.create(), people.sample(100, seed=3))


def test_a_state_that_cannot_be_seen_stops_an_upload(client: Client, make_wave: Make, people: Respondents) -> None:
    wave = _open_ended(make_wave, 20, people)
    assert wave.target_group is not None
    client.sandbox.faults.arm("404@get_target_group*always")
    client.sandbox.faults.arm("404@get_fielding_runs_by_target_group_id*always")
    with pytest.raises(CintError):
        client.recontacts.upload(wave.target_group, people.sample(30, seed=4))
