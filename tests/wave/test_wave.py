"""A wave goes from a list to a closed target group, and no step happens twice."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cint_nb.domain.errors import (
    BudgetExceeded,
    CintWarning,
    InvalidState,
    NotFound,
    NothingToResubmit,
    PlanError,
    PreflightBlocked,
    RespondentFileError,
)
from cint_nb.domain.jobs import JobState
from cint_nb.sandbox.sample import write_sample
from cint_nb.study.files.respondents import Respondents, read_respondents
from cint_nb.wave.client import Client
from cint_nb.wave.journal.journal import EntryState, Journal, WaveKey
from cint_nb.wave.journal.payloads import UPLOAD, Payload, Step
from cint_nb.wave.reporting import SilentReporter
from cint_nb.wave.wave import Wave

Make = Callable[..., Wave]


def uploaded(make_wave: Make) -> Wave:
    wave = make_wave()
    wave.create()
    wave.upload()
    return wave


@pytest.mark.parametrize("duplicate", [copy.deepcopy, pickle.dumps])
def test_neither_a_client_nor_its_wave_is_copied(
    client: Client, make_wave: Make, duplicate: Callable[[object], object]
) -> None:
    for one in (client, client.aio, make_wave()):
        with pytest.raises(TypeError, match=r"in another process call cint_nb\.connect\(\)"):
            duplicate(one)


def test_a_whole_wave_accounts_for_every_line(client: Client, make_wave: Make) -> None:
    wave = make_wave()
    wave.create()
    assert wave.upload().state is JobState.PARTIAL
    first = wave.outcome.counts
    assert sum(first.values()) == 600
    assert first["rejected"] > 0
    wave.resubmit()
    second = wave.outcome.counts
    assert sum(second.values()) == 600
    assert second["saved"] > first["saved"]
    assert wave.resubmitted_count == first["rejected"]
    assert wave.launch(budget="300 EUR").state is JobState.DONE
    client.pass_time(days=10)
    status = wave.status().iloc[0]
    assert 0 < status["completes"] <= 100
    wave.close()
    assert wave.status().iloc[0]["state"] == "completed"
    assert wave.remove().state is JobState.DONE
    assert wave.status().iloc[0]["saved"] == 0


def test_the_rejected_ids_are_exactly_those_the_exchange_does_not_list(client: Client, make_wave: Make) -> None:
    wave = uploaded(make_wave)
    assert wave.target_group is not None
    saved = set(client.recontacts.saved_ids(wave.target_group))
    assert set(wave.outcome.rejected.ids) == set(wave.respondents.ids) - saved


def test_running_a_step_again_starts_no_job(client: Client, make_wave: Make) -> None:
    wave = uploaded(make_wave)
    again = make_wave()
    assert again.create() == wave.target_group
    assert again.upload() == wave.upload()
    assert again.target_group is not None
    assert len(client.recontacts.jobs(again.target_group)) == 1


def test_a_launch_that_is_run_again_launches_once(client: Client, make_wave: Make) -> None:
    wave = uploaded(make_wave)
    first = wave.launch(budget="300 EUR")
    jobs = len(client.sandbox.world.jobs)
    assert make_wave().launch(budget="300 EUR") == first
    assert len(client.sandbox.world.jobs) == jobs


def test_two_waves_share_a_project_they_name_alike(make_wave: Make) -> None:
    one, two = make_wave("Wave number one").create(), make_wave("Wave number two").create()
    assert one.project_id == two.project_id
    assert one.target_group_id != two.target_group_id


def test_another_list_under_the_same_name_is_refused(make_wave: Make, people: Respondents) -> None:
    uploaded(make_wave)
    with pytest.raises(RespondentFileError, match="already uploaded another list"):
        make_wave(respondents=people.sample(150, seed=1)).upload()


def test_ids_that_were_rejected_twice_are_not_sent_again(client: Client, make_wave: Make) -> None:
    wave = uploaded(make_wave)
    wave.resubmit()
    assert len(wave.outcome.rejected) > 0
    assert len(wave.outcome.resubmittable) == 0
    frame = wave.outcome.frame()
    assert set(frame.loc[frame["outcome"] == "rejected", "reason"]) == {"not saved by the exchange, twice"}
    with pytest.raises(NothingToResubmit, match="rejected twice"):
        wave.resubmit()
    assert wave.target_group is not None
    assert len(client.recontacts.jobs(wave.target_group)) == 2


def test_where_nothing_can_be_sent_again_no_progress_is_shown(client: Client, make_wave: Make) -> None:
    shown: list[str] = []

    def reporter(title: str, mode: str) -> SilentReporter:
        shown.append(f"{title} {mode}")
        return SilentReporter()

    client.aio.reporter_factory = reporter
    wave = uploaded(make_wave)
    wave.resubmit()
    before = list(shown)
    _ = wave.outcome
    asked = client.requests_sent
    with pytest.raises(NothingToResubmit):
        wave.resubmit()
    assert shown == before
    assert client.requests_sent == asked + 1  # whether somebody has changed the list since


def test_a_resubmission_that_ended_while_nobody_watched_is_taken_up(
    client: Client, make_wave: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    wave = uploaded(make_wave)
    rejected = wave.outcome.counts["rejected"]
    write = Journal.write

    def die_at_the_end(
        self: Journal, key: WaveKey, step: Step[Payload], state: EntryState, *more: Any, **named: Any
    ) -> None:
        if step == UPLOAD and named.get("batch") == "1" and state is EntryState.DONE:
            raise RuntimeError("the kernel dies here")
        write(self, key, step, state, *more, **named)

    with monkeypatch.context() as patched:
        patched.setattr(Journal, "write", die_at_the_end)
        with pytest.raises(RuntimeError, match="dies here"):
            wave.resubmit()
    again = make_wave()
    assert again.outcome.counts["rejected"] < rejected  # the exchange has saved some by now
    again.resubmit()
    assert again.resubmitted_count == rejected
    assert again.target_group is not None
    assert len(client.recontacts.jobs(again.target_group)) == 2


def test_rejected_rids_that_cannot_be_told_are_not_called_saved(make_wave: Make, tmp_path: Path) -> None:
    visits = read_respondents(write_sample(tmp_path / "visits.csv", lines=300, entity_type="RID"), entity_type="RID")
    wave = make_wave(respondents=visits)
    wave.create()
    wave.upload()
    with pytest.warns(CintWarning, match="without a crosswalk"):
        assert wave.outcome.counts["unknown"] == len(visits)
    with pytest.raises(NothingToResubmit, match="not possible to tell") as caught:
        wave.resubmit()
    assert "every usable id is saved" not in str(caught.value)
    assert "crosswalk" in str(caught.value.next_step)


def test_ids_saved_before_the_upload_are_told_apart(client: Client, make_wave: Make, people: Respondents) -> None:
    wave = make_wave()
    ref = wave.create()
    client.recontacts.upload(ref, people.sample(100, seed=3)).wait()
    held = client.recontacts.saved_count(ref)
    wave.upload()
    assert wave.outcome.counts["already_saved"] == held


def test_a_goal_above_the_list_stops_before_the_network(client: Client, make_wave: Make) -> None:
    wave = make_wave(completes_goal=5_000)
    with pytest.raises(PreflightBlocked, match="goal"):
        wave.create()
    assert client.requests_sent == 0


def test_a_goal_above_the_saved_ids_stops_the_launch_and_can_be_lowered(make_wave: Make, people: Respondents) -> None:
    wave = make_wave(completes_goal=len(people))
    wave.create()
    wave.upload()
    with pytest.raises(PreflightBlocked, match="saved"):
        wave.launch(budget="5000 EUR")
    lowered = wave.lower_goal()
    assert lowered == wave.outcome.counts["saved"] == wave.plan.completes_goal
    assert wave.launch(budget="5000 EUR").state is JobState.DONE


def test_a_lowered_goal_is_remembered_when_the_cells_run_again(make_wave: Make, people: Respondents) -> None:
    wave = make_wave(completes_goal=len(people))
    wave.create()
    wave.upload()
    lowered = wave.lower_goal()
    assert make_wave(completes_goal=len(people)).plan.completes_goal == lowered


def test_a_launch_needs_a_budget_that_covers_it(make_wave: Make) -> None:
    wave = uploaded(make_wave)
    with pytest.raises(PlanError, match="no budget"):
        wave.launch()
    with pytest.raises(BudgetExceeded, match=r"273.52 EUR"):
        wave.launch(budget="273 EUR")
    assert not wave.launched


def test_steps_out_of_order_name_the_step_that_is_missing(make_wave: Make) -> None:
    wave = make_wave()
    with pytest.raises(InvalidState, match=r"wave.create\(\)"):
        wave.upload()
    wave.create()
    with pytest.raises(InvalidState, match=r"wave.upload\(\)"):
        _ = wave.outcome
    with pytest.raises(PreflightBlocked):
        wave.launch(budget="300 EUR")


def test_a_live_wave_is_not_emptied_by_accident(client: Client, make_wave: Make) -> None:
    wave = uploaded(make_wave)
    wave.launch(budget="300 EUR")
    client.pass_time(hours=2)
    with pytest.raises(InvalidState, match="live"):
        wave.remove()
    assert wave.remove(while_live=True).state is JobState.DONE


def test_after_a_removal_the_list_can_be_uploaded_again(make_wave: Make) -> None:
    wave = uploaded(make_wave)
    saved = wave.outcome.counts["saved"]
    wave.remove()
    wave.upload()
    assert wave.outcome.counts["saved"] >= saved


@pytest.mark.parametrize("name", ["", "abc", "x" * 129])
def test_a_name_the_exchange_would_refuse_is_refused_here(make_wave: Make, name: str) -> None:
    with pytest.raises(PlanError, match="5 to 128"):
        make_wave(name)


def test_its_repr_says_where_it_stands_and_no_id(make_wave: Make) -> None:
    wave = make_wave()
    assert repr(wave).endswith("not created>")
    ref = wave.create()
    assert repr(wave).endswith("draft>")
    assert ref.target_group_id not in repr(wave)
    assert "sandbox" in repr(wave)


def test_the_journal_holds_no_respondent_id(client: Client, make_wave: Make) -> None:
    wave = uploaded(make_wave)
    wave.resubmit()
    stored = str([entry.payload for entry in client.aio.journal.entries()])
    assert not [identifier for identifier in wave.respondents.ids if identifier in stored]


def test_a_wave_the_exchange_no_longer_has_says_so_and_can_begin_anew_on_a_sandbox(
    client: Client, make_wave: Make
) -> None:
    wave = make_wave()
    lost = wave.create()
    client.sandbox.world.groups.clear()
    for verb in (wave.status, wave.upload, lambda: wave.launch(budget="300 EUR"), wave.remove):
        with pytest.raises(NotFound):
            verb()
    with pytest.warns(CintWarning, match="the wave begins anew"):
        assert wave.create() != lost
    assert wave.status().iloc[0]["state"] == "draft"


def test_a_resubmission_lists_nobody_again(client: Client, make_wave: Make) -> None:
    wave = uploaded(make_wave)
    assert len(wave.outcome.resubmittable)
    client.sandbox.faults.arm("404@rsids*always")
    wave.resubmit()
    assert client.sandbox.faults.armed[0].fired == 0


def test_two_waves_of_a_study_may_share_a_reference_number_of_their_own(client: Client, make_wave: Make) -> None:
    first = make_wave("Tracker, wave 1c", customer_reference_number="PO-4711").create()
    second = make_wave("Tracker, wave 2c", customer_reference_number="PO-4711").create()
    assert first != second
    client.aio._journal = None  # it is lost: both are told apart all the same
    with pytest.warns(CintWarning, match="wave 1c' was found on the exchange"):
        assert make_wave("Tracker, wave 1c", customer_reference_number="PO-4711").create() == first
    with pytest.warns(CintWarning, match="wave 2c' was found on the exchange"):
        assert make_wave("Tracker, wave 2c", customer_reference_number="PO-4711").create() == second


def test_a_group_that_is_named_is_adopted_without_a_warning(client: Client, make_wave: Make) -> None:
    other = make_wave("Tracker, wave 3c").create()
    wave = make_wave("Tracker, wave 4c")
    assert wave.create(adopt=other.target_group_id) == other
    assert wave.warnings == ()  # it was named, not found
    with pytest.raises(NotFound):
        make_wave("Tracker, wave 5c").create(adopt="01" + "Z" * 24)


def test_what_was_done_is_not_denied_when_it_cannot_be_read_back(client: Client, make_wave: Make) -> None:
    wave = uploaded(make_wave)
    wave.launch(budget="300 EUR")
    client.pass_time(hours=1)
    client.sandbox.faults.arm("refuse@get_target_group_overview*always")
    wave.pause()
    client.sandbox.faults.armed.clear()
    assert wave.status().iloc[0]["state"] == "paused"


@pytest.mark.parametrize(("step", "unverified"), [("lanch", ()), ("launch", ["templat"]), ("launch", "people")])
def test_a_misspelled_word_is_no_all_clear(make_wave: Make, step: Any, unverified: Any) -> None:
    with pytest.raises(PlanError, match=r"cannot be|takes a list"):
        make_wave().check(step, unverified=unverified)


def test_a_wave_opened_to_be_read_whose_name_nobody_has_is_told_to_check_it(client: Client) -> None:
    wave = client.wave("A wave mistyped", project="Brand tracker")
    for verb in (wave.status, wave.pause, wave.close):
        with pytest.raises(InvalidState, match="no target group") as caught:
            verb()
        assert "check both names" in str(caught.value.next_step)
