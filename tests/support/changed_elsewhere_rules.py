"""What must be so after a cell of the matrix *changed elsewhere × verb*, judged by the world alone.

The rules know the exchange's states and the analyst's plan; of the package they know only what a verb promises.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

from cint_nb.domain.errors import CintError
from cint_nb.sandbox.draft_edits import DRAFT_EDITS
from tests.support.changed_elsewhere import (
    BUDGET,
    GOAL,
    KEYS,
    NOTHING,
    UPDATED,
    Cell,
    End,
    Group,
    Truth,
    stage,
)

LABELS = frozenset(
    {
        "name",
        "project_manager_id",
        "industry_code",
        "test_url",
        "client_id",
        "client_cost_per_interview_note",
        "target_group_customer_reference_number",
        "start_at",
        "end_at",
    }
)
"""Fields of a draft that keep no launch: those that change nothing about the fieldwork, and dates, which a launch
carries itself."""
CHANGE_NOTHING_OF_THE_PLAN = (
    NOTHING,
    "group-renamed",
    "project-renamed",
    "people-added",
    "list-emptied",
    "list-swapped",
)
"""Without the journal, every other change is one on both sides: the analyst has to decide."""
WORDS = {
    "goal-raised": ("goal",),
    "price-raised": ("price", "cost"),
    "people-added": ("people", "respondents", "ids", "list"),
    "list-emptied": ("saved", "respondents", "removed", "upload"),
    "list-swapped": ("people", "respondents", "ids", "list", "saved"),
    "group-renamed": ("name",),
    "project-renamed": ("project", "no target group"),
    "group-deleted": ("no longer", "no target group", "not found"),
    "group-archived": ("archived", "completed"),
    "second-machine": ("already running",),
}
"""Of which one must be said by an error that only a change has caused; for others, the field or the state."""


def violations(end: End, control: End) -> Iterator[str]:
    """Return every rule that the end of a cell breaks.

    Args:
        end: The end.
        control: The end of the same cell with nothing changed.
    """
    verb, error = end.cell.verb, end.error
    before, after = end.before, end.after
    if error is not None:
        yield from _judge_error(end, control)
    elif verb == "status":
        yield from _judge_status(end)
    elif verb == "outcome":
        yield from _judge_outcome(end)
    elif verb == "launch":
        yield from _judge_launch(end)
    elif verb == "check":
        yield from _judge_check(end)
    yield from _judge_done(end)
    if error is not None and must_succeed(end.cell, before):
        yield f"refused although it makes sense: {_said(error)}"
    if verb == "remove":
        yield from (
            "people of a group in the field were removed"
            for then, now in zip(before.groups, after.groups, strict=False)
            if then.in_field and then.saved != now.saved
        )
    yield from _judge_twice(end)
    yield from _judge_money(end)
    yield from _judge_warnings(end)


# --- rules -----------------------------------------------------------------------------------------------------------


def _judge_error(end: End, control: End) -> Iterator[str]:
    error = end.error
    if not isinstance(error, CintError):
        yield f"no error of ours: {type(error).__name__}: {error}"
        return
    if not error.next_step:
        yield f"no next step: {_said(error)}"
    if end.cell.change != "second-machine" and _state(end.before) != _state(end.after):
        yield f"refused, and something was changed: {_said(error)}"
    begins_anew = end.cell.verb == "create" and end.before.group is None
    if control.error is None and not begins_anew and not any(word in str(error).lower() for word in _words(end)):
        yield f"the error does not say what changed: {error}"


def _judge_status(end: End) -> Iterator[str]:
    group = _of_wave(end)
    if group is None:
        yield "a status of nothing"
        return
    row = end.value.iloc[0]
    shown = (row["state"], int(row["goal"]), int(row["saved"]))
    if shown != (group.status, group.goal, len(group.saved)):
        yield f"status shows {shown}, true is {(group.status, group.goal, len(group.saved))}"


def _judge_check(end: End) -> Iterator[str]:
    """A check for the launch lets pass what a launch may do, and nothing else."""
    group = _of_wave(end)
    launchable = (
        group is not None and group.status == "draft" and must_succeed(replace(end.cell, verb="launch"), end.before)
    )
    passed = not [finding for finding in end.value.blocking if finding.rule != "draft-not-shown"]
    if group is not None and not identity_is_lost(end.cell) and group.status != "archived" and passed != launchable:
        yield f"the check for a launch says {end.value.rules()}; that it may be launched is {launchable}"


def _judge_outcome(end: End) -> Iterator[str]:
    group, counts = _of_wave(end), end.value.counts
    saved = 0 if group is None else len(group.saved & KEYS())
    if counts.get("saved", 0) + counts.get("already_saved", 0) != saved:
        yield f"the outcome says {counts}, {saved} are saved"
    started = len(stage(end.cell.stage).world.groups)
    if counts.get("rejected", 0) > 4 and started:
        yield f"people who were removed are shown as rejected: {counts}"


def _judge_launch(end: End) -> Iterator[str]:
    then, now = _of_wave(end, end.before), _of_wave(end)
    if then is None or now is None:
        yield "launched nothing"
        return
    if not now.in_field and not _warned(end, now.status):
        yield f"done, and the group is {now.status}"
    if not then.in_field and now.in_field:
        if field := _edited_field(end.cell):
            if field not in LABELS:
                yield f"launched although {field} is not the plan's"
        elif then.goal != GOAL or then.price != _plan_price():
            yield "launched although goal or price are not the plan's"
        if then.strangers:
            yield f"launched with {then.strangers} strangers"
    worst = now.worst_case()
    if now.in_field and (worst is None or worst > BUDGET) and not _warned(end, "cost"):
        yield f"in the field for up to {worst}, and nobody was warned"


def _judge_done(end: End) -> Iterator[str]:
    """Whatever says done is done."""
    now, verb = _of_wave(end), end.cell.verb
    if end.error is not None or end.cell.change == "group-deleted" or identity_is_lost(end.cell):
        return
    if verb == "create" and (now is None or end.value.target_group_id != now.id):
        yield "done, and there is no such group"
    if now is None:
        return
    if verb in DONE and not DONE[verb](now):
        yield f"done, and it is not: {now.status}, goal {now.goal}, price {now.price}, {len(now.saved)} saved"
    if verb == "update":
        yield from _judge_kept(end, now)
    if verb == "extend" and now.run_end == stage(end.cell.stage).world.parse_time(_end_of_plan(end.cell)):
        yield "done, and the end is the old one"


def _judge_kept(end: End, now: Group) -> Iterator[str]:
    then = _of_wave(end, end.before)
    if then is None:
        return
    left, kept = (_comparable(body) for body in (then.draft, now.draft))
    different = [name for name in left.keys() | kept.keys() if left.get(name) != kept.get(name)]
    if different:
        yield f"the update changed what the plan left as it was: {', '.join(sorted(different))}"


def _comparable(draft: dict[str, Any]) -> dict[str, Any]:
    """Return a draft without what is updated and what no read shows, its values as text in one form."""
    hidden = (UPDATED, "allocations", "allocation_template", "filling_strategy")
    return {
        name: json.dumps(value).replace(".000Z", "Z").strip('"') for name, value in draft.items() if name not in hidden
    }


def _judge_twice(end: End) -> Iterator[str]:
    filled = [group for group in end.after.groups if group.saved & KEYS()]
    if len(filled) > 1:
        yield "two groups are filled"
    started = [job for group in end.after.groups for job in group.jobs if job[0] in ("launch", "schedule")]
    if len(started) > 1:
        yield "two launches"
    names = [name for group in end.after.groups for name in group.uploads if name.startswith("cint-nb-")]
    if len(names) != len(set(names)) and end.cell.change != "second-machine":
        yield "the same list was uploaded twice"
    machines = 2 if end.cell.change == "second-machine" else 1  # nothing prevents that each creates a draft
    if len(end.after.groups) > len(end.before.groups) + machines:
        yield "more groups were created than machines"
    if len(end.after.groups) > len(end.before.groups) + 1 and not _warned(end, end.after.groups[-1].id):
        yield "a second draft is left, and nobody was told"
    if identity_is_lost(end.cell) and end.before.groups and len(end.after.groups) > len(end.before.groups):
        yield "a second group was created for people who have one"
    if (
        end.cell.verb != "create"
        and end.cell.change != "second-machine"
        and len(end.after.groups) > len(end.before.groups)
    ):
        yield f"{end.cell.verb} created a group"


def _judge_money(end: End) -> Iterator[str]:
    then, now = _of_wave(end, end.before), _of_wave(end)
    if then is None or now is None or end.cell.verb not in ("raise_goal", "set_price", "extend", "relaunch", "resume"):
        return
    if end.cell.verb == "resume":
        yield from _judge_resumption(end, then, now)
        return
    if end.error is not None or end.cell.change == "second-machine":
        return
    worst = now.worst_case()
    if worst is None or worst > BUDGET:
        yield f"made it possible to spend {worst} with a budget of {BUDGET}"


def _judge_resumption(end: End, then: Group, now: Group) -> Iterator[str]:
    """Money flows again as far as it was approved, and whatever somebody changed is said."""
    if (then.status, now.status) != ("paused", "live"):
        return
    worst = now.worst_case()
    if end.cell.with_journal and (worst is None or worst > BUDGET):
        yield f"resumed, and it can cost {worst}; {BUDGET} was approved"
    as_approved = (now.goal, now.price) == (GOAL, _plan_price())
    if not as_approved and not _warned(end, f"goal {now.goal}"):
        yield f"resumed with goal {now.goal} and price {now.price}, and nobody was told"


def _judge_warnings(end: End) -> Iterator[str]:
    if end.cell.change == NOTHING:
        unexpected = [
            text
            for text in end.warnings
            if not (_is_about_the_journal(end.cell, text) or _says_what_comes_next(end.cell, text))
        ]
        if unexpected:
            yield f"warned although nothing was changed: {unexpected}"


def _says_what_comes_next(cell: Cell, text: str) -> bool:
    return cell.verb == "raise_goal" and cell.stage == "completed" and "nobody can enter" in text


def _is_about_the_journal(cell: Cell, text: str) -> bool:
    if cell.with_journal:
        # Run again after its end, a launch says where the wave stands.
        return cell.verb == "launch" and cell.stage in ("paused", "completed") and cell.stage in text
    return (
        "This journal did not create it" in text
        or (cell.verb == "launch" and "journal that is lost" in text)
        or (cell.verb == "resume" and "This journal holds no approval" in text)
    )


# --- what must succeed -----------------------------------------------------------------------------------------------


def identity_is_lost(cell: Cell) -> bool:
    """Return whether the group is only found by a search: without a journal, its mark or its project's name is gone."""
    return not cell.with_journal and cell.change in (
        "project-renamed",
        "field-edited:target_group_customer_reference_number",
    )


def must_succeed(cell: Cell, before: Truth) -> bool:
    """Return whether a verb makes sense in this state of the world, so that it may not be refused."""
    group = before.group
    if group is None or cell.stage == "new":
        return cell.verb in ("create", "check") and not before.groups and (cell.stage == "new")
    if identity_is_lost(cell):
        return False
    if group.status == "archived":
        return cell.verb == "status"
    if cell.change == "second-machine" and cell.verb == "remove":
        return False  # no list shows the removal that runs
    return MAKES_SENSE[cell.verb](cell, group)


def _affordable(group: Group, *, goal: int | None = None, price: Decimal | None = None) -> bool:
    worst = group.worst_case(goal=goal, price=price)
    return worst is not None and worst <= BUDGET


def _may_upload(cell: Cell, group: Group) -> bool:
    explained = not group.strangers and all(_is_ours(name) for name in group.uploads)
    return explained and _edited_field(cell) != "study_type_code"


def _has_outcome(_: Cell, group: Group) -> bool:
    return not group.strangers and bool(group.saved) and bool(group.uploads) and all(map(_is_ours, group.uploads))


def _may_resubmit(cell: Cell, group: Group) -> bool:
    lagging = cell.change.startswith("replica-lags")
    return _has_outcome(cell, group) and not lagging and _edited_field(cell) != "study_type_code"


def _may_update(cell: Cell, group: Group) -> bool:
    known = cell.with_journal or cell.change in CHANGE_NOTHING_OF_THE_PLAN
    return group.status == "draft" and known and not _other_value(cell)


def _may_launch(cell: Cell, group: Group) -> bool:
    if group.status in ("live", "scheduled"):
        return _affordable(group)
    as_planned = (group.goal, group.price) == (GOAL, _plan_price()) and (_edited_field(cell) or "name") in LABELS
    return group.status == "draft" and len(group.saved) >= GOAL and _may_upload(cell, group) and as_planned


def _can_continue(group: Group) -> bool:
    return group.goal_count < group.goal and bool(group.saved)  # a recontact that holds nobody is refused


MAKES_SENSE: dict[str, Callable[[Cell, Group], bool]] = {
    "create": lambda cell, group: True,
    "check": lambda cell, group: True,
    "upload": _may_upload,
    "outcome": _has_outcome,
    "resubmit": _may_resubmit,
    "lower_goal": lambda cell, group: group.status == "draft" and len(group.saved) >= 5,
    "update": _may_update,
    "launch": _may_launch,
    "status": lambda cell, group: True,
    "pause": lambda cell, group: group.status in ("live", "paused"),
    "resume": lambda cell, group: (
        group.status == "live"
        or (group.status == "paused" and _can_continue(group) and (_affordable(group) or not cell.with_journal))
    ),
    "close": lambda cell, group: group.status in ("live", "scheduled", "completed"),
    "raise_goal": lambda cell, group: (
        group.in_field and group.goal < 12 <= len(group.saved) and _affordable(group, goal=12)
    ),
    "set_price": lambda cell, group: group.in_field and _affordable(group, price=Decimal(3)),
    "extend": lambda cell, group: group.in_field and _affordable(group),
    "relaunch": lambda cell, group: group.status == "completed" and _can_continue(group) and _affordable(group),
    "remove": lambda cell, group: not group.in_field,
}
"""When each verb makes sense for a group that exists, is not archived, and can be recognised."""
DONE: dict[str, Callable[[Group], bool]] = {
    "upload": lambda group: bool(group.saved),
    "resubmit": lambda group: len(group.saved & KEYS()) == 29,
    "lower_goal": lambda group: group.goal == 5,
    "update": lambda group: group.draft[UPDATED] == 0.7,
    "pause": lambda group: group.status == "paused",
    "resume": lambda group: group.status == "live",
    "close": lambda group: group.status in ("completed", "archived"),
    "raise_goal": lambda group: group.goal == 12,
    "set_price": lambda group: group.price == 3,
    "relaunch": lambda group: group.status == "live",
    "remove": lambda group: not group.saved,
}
"""What is so in the world after a verb that did not raise."""


def _is_ours(name: str) -> bool:
    return name.startswith("cint-nb-")


def _other_value(cell: Cell) -> bool:
    """Return whether the change is of the field that `update` changes too, or one no plan can hold."""
    return _edited_field(cell) in (UPDATED, "study_type_code", "pricing_model", "allocations")


# --- inside ----------------------------------------------------------------------------------------------------------


def _edited_field(cell: Cell) -> str | None:
    name, _, argument = cell.change.partition(":")
    return argument if name == "field-edited" else None


def _of_wave(end: End, truth: Truth | None = None) -> Group | None:
    truth = end.after if truth is None else truth
    known = {group.id for group in end.before.groups}
    return next((group for group in truth.groups if group.id in known or not known), None)


def _state(truth: Truth) -> object:
    return truth.projects, truth.groups


def _plan_price() -> Decimal:
    price = stage("new").plan.cost_per_interview
    assert price is not None
    return price.value


def _end_of_plan(cell: Cell) -> str:
    return str(stage(cell.stage).plan.to_body()["fielding_specification"]["end_at"])


def _words(end: End) -> tuple[str, ...]:
    name, _, argument = end.cell.change.partition(":")
    group = end.before.group
    states = (group.status,) if group else ("no longer", "no target group")
    if name == "field-edited":
        leaf = DRAFT_EDITS[argument].path[-1]  # type: ignore[index]
        words = {
            "completes_goal": ("goal",),
            "cost_per_interview": ("price",),
            "target_group_customer_reference_number": ("not created as this wave",),
        }
        return (*states, argument, leaf, argument.replace("_", " "), *words.get(argument, ()))
    return (*states, *WORDS.get(name, ()))


def _warned(end: End, word: str) -> bool:
    return any(word in text for text in end.warnings)


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
