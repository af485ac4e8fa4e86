"""What somebody else changed in a wave's target group: its state as read, against what was done and approved here.

Only what contradicts the journal counts. Without a journal nothing is known of what was done here, and nothing is said.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, Decimal

from cint_nb.domain.errors import CintError
from cint_nb.domain.ids import printable
from cint_nb.domain.plan import Money
from cint_nb.wave.exchange.draft_merge import merge_drafts
from cint_nb.wave.exchange.spending import goal_and_price
from cint_nb.wave.exchange.state import ExchangeState, GroupState
from cint_nb.wave.journal.journal import EntryState, JournalEntry
from cint_nb.wave.journal.payloads import ApprovalPayload, DraftPayload, Payload

PAUSED_ELSEWHERE = "it was paused"
_RELAUNCH = "relaunch"
_PRICE_STEP = Decimal("0.0001")
_LEFT_AS = {"launch": "live", "resume": "live", "pause": "paused", "close": "closed", _RELAUNCH: "live"}
"""How each step leaves a target group, in one word."""
_IS = {
    GroupState.LIVE: "live",
    GroupState.SCHEDULED: "live",
    GroupState.PAUSED: "paused",
    GroupState.COMPLETED: "closed",
}


@printable
@dataclass(frozen=True)
class ChangedElsewhere:
    """What differs from how a target group was left, and what to do.

    Args:
        differences: What differs, each in a few words, with what it was and what it is.
        since: When it was last as it was left: the last step or approval from here.
        code: The line to run next; None where nothing can be done by one.
        advice: What the line does, and what else can be done.
    """

    differences: tuple[str, ...]
    since: datetime
    code: str | None
    advice: str


def changed_elsewhere(
    entries: Sequence[JournalEntry[Payload]],
    state: ExchangeState | None,
    approval: JournalEntry[ApprovalPayload] | None,
    *,
    unrecorded: Collection[str] = (),
) -> ChangedElsewhere | None:
    """Return what somebody else changed in a target group; None where nothing contradicts the journal.

    Args:
        entries: What the journal holds of the wave, oldest first.
        state: The state of its target group, as read.
        approval: The last budget that was approved here for the group.
        unrecorded: Fields of a draft whose true values a recording does not hold: nothing is said of them.
    """
    done = [entry for entry in entries if entry.state is EntryState.DONE]
    if state is None or not done:
        return None
    found = [*_in_draft(done, state, unrecorded), *_in_field(entries, state, approval), *_in_terms(state, approval)]
    if not found:
        return None
    left = [entry.at for entry in (*done, *([approval] if approval else [])) if entry.at <= state.read_at]
    main = next((each for each in found if "approve" in (each[1] or "")), found[0])
    return ChangedElsewhere(tuple(each[0] for each in found), max(left, default=state.read_at), main[1], main[2])


_Found = tuple[str, str | None, str]


def _in_draft(
    done: Sequence[JournalEntry[Payload]], state: ExchangeState, unrecorded: Collection[str]
) -> Iterator[_Found]:
    payload = _own_draft(done)
    if state.group is None or payload is None or payload.body is None:
        return
    found = state.group.model_dump(mode="json", exclude_unset=True)
    merge = merge_drafts(payload.body, found, payload.body, allocations=payload.allocations, unrecorded=unrecorded)
    fields = sorted({*merge.kept, *merge.conflicts})
    if fields:
        yield (
            f"in the draft: {', '.join(fields)}",
            "wave.plan_from_exchange()",
            "returns the plan with what stands there; wave.update(plan) keeps the change, and its overwrite= undoes it",
        )


def _own_draft(entries: Sequence[JournalEntry[Payload]]) -> DraftPayload | None:
    """Return the draft as it was last written from here; None where it was found, or written by nobody."""
    drafts = (each.payload for each in reversed(entries) if isinstance(each.payload, DraftPayload))
    last = next(drafts, None)
    return None if last is None or last.body is None else last


def _in_field(
    entries: Sequence[JournalEntry[Payload]], state: ExchangeState, approval: JournalEntry[ApprovalPayload] | None
) -> Iterator[_Found]:
    now = _IS.get(state.state)
    steps = [entry for entry in entries if entry.step in _LEFT_AS]
    if not steps and _own_draft(entries) is None:
        return  # it was found on the exchange: how it was left is not known here
    if steps and steps[-1].state is not EntryState.DONE:
        return  # whether it took effect is not known, and what stands there may be it
    left = _LEFT_AS[steps[-1].step] if steps else "a draft"
    if approval is not None and _RELAUNCH in approval.payload.verb and (not steps or approval.at >= steps[-1].at):
        left = _LEFT_AS[_RELAUNCH]
    if now is None or left == now or (now == "closed" and _ended_by_itself(state)):
        return
    match now:
        case "paused":
            yield PAUSED_ELSEWHERE, "wave.resume()", "lets people in again"
        case "closed":
            yield "it was closed before its end and its goal", None, state.advice() or "nobody enters any more"
        case _ if left == "a draft":
            said = "lets nobody in until you have looked; wave.approve(budget=…) takes on what stands there"
            yield "it was launched", "wave.pause()", said
        case _:
            yield f"it was {left}, and is live", "wave.pause()", "lets nobody in until you have looked"


def _ended_by_itself(state: ExchangeState) -> bool:
    """Return whether a completed run may have ended by its end or its goal; also where that cannot be seen."""
    progress = state.overview.progress if state.overview else None
    if state.has_ended or progress is None or progress.filling_goal is None:
        return True
    counted = progress.current_prescreens if progress.filling_strategy == "prescreens" else progress.current_completes
    return counted is None or counted >= progress.filling_goal


def _in_terms(state: ExchangeState, approval: JournalEntry[ApprovalPayload] | None) -> Iterator[_Found]:
    if approval is None or not state.is_in_field:
        return
    goal, price = goal_and_price(state)
    then, highest = approval.payload, _approved_price(approval.payload)
    said = []
    if goal is not None and then.completes_goal is not None and goal != then.completes_goal:
        said.append(f"goal {then.completes_goal:,} → {goal:,}")
    if price is not None and highest is not None and price.currency_code == highest.currency_code:
        if price.value > highest.value:
            said.append(f"price up to {highest} → {price}")
        highest = max(highest, price, key=lambda each: each.value)
    if not said:
        return
    budget = Money.parse(then.budget)
    most = None if goal is None or highest is None else goal * highest.value
    if most is None or highest is None or highest.currency_code != budget.currency_code or most > budget.value:
        amount = (
            "…"
            if most is None or highest is None
            else f"{most.quantize(Decimal(1), ROUND_CEILING)} {highest.currency_code}"
        )
        yield (
            ", ".join(said),
            f'wave.approve(budget="{amount}")',
            f"covers the new terms, which {budget} does not; wave.pause() lets nobody in meanwhile",
        )
    else:
        yield ", ".join(said), "wave.status()", f"shows what it has cost; {budget} covers the new terms"


def _approved_price(then: ApprovalPayload) -> Money | None:
    """Return the highest price of a complete that was approved: the cap, or the price where that was above it."""
    cap = Money.parse(then.price_cap) if then.price_cap else None
    worst = _amount(then.worst_case)
    if cap is None or worst is None or not then.completes_goal or worst.currency_code != cap.currency_code:
        return cap
    each = (worst.value / then.completes_goal).quantize(_PRICE_STEP, ROUND_CEILING).normalize()
    return Money(value=max(cap.value, each), currency_code=cap.currency_code)


def _amount(text: str) -> Money | None:
    try:
        return Money.parse(text)
    except CintError:
        return None
