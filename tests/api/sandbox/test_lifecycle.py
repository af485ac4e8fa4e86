"""Definitions, projects, drafts and recontacts against the sandbox."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, TypeVar

import pytest

from cint_nb.api.client import AsyncClient
from cint_nb.domain import limits
from cint_nb.domain.errors import BadRequest, InputError, NotFound, RespondentFileError
from cint_nb.domain.files import UploadFile
from cint_nb.domain.ids import EntityType, synthetic_id
from cint_nb.domain.jobs import JobState
from cint_nb.domain.models import TargetGroupRef
from cint_nb.domain.plan import TargetGroupPlan
from tests.support.uploads import upload_file

T = TypeVar("T")
MANAGER = "b551326b-ac9d-4d32-8823-4f025787dab9"


def every(client: AsyncClient, rows: AsyncIterator[T]) -> list[T]:
    async def collect() -> list[T]:
        return [row async for row in rows]

    return client.run(collect())


def test_what_a_draft_needs_can_be_looked_up(client: AsyncClient) -> None:
    definitions = client.definitions
    assert 101 in [account.id for account in client.run(definitions.accounts())]
    assert MANAGER in [user.id for user in client.run(definitions.users(project_managers=True))]
    assert (1234, "EUR") in [(unit.id, unit.currency_code) for unit in client.run(definitions.business_units())]
    assert client.run(definitions.user_business_unit(MANAGER)) == 1234
    assert "ger_de" in [code for locale in client.run(definitions.locales()) for code in locale.codes()]
    assert "recontact" in [kind.code for kind in client.run(definitions.study_types())]
    assert "other" in [kind.code for kind in client.run(definitions.industries())]


def test_the_recontact_template_is_listed_and_can_be_expanded(client: AsyncClient) -> None:
    listed = client.run(client.definitions.allocation_templates())
    assert limits.RECONTACT_TEMPLATE_ID in [template.template_id for template in listed]
    template = client.run(client.definitions.allocation_template(limits.RECONTACT_TEMPLATE_ID))
    assert template.supply_allocations
    assert set(template.to_open_exchange_allocations()) == {
        "blocked_supplier_ids",
        "exchange_min_percentage",
        "exchange_max_percentage",
        "groups",
    }


def test_definitions_are_read_once(client: AsyncClient) -> None:
    client.run(client.definitions.locales())
    before = client.requests_sent
    client.run(client.definitions.locales())
    assert client.requests_sent == before


def test_an_e_mail_address_shows_in_no_repr(client: AsyncClient) -> None:
    assert "@" not in repr(client.run(client.definitions.users()))


def test_a_project_is_listed_and_has_an_overview(client: AsyncClient, project: str) -> None:
    assert project in [row.id for row in every(client, client.projects.list())]
    shown = client.run(client.projects.overview(project))
    assert (shown.id, shown.project_customer_reference_number) == (project, "tracker-2026")


def test_the_same_idempotency_key_gives_the_same_project(client: AsyncClient) -> None:
    key = client.token_factory.uuid()
    first = client.run(client.projects.create("Brand tracker", MANAGER, idempotency_key=key))
    assert client.run(client.projects.create("Brand tracker", MANAGER, idempotency_key=key)).id == first.id


def test_a_draft_reads_back_as_it_was_planned(client: AsyncClient, ref: TargetGroupRef, plan: TargetGroupPlan) -> None:
    shown = client.run(client.target_groups.get(ref))
    assert (shown.id, shown.launched, shown.completes_goal) == (ref.target_group_id, False, 100)
    assert shown.target_group_customer_reference_number == "wave-2"
    assert (shown.exclusion or {})["enabled"] is False
    assert shown.live_url == plan.live_url


def test_an_updated_draft_keeps_its_reference_and_name(
    client: AsyncClient, ref: TargetGroupRef, plan: TargetGroupPlan
) -> None:
    client.run(client.target_groups.update_draft(ref, plan.model_copy(update={"completes_goal": 70})))
    shown = client.run(client.target_groups.get(ref))
    assert (shown.completes_goal, shown.name) == (70, "Wave two")
    assert client.run(client.target_groups.find(ref.project_id, "wave-2")) == ref


def test_the_list_of_groups_filters(client: AsyncClient, ref: TargetGroupRef, plan: TargetGroupPlan) -> None:
    other = client.run(client.target_groups.create_draft(ref.project_id, plan, name="Wave 3", reference="wave-3"))
    groups = client.target_groups
    assert {row.id for row in every(client, groups.list(ref.project_id))} == {
        ref.target_group_id,
        other.target_group_id,
    }
    only = every(client, groups.list(ref.project_id, references=["wave-3"], statuses=["draft"]))
    assert [row.id for row in only] == [other.target_group_id]
    assert every(client, groups.list(ref.project_id, statuses=["live"])) == []


def test_a_draft_has_no_overview_and_the_error_says_why(client: AsyncClient, ref: TargetGroupRef) -> None:
    with pytest.raises(NotFound, match="launch it first"):
        client.run(client.target_groups.overview(ref))


def test_a_forecast_for_a_draft_and_for_a_group(
    client: AsyncClient, ref: TargetGroupRef, plan: TargetGroupPlan
) -> None:
    body = plan.model_copy(update={"allocation_format": "template_id"}).to_body(name="Wave two")
    body.pop("allocations")
    assert client.run(client.target_groups.feasibility(body)).suggested_price is not None
    of_group = client.run(client.target_groups.group_feasibility(ref, {"completes_goal": 50}))
    assert of_group.suggested_price is not None


def test_a_mistake_in_a_draft_is_named_in_our_words(client: AsyncClient, project: str, plan: TargetGroupPlan) -> None:
    past = plan.model_copy(update={"end_at": client.clock.now() - timedelta(days=1)})
    with pytest.raises(BadRequest) as caught:
        client.run(client.target_groups.create_draft(project, past, name="Wave two", reference="too-late"))
    assert "end_at" in dict(caught.value.invalid_params)


def test_saved_ids_are_those_sent_less_those_rejected(client: AsyncClient, group_with_ids: TargetGroupRef) -> None:
    sent = {synthetic_id("life", number) for number in range(1_000)}
    saved = client.run(client.recontacts.saved_ids(group_with_ids))
    assert set(saved) < sent
    assert len(saved) == len(set(saved)) == client.run(client.recontacts.saved_count(group_with_ids))


def test_an_upload_is_listed_found_and_downloaded_as_it_was_sent(
    client: AsyncClient, group_with_ids: TargetGroupRef
) -> None:
    (listed,) = client.run(client.recontacts.jobs(group_with_ids))
    assert listed.state is JobState.DONE
    assert listed.file_name is not None
    found = client.run(client.recontacts.find_job(group_with_ids, listed.file_name))
    assert found is not None
    assert found.wait().state is JobState.PARTIAL
    name, content = client.run(client.recontacts.download(group_with_ids, listed.job_id))
    assert (name, content) == (listed.file_name, upload_file(1_000, seed="life").content)
    assert client.run(client.recontacts.find_job(group_with_ids, "another.csv")) is None
    assert client.run(client.recontacts.running_job(group_with_ids)) is None


@pytest.mark.parametrize(
    ("upload", "why"),
    [
        (UploadFile(b"", 0, EntityType.RSID), "No usable IDs"),
        (UploadFile(b"x\n", 100_001, EntityType.RSID), "more than one target group"),
        (UploadFile(b"x" * 5_000_000, 1, EntityType.RSID), "must have fewer than"),
    ],
)
def test_what_cannot_be_uploaded_is_refused_before_anything_is_sent(
    client: AsyncClient, ref: TargetGroupRef, upload: UploadFile, why: str
) -> None:
    before = client.requests_sent
    with pytest.raises(RespondentFileError, match=why):
        client.run(client.recontacts.upload(ref, upload))
    assert client.requests_sent == before


@pytest.mark.parametrize("thing", ["wave1.csv", ["an id"]])
def test_a_path_or_a_bare_list_is_refused_with_what_reads_it(
    client: AsyncClient, ref: TargetGroupRef, thing: Any
) -> None:
    before = client.requests_sent
    with pytest.raises(InputError, match="read_respondents"):
        client.run(client.recontacts.upload(ref, thing))
    assert client.requests_sent == before


def test_an_upload_is_measured_while_it_runs(client: AsyncClient, ref: TargetGroupRef) -> None:
    job = client.run(client.recontacts.upload(ref, upload_file(5_000, seed="life")))
    seen = every(client, job.watch())
    assert any(snapshot.is_measured for snapshot in seen[:-1])
    assert [snapshot.fraction[0] for snapshot in seen] == sorted(snapshot.fraction[0] for snapshot in seen)


def test_one_client_serves_plain_code_and_other_loops_at_once(client: AsyncClient, ref: TargetGroupRef) -> None:
    async def several() -> list[Any]:
        reads = [client.recontacts.saved_count(ref) for _ in range(5)]
        return list(await asyncio.gather(*reads, client.target_groups.get(ref)))

    assert asyncio.run(several())[:5] == [0] * 5
    assert client.run(several())[:5] == [0] * 5


def test_an_upload_is_taken_up_by_its_id_alone(client: AsyncClient, group_with_ids: TargetGroupRef) -> None:
    (listed,) = client.run(client.recontacts.jobs(group_with_ids))
    before = client.requests_sent
    job = client.recontacts.job(group_with_ids, listed.job_id, ids=1_000)
    assert client.requests_sent == before
    ended = job.wait()
    assert ended.state is JobState.PARTIAL
    assert ended.elapsed_seconds > 30


def test_a_group_that_does_not_exist_is_at_neither_address(client: AsyncClient, ref: TargetGroupRef) -> None:
    nobody = ref.model_copy(update={"target_group_id": "01JX2X0N5RTR012AYDTA83QWTW"})
    with pytest.raises(NotFound):
        client.run(client.target_groups.get(nobody))
