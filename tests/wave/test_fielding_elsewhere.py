"""What lets respondents in again says what was changed since it was approved, and advises what works."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace

import pytest

from cint_nb.domain.errors import (
    BudgetExceeded,
    CintWarning,
    InvalidState,
    PlanError,
    TransportError,
    UnexpectedReply,
)
from cint_nb.domain.models import TargetGroupRef
from cint_nb.sandbox.changes_elsewhere import ChangeName
from cint_nb.sandbox.draft_edits import DraftField
from cint_nb.wave.client import Client
from cint_nb.wave.context import WaveContext
from cint_nb.wave.exchange.people import GroupUploads
from cint_nb.wave.journal.journal import Journal
from cint_nb.wave.wave import Wave
from tests.support.changed_elsewhere import GOAL, opened, read_truth
from tests.support.plans import RSID_URL

pytestmark = pytest.mark.filterwarnings("ignore:The wave .* was found on the exchange:cint_nb.errors.CintWarning")
Make = Callable[..., Wave]


# --- resume ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "value"), [("goal-raised", 15), ("price-raised", "4.10"), ("price-raised", "2500"), ("goal-raised", 26)]
)
@pytest.mark.parametrize("with_journal", [True, False])
def test_a_resumption_says_what_was_changed_and_spends_no_more_than_was_approved(
    change: ChangeName, value: object, with_journal: bool
) -> None:
    with opened("paused", with_journal=with_journal) as (client, wave):
        client.sandbox.inject(change, "now", value=value)  # type: ignore[arg-type]
        worst = read_truth(client.sandbox).groups[0].worst_case()
        assert worst is not None
        if with_journal and worst > 40:
            with pytest.raises(BudgetExceeded, match="approved") as caught:
                wave.resume()
            assert read_truth(client.sandbox).groups[0].status == "paused"
            advice = re.search(r"wave\.approve\(budget='([^']+)'\)", str(caught.value.next_step))
            assert advice is not None
            wave.approve(budget=advice[1])
        elif change == "goal-raised" or not with_journal:
            with pytest.warns(CintWarning, match=f"goal {read_truth(client.sandbox).groups[0].goal}"):
                wave.resume()
        wave.resume()
        assert read_truth(client.sandbox).groups[0].status == "live"


def test_what_bounds_the_cost_must_be_seen_before_money_flows_again() -> None:
    with opened("paused", with_journal=True) as (client, wave):
        client.sandbox.faults.arm("404@get_fielding_assistant_assignment*always")
        with pytest.raises(BudgetExceeded):
            wave.resume()
        wave.close(resume_first=True)  # closing never depends on it
        assert read_truth(client.sandbox).groups[0].status == "completed"


# --- advice that works -----------------------------------------------------------------------------------------------


def _launched(make_wave: Make, **changes: object) -> Wave:
    wave = make_wave(**changes)
    wave.create()
    wave.upload()
    wave.launch(budget="300 EUR")
    return wave


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize("verb", ["launch", "relaunch", "resume", "extend", "raise_goal"])
def test_a_run_that_ended_by_its_end_is_not_advised_what_the_exchange_refuses(
    client: Client, make_wave: Make, verb: str
) -> None:
    wave = _launched(make_wave, completes_goal=100)
    client.pass_time(days=60)
    if verb == "launch":
        client.aio._journal = Journal()
    end = client.clock.now() + timedelta(days=7)
    calls: dict[str, Callable[[], object]] = {
        "launch": lambda: _again(client, wave).launch(budget="300 EUR"),
        "relaunch": lambda: wave.relaunch(budget="300 EUR"),
        "resume": wave.resume,
        "extend": lambda: wave.extend(end, budget="300 EUR"),
        "raise_goal": lambda: wave.raise_goal(200, budget="600 EUR"),
    }
    with pytest.raises(InvalidState) as caught:
        calls[verb]()
    advice = str(caught.value.next_step)
    assert "relaunch" not in advice
    assert "nothing lets respondents in again" in advice


def _again(client: Client, wave: Wave, name: str | None = None) -> Wave:
    """Open the wave in a new session, or another one like it, with dates that are possible now."""
    now = client.clock.now()
    dates = {"start_at": now + timedelta(hours=1), "end_at": now + timedelta(days=14)}
    plan = wave.plan.model_copy(update=dates)
    return client.wave(name or wave.name, project="Brand tracker", respondents=wave.respondents, plan=plan)


def test_a_run_whose_end_alone_has_passed_is_extended_as_advised(client: Client, make_wave: Make) -> None:
    wave = _launched(make_wave, completes_goal=100)
    client.pass_time(hours=1)
    wave.pause()
    group = next(iter(client.sandbox.world.groups.values()))
    assert group.run is not None
    group.run.end = client.sandbox.clock.elapsed - 60  # its word is not changed, as one of two documents says
    assert wave.exchange_state().state == "completed"
    with pytest.raises(InvalidState, match=r"wave\.extend\(end_at, budget=…\)"):
        wave.set_price("2 EUR")
    end = client.clock.now() + timedelta(days=7)
    wave.extend(end, budget="300 EUR")
    wave.resume()
    assert wave.exchange_state().state == "live"


def test_a_run_that_reached_its_goal_is_continued_as_advised() -> None:
    with opened("live", with_journal=True) as (client, wave):
        client.pass_time(days=10)
        assert wave.exchange_state().state == "completed"
        with pytest.raises(InvalidState, match=r"wave\.raise_goal\(goal, budget=…\) first"):
            wave.relaunch(budget="40 EUR")
        with pytest.warns(CintWarning, match=r"nobody can enter .* yet: wave\.relaunch\(budget=…\)"):
            wave.raise_goal(GOAL + 2, budget="40 EUR")
        wave.relaunch(budget="40 EUR")
        assert wave.exchange_state().state == "live"


# --- two machines ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("microseconds", [0, 123456])
def test_two_machines_extend_once(microseconds: int) -> None:
    with opened("live", with_journal=True) as (client, wave):
        fault = client.sandbox.inject("second-machine", "update_fielding_run")
        group = next(iter(client.sandbox.world.groups.values()))
        assert group.run is not None
        before = group.run.version
        end = wave.plan.end_at + timedelta(days=7, microseconds=microseconds)
        shown = wave.extend(end, budget="40 EUR")
        assert fault.fired
        assert group.run.version == before + 1
        assert wave.extend(end, budget="40 EUR") == shown
        assert group.run.version == before + 1


# --- reads -----------------------------------------------------------------------------------------------------------


def test_a_launch_reads_state_and_uploads_once_before_it_is_sent(
    client: Client, make_wave: Make, caplog: pytest.LogCaptureFixture
) -> None:
    wave = make_wave()
    wave.create()
    wave.upload()
    caplog.clear()
    with caplog.at_level("INFO", logger="cint_nb"):
        wave.launch(budget="300 EUR")
    requests = [record.getMessage() for record in caplog.records]
    sent = next(number for number, text in enumerate(requests) if "launch-from-draft" in text)
    before = [text.split(" ", 2)[1].rsplit("/", 1)[-1] for text in requests[:sent]]
    assert before.count("fielding-runs") == 1
    assert before.count("{target_group_id}") == 1
    assert before.count("upload-respondents-by-file") == 1
    assert len(before) <= 11


@pytest.mark.parametrize("with_journal", [False, True])
def test_a_launch_that_is_adopted_reads_the_uploads_once(with_journal: bool, caplog: pytest.LogCaptureFixture) -> None:
    with opened("live", with_journal=with_journal) as (_, wave):
        wave.create()
        with caplog.at_level("INFO", logger="cint_nb"), warnings.catch_warnings():
            warnings.simplefilter("ignore", CintWarning)
            caplog.clear()
            wave.launch(budget="40 EUR")
        read = [record.getMessage().split(" ", 2)[1].rsplit("/", 1)[-1] for record in caplog.records]
        assert read.count("upload-respondents-by-file") == 1


def test_a_goal_that_is_not_shown_is_not_taken_for_none() -> None:
    with opened("live", with_journal=True) as (client, wave):
        client.sandbox.faults.arm("404@get_target_group_overview*always")
        before = read_truth(client.sandbox)
        with pytest.raises(UnexpectedReply, match="does not show the present goal"):
            wave.raise_goal(12, budget="900 EUR")
        assert read_truth(client.sandbox) == before


# --- changed between check and request -------------------------------------------------------------------------------

SPENDING: dict[str, tuple[str, str, Callable[[Wave], object]]] = {
    "raise_goal": ("live", "goal", lambda wave: wave.raise_goal(12, budget="40 EUR")),
    "set_price": ("live", "price", lambda wave: wave.set_price("3 EUR", budget="40 EUR")),
    "extend": ("live", "update-run", lambda wave: wave.extend(wave.plan.end_at + timedelta(days=7), budget="40 EUR")),
    "resume": ("paused", "resume", lambda wave: wave.resume()),
    "relaunch": ("completed", "relaunch", lambda wave: wave.relaunch(budget="40 EUR")),
}


@pytest.mark.parametrize("verb", SPENDING)
def test_what_became_dearer_in_between_is_said_after_every_verb_that_spends(verb: str) -> None:
    stage, step, act = SPENDING[verb]
    change: ChangeName = "goal-raised" if verb == "set_price" else "price-raised"
    with opened(stage, with_journal=True) as (client, wave):
        client.sandbox.inject(change, step, value=20)
        with pytest.warns(CintWarning, match="more than the approved 40 EUR: it was changed elsewhere"):
            act(wave)
    with opened(stage, with_journal=True) as (_, wave), warnings.catch_warnings():
        warnings.simplefilter("error", CintWarning)
        act(wave)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("study_type_code", "adhoc", "study type adhoc where the plan has recontact"),
        ("locale", "eng_us", "language eng where the plan has ger and country us where the plan has de"),
        ("business_unit_id", None, "in another currency than the approved 40 EUR"),
    ],
)
def test_a_launch_says_for_whom_it_went_live(field: DraftField, value: str | None, said: str) -> None:
    with opened("uploaded", with_journal=True) as (client, wave):
        client.sandbox.inject("field-edited", "launch", field, value=value)
        with pytest.warns(CintWarning, match=said):
            wave.launch(budget="40 EUR")


@pytest.mark.parametrize("change", ["people-added", "list-swapped"])
def test_a_launch_says_who_came_into_the_group_between_its_check_and_itself(change: ChangeName) -> None:
    with opened("uploaded", with_journal=True) as (client, wave):
        client.sandbox.inject(change, "launch")
        with pytest.warns(CintWarning, match="people who are not on this list"):
            wave.launch(budget="40 EUR")


@pytest.mark.parametrize(
    ("field", "value"), [("live_url", RSID_URL + "&other=1"), ("expected_length_of_interview_minutes", 25)]
)
def test_a_launch_says_that_another_survey_went_live(field: DraftField, value: object) -> None:
    with opened("uploaded", with_journal=True) as (client, wave):
        client.sandbox.inject("field-edited", "launch", field, value=value)  # type: ignore[arg-type]
        with pytest.warns(CintWarning, match=f"is live with another {field} than its plan") as caught:
            wave.launch(budget="40 EUR")
        assert "other=1" not in str(caught[0].message)


def test_a_wave_whose_end_has_passed_by_the_clock_here_alone_is_not_emptied() -> None:
    with opened("live", with_journal=True) as (client, wave):
        here = client.http.clock
        ahead = here.now() + timedelta(days=60)
        client.http.clock = SimpleNamespace(now=lambda: ahead, monotonic=here.monotonic, sleep=here.sleep)
        assert wave.exchange_state().state == "completed"
        before = read_truth(client.sandbox)
        with pytest.raises(InvalidState, match="its run still reads live"):
            wave.remove()
        assert read_truth(client.sandbox) == before


def test_a_run_that_ends_before_it_begins_is_not_known_and_can_be_paused() -> None:
    with opened("live", with_journal=True) as (client, wave):
        run = next(each.run for each in client.sandbox.world.groups.values() if each.run is not None)
        run.end = run.start - 86_400
        assert wave.exchange_state().state == "not known"
        with pytest.raises(UnexpectedReply, match="ends before it begins"):
            wave.remove()


def test_a_launch_says_that_its_people_could_not_be_read_back(monkeypatch: pytest.MonkeyPatch) -> None:
    with opened("uploaded", with_journal=True) as (client, wave):
        read = WaveContext.read_uploads

        async def read_before_the_launch(context: WaveContext, ref: TargetGroupRef) -> GroupUploads:
            if read_truth(client.sandbox).groups[0].status == "live":
                raise TransportError("The connection broke.")
            return await read(context, ref)

        monkeypatch.setattr(WaveContext, "read_uploads", read_before_the_launch)
        with pytest.warns(CintWarning, match="who is in it now could not be read"):
            wave.launch(budget="40 EUR")


def test_a_launch_of_a_group_that_was_emptied_says_that_nobody_is_in_it() -> None:
    with opened("live", with_journal=True) as (client, wave):
        client.sandbox.inject("list-emptied")
        with pytest.warns(CintWarning) as caught:
            wave.launch(budget="40 EUR")
        said = " ".join(str(each.message) for each in caught)
        assert "nobody is in it" in said
        assert "elsewhere" not in said, "this journal launched it"


@pytest.mark.parametrize("change", ["people-added", "list-swapped"])
def test_a_launch_that_is_run_again_says_who_else_is_in_the_group(change: ChangeName) -> None:
    with opened("live", with_journal=True) as (client, wave):
        client.sandbox.inject(change)
        with pytest.warns(CintWarning, match="people who are not on this list"):
            wave.launch(budget="40 EUR")


def test_a_group_that_never_ran_is_not_said_to_have_been_launched() -> None:
    with opened("uploaded", with_journal=True) as (client, wave):
        client.sandbox.inject("group-archived")
        with pytest.raises(InvalidState, match="archived and cannot be launched"):
            wave.launch(budget="40 EUR")


@pytest.mark.parametrize(
    ("stage", "change", "said"),
    [
        ("completed", "relaunched-elsewhere", "it was closed, and is live"),
        ("paused", "resumed-elsewhere", "it was paused, and is live"),
        ("uploaded", "launched-elsewhere", "it was launched"),
        ("live", "goal-raised", "goal 10 → "),
        ("live", "paused-elsewhere", "paused elsewhere"),
    ],
)
def test_a_status_says_what_somebody_else_did_and_once(stage: str, change: ChangeName, said: str) -> None:
    with opened(stage, with_journal=True) as (client, wave):
        assert "elsewhere" not in wave.status()["warnings"].item()
        client.sandbox.inject(change)
        shown = wave.status()["warnings"].item()
        assert said in shown
        assert shown.count("elsewhere") == 1
    with opened(stage, with_journal=False) as (client, wave):
        client.sandbox.inject(change)
        assert "changed elsewhere" not in wave.status()["warnings"].item(), "how it was left is not known"


# --- the same goal and another currency ------------------------------------------------------------------------------


def test_a_goal_is_raised_once_and_approved_for_its_budget() -> None:
    with opened("live", with_journal=True) as (client, wave):
        client.sandbox.inject("goal-raised", value=12)
        with pytest.raises(PlanError, match="no budget was given"):
            wave.raise_goal(12)
        with pytest.raises(BudgetExceeded):
            wave.raise_goal(12, budget="30 EUR")
        before = read_truth(client.sandbox)
        assert wave.raise_goal(12, budget="50 EUR") == 12
        assert read_truth(client.sandbox) == before
        assert wave.status()["approved"].item() == 50


def test_a_price_in_another_currency_is_named() -> None:
    with opened("live", with_journal=True) as (_, wave):
        with pytest.raises(PlanError, match="in USD, the prices of the target group are in EUR"):
            wave.set_price("1 USD", budget="900 EUR")
        wave.set_price("1 EUR")


# --- what is left behind ---------------------------------------------------------------------------------------------


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize("stage", ["drafted", "uploaded", "live", "paused", "completed"])
@pytest.mark.parametrize("with_journal", [True, False])
def test_adopting_another_group_says_what_is_left_behind(stage: str, with_journal: bool) -> None:
    with opened(stage, with_journal=with_journal) as (client, wave):
        before = read_truth(client.sandbox).groups[0]
        other = _again(client, wave, "Tracker, another one").create()
        advice = f"wave.create(adopt={other.target_group_id!r})"
        if stage != "drafted":
            with pytest.raises(InvalidState, match=f"{len(before.saved)} saved ids") as refused:
                wave.create(adopt=other.target_group_id)
            assert before.status in str(refused.value)
            call = re.search(r"wave\.create\(.*?\]\)", str(refused.value.next_step))
            assert call is not None
            advice = call[0]
        with pytest.warns(CintWarning, match=f"{before.status}, with {len(before.saved)} saved ids") as caught:
            assert eval(advice, {"wave": wave}) == other  # noqa: S307 - advice has to run as it is written
        assert before.id in " ".join(str(warning.message) for warning in caught)
        truth = {group.id: group for group in read_truth(client.sandbox).groups}
        assert truth[before.id] == before


def test_what_was_done_with_the_group_before_is_not_taken_for_done_with_the_adopted_one() -> None:
    with opened("completed", with_journal=True) as (client, wave):
        before = read_truth(client.sandbox).groups[0]
        wave = _again(client, wave)
        other = _again(client, wave, "Tracker, another one").create()
        with pytest.warns(CintWarning, match=f"It leaves {before.id}"):
            wave.create(adopt=other.target_group_id, leave=[before.id])
        wave.upload()
        wave.launch(budget="40 EUR", unverified=["template"])
        truth = {group.id: group for group in read_truth(client.sandbox).groups}
        assert truth[other.target_group_id].saved == before.saved
        assert truth[other.target_group_id].status == "live"
