"""The table of operations: complete, consistent with its own rules, and the only place that names URLs."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import cint_nb.api
from cint_nb.api import operations as ops
from cint_nb.domain.jobs import JobKind
from cint_nb.wire.retry_policy import Idempotency
from tests.support.sources import parsed

ROOM = Path(cint_nb.api.__file__).parent
NON_IDEMPOTENT = {
    "target_groups.create_draft",
    "recontacts.upload",
    "recontacts.upload_rsids",
    "recontacts.remove_all",
    "exclusions.upload",
    "exclusions.remove_all",
    "profiles.replace",
    "reports.generate",
    "reconciliations.submit",
}
KEYED = {"projects.create", "fielding.launch", "fielding.schedule"} | {
    f"fielding.start_batch_{verb}" for verb in ops.BATCH_ACTIONS
}
CONDITIONAL = {f"fielding.{name}" for name in ("update_run", "launch_now", "pause", "resume", "complete", "relaunch")}
IDEMPOTENT = {
    "target_groups.update_draft",
    "target_groups.update_details",
    "target_groups.set_cost_per_interview",
    "target_groups.set_filling_strategy",
    "target_groups.set_completes_goal",
    "exclusions.set_policies",
    "exclusions.set_activity",
}
SPENDS_NOTHING = {
    "projects.create": "a project costs nothing",
    "target_groups.create_draft": "a draft costs nothing; its launch asks",
    "target_groups.update_draft": "a draft costs nothing; its launch asks",
    "target_groups.update_details": "length and incidence change the price of a rate card up to the price cap only",
    "target_groups.set_filling_strategy": "the goal bounds the completes whatever is counted toward it",
    "recontacts.remove_all": "nobody can enter who could not before",
    "exclusions.upload": "nobody can enter who could not before",
    "exclusions.remove_all": "the goal bounds the completes whoever may enter",
    "exclusions.set_policies": "the goal bounds the completes whoever may enter",
    "exclusions.set_activity": "the goal bounds the completes whoever may enter",
    "fielding.pause": "nobody can enter any longer",
    "fielding.complete": "nobody can enter any longer",
    "fielding.start_batch_pause": "nobody can enter any longer",
    "fielding.start_batch_complete": "nobody can enter any longer",
    "reports.generate": "a report costs nothing",
}
"""Operations that change something and can spend nothing, and why."""


def named(idempotency: Idempotency) -> set[str]:
    return {name for name, operation in ops.OPERATIONS.items() if operation.idempotency is idempotency}


def test_exactly_these_operations_have_no_protection_against_being_sent_twice() -> None:
    assert named(Idempotency.NON_IDEMPOTENT) == NON_IDEMPOTENT


def test_exactly_these_operations_carry_an_idempotency_key() -> None:
    assert named(Idempotency.KEYED) == KEYED


def test_exactly_these_operations_name_the_version_they_change() -> None:
    assert named(Idempotency.CONDITIONAL) == CONDITIONAL


def test_exactly_these_operations_set_a_value_outright() -> None:
    assert named(Idempotency.IDEMPOTENT) == IDEMPOTENT
    assert {ops.OPERATIONS[name].method for name in IDEMPOTENT} == {"PUT"}


def test_every_operation_that_changes_something_can_spend_or_it_is_said_why_not() -> None:
    changing = set(ops.OPERATIONS) - named(Idempotency.SAFE)
    assert set(ops.SPENDING) | set(SPENDS_NOTHING) == changing
    assert not set(ops.SPENDING) & set(SPENDS_NOTHING)


COMPUTING = (
    "calculate-feasibility",
    "compute-target-group-transitions",
    "generate-price-prediction",
    "profiles/validate",
)


def test_every_operation_is_well_formed() -> None:
    for operation in ops.OPERATIONS.values():
        assert re.fullmatch(r"(/[a-z-]+|/\{[a-z_]+\})+", operation.template), operation
        assert operation.description[0].islower(), operation
        assert not operation.description.endswith("."), operation
        computing = operation.template.endswith(COMPUTING)
        is_safe = operation.idempotency is Idempotency.SAFE
        assert is_safe if operation.method == "GET" else not is_safe or computing, operation


def test_no_two_operations_share_method_and_address() -> None:
    addresses = [(operation.method, operation.template) for operation in ops.OPERATIONS.values()]
    assert len(set(addresses)) == len(addresses)


def test_every_kind_of_job_can_be_looked_at() -> None:
    assert set(ops.STATUS_OPERATIONS) == set(JobKind)


def test_addresses_are_named_in_the_table_only() -> None:
    strays = {}
    for path in ROOM.rglob("*.py"):
        if path.name == "operations.py":
            continue
        texts = [
            node.value
            for node in ast.walk(parsed(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and "\n" not in node.value
        ]
        if found := [text for text in texts if re.match(r"/(demand|accounts|locales|industries|study-types)", text)]:
            strays[path.name] = found
    assert strays == {}


@pytest.mark.thorough
def test_every_operation_is_used_by_the_client() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in ROOM.rglob("*.py"))
    constants = {name for name, value in vars(ops).items() if isinstance(value, ops.Operation)}
    assert {name for name in constants if len(re.findall(rf"\b{name}\b", code)) < 2} == set()


@pytest.mark.parametrize("end", ["/projects/{project_id}", "/fielding-assistant-assignment"])
def test_what_a_change_would_replace_as_a_whole_is_only_read(end: str) -> None:
    """A project loses a reference that is left out, a fielding assistant every module: there is no verb for either."""
    methods = {operation.method for operation in ops.OPERATIONS.values() if operation.template.endswith(end)}
    assert methods == {"GET"}


def test_the_list_of_approved_completes_is_not_offered() -> None:
    """It would terminate every complete of the project that it does not name."""
    assert not [name for name, each in ops.OPERATIONS.items() if "reconciliations/completes" in each.template]
