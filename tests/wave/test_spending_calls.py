"""Every call of `Client` that can spend asks for a budget, compares it, and sends nothing without it.

The calls are those of `operations.SPENDING`: an operation that is added there has no test here until it has a call, and
one that changes something and stands in neither table fails `tests/api/test_operations.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from cint_nb.api import operations as ops
from cint_nb.api.client import AsyncClient
from cint_nb.domain.errors import BudgetExceeded, CintError, InvalidState, PlanError
from cint_nb.domain.ids import EntityType, synthetic_id
from cint_nb.domain.models import TargetGroupRef
from cint_nb.study.files.respondents import read_respondents
from cint_nb.wave.client import Client
from cint_nb.wave.journal.payloads import APPROVAL
from cint_nb.wave.wave import Wave
from cint_nb.wire.retry_policy import Idempotency
from tests.support.changed_elsewhere import opened, read_truth

ENOUGH, TOO_LITTLE = "900 EUR", "1 EUR"


@dataclass(frozen=True)
class Spending:
    """One call that can spend.

    Args:
        stage: What happened before; `scheduled` is an uploaded wave that is scheduled.
        call: The call, with the resources of a client, the group, its wave, and the keywords to add.
        overfill: Whether the group allows overfill.
        approval_will_do: Whether what was approved for the group will do in place of a budget.
    """

    stage: str
    call: Callable[[Any, TargetGroupRef, Wave, dict[str, Any]], Any]
    overfill: bool = False
    approval_will_do: bool = False


def _others() -> Any:
    return read_respondents([synthetic_id("others", number) for number in range(150)], entity_type=EntityType.RSID)


def _batch(action: str) -> Callable[[Any, TargetGroupRef, Wave, dict[str, Any]], Any]:
    return lambda to, ref, _, more: to.fielding.start_batch(action, ref.project_id, [ref.target_group_id], **more)


def _upload(to: Any, ref: TargetGroupRef, _: Wave, more: dict[str, Any]) -> Any:
    return to.recontacts.upload(ref, _others(), **more)


def _later(wave: Wave) -> Any:
    return wave.plan.end_at + timedelta(days=7)


def _women_and_men() -> Any:
    options = [{"object": "selection", "question_id": 43, "option": option} for option in ("1", "2")]
    targets = [{"conditions": [one], "quota": {"completes_goal_percentage": 50}} for one in options]
    profile = {"object": "regular", "name": "gender", "quotas_enabled": True, "targets": targets}
    return {"profile_adjustment_type": "percentage", "profiles": [profile]}


CALLS: dict[str, Spending] = {
    "fielding.launch": Spending(
        "uploaded", lambda to, ref, wave, more: to.fielding.launch(ref, wave.plan.end_at, **more)
    ),
    "fielding.schedule": Spending(
        "uploaded",
        lambda to, ref, wave, more: to.fielding.schedule(ref, wave.plan.start_at, wave.plan.end_at, **more),
    ),
    "fielding.launch_now": Spending(
        "scheduled", lambda to, ref, _, more: to.fielding.launch_now(ref, **more), approval_will_do=True
    ),
    "fielding.resume": Spending(
        "paused", lambda to, ref, _, more: to.fielding.resume(ref, **more), approval_will_do=True
    ),
    "fielding.relaunch": Spending("completed", lambda to, ref, _, more: to.fielding.relaunch(ref, **more)),
    "fielding.update_run": Spending(
        "live", lambda to, ref, wave, more: to.fielding.update_run(ref, wave.plan.start_at, _later(wave), **more)
    ),
    "fielding.start_batch_launch": Spending("scheduled", _batch("launch"), approval_will_do=True),
    "fielding.start_batch_resume": Spending("paused", _batch("resume"), approval_will_do=True),
    "fielding.start_batch_relaunch": Spending("completed", _batch("relaunch")),
    "target_groups.set_completes_goal": Spending(
        "live", lambda to, ref, _, more: to.target_groups.set_completes_goal(ref, 20, **more)
    ),
    "target_groups.set_cost_per_interview": Spending(
        "live", lambda to, ref, _, more: to.target_groups.set_cost_per_interview(ref, "9 EUR", **more)
    ),
    "profiles.replace": Spending(
        "live", lambda to, ref, _, more: to.profiles.replace(ref, 20, _women_and_men(), **more)
    ),
    "reconciliations.submit": Spending(
        "live", lambda to, ref, _, more: to.reconciliations.submit({synthetic_id("bad", 1): 933}, groups=[ref], **more)
    ),
    "recontacts.upload": Spending("live", _upload, overfill=True, approval_will_do=True),
    "recontacts.upload_rsids": Spending("live", _upload, overfill=True, approval_will_do=True),
}


def _call(client: Client | AsyncClient, name: str, ref: TargetGroupRef, wave: Wave, more: dict[str, Any]) -> Any:
    """Make a call, plain or awaited."""
    made = CALLS[name].call(client, ref, wave, more)
    return client.run(made) if isinstance(client, AsyncClient) else made


class Requests:
    """The requests that changed something, by the names of their operations, as the package's log has them."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self._caplog = caplog

    def sent(self) -> set[str]:
        """Return them, whatever became of them."""
        by_address = {(each.method, each.template): name for name, each in ops.OPERATIONS.items()}
        lines = [re.match(r"(GET|POST|PUT|DELETE) (\S+) ", record.getMessage()) for record in self._caplog.records]
        names = {by_address[found[1], found[2]] for found in lines if found and (found[1], found[2]) in by_address}
        return {name for name in names if ops.OPERATIONS[name].idempotency is not Idempotency.SAFE}


@pytest.fixture
def requests(caplog: pytest.LogCaptureFixture) -> Requests:
    caplog.set_level("INFO", logger="cint_nb")
    return Requests(caplog)


def _ref(client: Client) -> TargetGroupRef:
    """Return the one group of a sandbox."""
    (group,) = client.sandbox.world.groups.values()
    return TargetGroupRef(project_id=group.project_id, target_group_id=group.id)


@contextmanager
def at_stage(name: str, caplog: pytest.LogCaptureFixture) -> Iterator[tuple[Client, Wave, TargetGroupRef]]:
    """Open the group of a call, in a journal that knows neither the wave nor an approval."""
    spending = CALLS[name]
    with opened({"scheduled": "uploaded"}.get(spending.stage, spending.stage), with_journal=False) as (client, wave):
        if spending.stage == "scheduled":
            client.sandbox.inject("scheduled-elsewhere", "now")
        group = next(iter(client.sandbox.world.groups.values()))
        if spending.overfill:
            group.body["fielding_assistant_assignment"]["quota_overlay"]["prevent_overfill"] = False
        if name == "recontacts.upload_rsids":
            client.sandbox.faults.arm("404@recontact_create_upload_respondents_by_file_job*always")
        caplog.clear()
        yield client, wave, _ref(client)


def test_every_operation_that_can_spend_has_a_call_here() -> None:
    assert set(CALLS) == set(ops.SPENDING)


@pytest.mark.sampled
@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("through", ["plain", "aio"])
@pytest.mark.parametrize("budget", [{}, {"budget": TOO_LITTLE}, {"budget": "900 USD"}, {"budget": "a lot"}])
def test_without_a_budget_that_covers_it_nothing_is_sent(
    name: str, through: str, budget: dict[str, str], requests: Requests, caplog: pytest.LogCaptureFixture
) -> None:
    with at_stage(name, caplog) as (client, wave, ref):
        before = read_truth(client.sandbox)
        with pytest.raises((PlanError, BudgetExceeded)) as refused:
            _call(client if through == "plain" else client.aio, name, ref, wave, budget)
        assert "nothing was" in str(refused.value)
        assert requests.sent() == set()
        assert read_truth(client.sandbox) == before
        assert client.aio.spend_guard.approved(ref) is None


@pytest.mark.parametrize("name", CALLS)
def test_within_its_budget_it_is_sent_and_the_approval_is_kept(
    name: str, requests: Requests, caplog: pytest.LogCaptureFixture
) -> None:
    with at_stage(name, caplog) as (client, wave, ref):
        _call(client, name, ref, wave, {"budget": ENOUGH})
        assert name in requests.sent()
        approved = client.aio.spend_guard.approved(ref)
        assert approved is not None
        entry = client.aio.journal.entries(step=APPROVAL)[-1].payload
        assert entry.verb.startswith(f"client.{name.partition('.')[0]}.")
        assert entry.worst_case == str(approved) or approved.value == 900


@pytest.mark.parametrize("name", [name for name, each in CALLS.items() if each.approval_will_do])
def test_what_was_approved_for_the_group_will_do(
    name: str, requests: Requests, caplog: pytest.LogCaptureFixture
) -> None:
    with at_stage(name, caplog) as (client, wave, ref):
        client.aio.run(client.aio.spend_guard.approve(ref, ENOUGH))
        _call(client, name, ref, wave, {})
        assert name in requests.sent()


@pytest.mark.parametrize("name", [name for name, each in CALLS.items() if each.approval_will_do])
def test_what_was_approved_must_cover_what_stands_there_now(
    name: str, requests: Requests, caplog: pytest.LogCaptureFixture
) -> None:
    with at_stage(name, caplog) as (client, wave, ref):
        client.aio.run(client.aio.spend_guard.approve(ref, "900 EUR"))
        group = client.sandbox.world.groups[ref.target_group_id]
        group.body["fielding_assistant_assignment"]["pricing"]["maximum_cpi"] = {"value": "99", "currency_code": "EUR"}
        with pytest.raises(BudgetExceeded, match="approved"):
            _call(client, name, ref, wave, {})
        assert requests.sent() == set()


@pytest.mark.parametrize("name", [name for name, each in CALLS.items() if not each.approval_will_do])
def test_what_was_approved_does_not_replace_a_budget_where_more_is_spent(
    name: str, requests: Requests, caplog: pytest.LogCaptureFixture
) -> None:
    with at_stage(name, caplog) as (client, wave, ref):
        client.aio.run(client.aio.spend_guard.approve(ref, ENOUGH))
        with pytest.raises(PlanError, match="no budget"):
            _call(client, name, ref, wave, {})
        assert requests.sent() == set()


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize("name", CALLS)
def test_the_raw_client_asks_for_nothing_and_says_so(
    name: str, requests: Requests, caplog: pytest.LogCaptureFixture
) -> None:
    assert "no guard on money" in str(AsyncClient.__doc__)
    with at_stage(name, caplog) as (client, wave, ref):
        raw = AsyncClient(client.aio.http, sandbox=client.sandbox)
        _call(raw, name, ref, wave, {})
        assert name in requests.sent()


@pytest.mark.sampled(every=3)
@pytest.mark.parametrize("name", CALLS)
def test_what_bounds_the_cost_must_be_seen(name: str, requests: Requests, caplog: pytest.LogCaptureFixture) -> None:
    with at_stage(name, caplog) as (client, wave, ref):
        client.sandbox.faults.arm("404@get_fielding_assistant_assignment*always")
        with pytest.raises(BudgetExceeded, match=r"nothing that bounds|without bound"):
            _call(client, name, ref, wave, {"budget": ENOUGH})
        assert requests.sent() == set()


# --- what needs no budget --------------------------------------------------------------------------------------------


def _end(days: int) -> Callable[[Client, TargetGroupRef, Wave], Any]:
    def shorten(client: Client, ref: TargetGroupRef, wave: Wave) -> Any:
        run = client.fielding.run(ref)
        assert run is not None
        assert run.start_fielding_at is not None
        assert run.end_fielding_at is not None
        return client.fielding.update_run(ref, run.start_fielding_at, run.end_fielding_at - timedelta(days=days))

    return shorten


CHEAPER: dict[str, tuple[str, Callable[[Client, TargetGroupRef, Wave], Any]]] = {
    "pause": ("live", lambda client, ref, _: client.fielding.pause(ref)),
    "complete": ("live", lambda client, ref, _: client.fielding.complete(ref)),
    "complete a paused one": ("paused", lambda client, ref, _: client.fielding.complete(ref, resume_first=True)),
    "end earlier": ("live", _end(3)),
    "resume a live one": ("live", lambda client, ref, _: client.fielding.resume(ref)),
    "a lower goal": ("live", lambda client, ref, _: client.target_groups.set_completes_goal(ref, 9)),
    "a lower price": ("live", lambda client, ref, _: client.target_groups.set_cost_per_interview(ref, "1 EUR")),
    "pause many": ("live", lambda client, ref, _: _batch("pause")(client, ref, _, {})),
    "complete many": ("live", lambda client, ref, _: _batch("complete")(client, ref, _, {})),
    "upload to a draft": ("drafted", lambda client, ref, wave: client.recontacts.upload(ref, wave.respondents)),
    "upload without overfill": ("live", lambda client, ref, wave: client.recontacts.upload(ref, _others())),
}


@pytest.mark.parametrize("name", CHEAPER)
def test_what_makes_nothing_dearer_needs_no_budget(name: str) -> None:
    stage, call = CHEAPER[name]
    with opened(stage, with_journal=False) as (client, wave):
        call(client, _ref(client), wave)


def test_a_state_that_does_not_allow_it_is_said_before_a_budget_is_asked_for() -> None:
    with opened("uploaded", with_journal=False) as (client, _):
        ref = _ref(client)
        for call in (client.fielding.resume, client.fielding.relaunch, client.fielding.launch_now):
            with pytest.raises(InvalidState, match="draft"):
                call(ref)


# --- batches ---------------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:People of this list are in another open target group")
def test_a_batch_compares_what_all_its_groups_could_cost_together() -> None:
    with opened("paused", with_journal=False) as (client, wave):
        ref = _ref(client)
        later = wave.plan.model_copy(update={"start_at": client.clock.now() + timedelta(hours=1)})
        other = client.wave("Another one", project="Brand tracker", respondents=wave.respondents, plan=later)
        second = other.create()
        other.upload()
        other.launch(budget="40 EUR", unverified=["template", "asked twice"])
        other.pause()
        ids = [ref.target_group_id, second.target_group_id, ref.target_group_id]
        one = read_truth(client.sandbox).groups[0].worst_case()
        assert one is not None
        with pytest.raises(PlanError, match="no budget"):  # one of them has an approval, the other has none
            client.fielding.start_batch("resume", ref.project_id, ids)
        with pytest.raises(BudgetExceeded, match="The 2 target groups could cost"):
            client.fielding.start_batch("resume", ref.project_id, ids, budget=f"{2 * one - 1} EUR")
        assert {group.status for group in read_truth(client.sandbox).groups} == {"paused"}
        client.fielding.start_batch("resume", ref.project_id, ids, budget=f"{2 * one} EUR").wait()
        assert {group.status for group in read_truth(client.sandbox).groups} == {"live"}
        approved = client.aio.spend_guard.approved(ref)
        assert approved is not None
        assert approved.value == one


def test_a_group_that_does_not_exist_counts_for_nothing_in_a_batch() -> None:
    with opened("paused", with_journal=False) as (client, _):
        ref = _ref(client)
        ids = [ref.target_group_id, "01ZZZZZZZZZZZZZZZZZZZZZZZZ"]
        with pytest.raises(BudgetExceeded, match="The target group could cost"):
            client.fielding.start_batch("resume", ref.project_id, ids, budget=TOO_LITTLE)


# --- lost replies ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "kept"), [("drop-reply@{0}*always", True), ("refuse@{0}*always", False), ("invalid@{0}*always", False)]
)
def test_an_approval_is_kept_unless_the_request_had_no_effect(fault: str, kept: bool) -> None:
    with opened("uploaded", with_journal=False) as (client, wave):
        ref = _ref(client)
        client.sandbox.faults.arm(fault.format("launch"))
        with pytest.raises(CintError):
            client.fielding.launch(ref, wave.plan.end_at, budget=ENOUGH)
        assert (client.aio.spend_guard.approved(ref) is not None) is kept


def test_a_launch_by_the_wave_is_approved_before_anything_can_interrupt_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with opened("uploaded", with_journal=True) as (client, wave):
        monkeypatch.setattr("cint_nb.wave.steps.fielding.FieldingSteps._read_back", _killed)
        with pytest.raises(RuntimeError, match="dies here"):
            wave.launch(budget="40 EUR")
        assert read_truth(client.sandbox).groups[0].status == "live"
        assert wave.status()["approved"].item() == 40


async def _killed(*_: Any) -> None:
    raise RuntimeError("the kernel dies here")
