"""Every reply our own description makes possible is read: with all fields, with the least, with unheard-of ones."""

from __future__ import annotations

import jsonschema
import pytest
from pydantic import ConfigDict

from cint_nb.api.operations import BATCH_ACTIONS, OPERATIONS
from cint_nb.domain.models import Amount, ApiModel
from tests.contract.example_transport import UNHEARD_OF, SampleOutcome, lost, outcome_of
from tests.contract.openapi_documents import own
from tests.contract.response_samples import samples
from tests.contract.validator import ContractValidator, HttpCall

SAMPLES = {
    f"{name}: {label}": (name, sample)
    for name, operation in OPERATIONS.items()
    for label, sample in samples(own(), operation).items()
}
READ_FIELD_BY_FIELD = {
    *(name for name in OPERATIONS if name.endswith("_status")),  # a snapshot is made of them
    *("reports.status", "definitions.user_business_unit", "target_groups.allocation_specification"),
    "target_groups.fielding_assistant",
    *("recontacts.upload", "recontacts.upload_rsids", "recontacts.remove_all"),
    *("exclusions.upload", "exclusions.remove_all", "exclusions.set_policies", "exclusions.set_activity"),
    *(
        "recontacts.saved_ids",
        "exclusions.effective_rsids",
        "recontacts.download",
        "reconciliations.download",
        "reports.download",
        "reports.generate",
    ),
    *("target_groups.create_draft", "target_groups.update_draft", "target_groups.set_filling_strategy"),
    "target_groups.set_completes_goal",
    *("profiles.validate", "reconciliations.submit"),
    *("projects.create", "fielding.launch", "fielding.schedule", "fielding.update_run"),
    *(f"fielding.start_batch_{verb}" for verb in BATCH_ACTIONS),
    *("fielding.pause", "fielding.resume", "fielding.launch_now", "fielding.complete", "fielding.relaunch"),
}
"""Replies without a model: an id, a number, a file, plain ids, nothing, a job's state, a run that is read again."""


def test_the_samples_are_what_the_description_allows() -> None:
    for name, sample in SAMPLES.values():
        content = own().successes(OPERATIONS[name])[str(sample.status)].get("content", {})
        if sample.body is not None:
            schema = {**content["application/json"]["schema"], "components": own().document["components"]}
            jsonschema.validate(sample.body, schema, format_checker=jsonschema.FormatChecker())


@pytest.fixture(scope="module")
def outcomes() -> dict[str, SampleOutcome]:
    return {which: outcome_of(own(), name, sample) for which, (name, sample) in SAMPLES.items()}


def test_every_sample_is_read_and_nothing_of_it_is_lost(outcomes: dict[str, SampleOutcome]) -> None:
    assert [which for which, one in outcomes.items() if SAMPLES[which][0] not in one.sent] == []
    assert {which: wrong for which, one in outcomes.items() if (wrong := one.wrong())} == {}


def test_every_reply_has_its_model_but_for_those_without_anything_to_keep(outcomes: dict[str, SampleOutcome]) -> None:
    modelled = {
        SAMPLES[which][0]
        for which, one in outcomes.items()
        if any(UNHEARD_OF.keys() <= given.keys() for given, _ in one.read)
    }
    assert set(OPERATIONS) - modelled == READ_FIELD_BY_FIELD


def test_every_request_for_them_is_as_we_describe_it(outcomes: dict[str, SampleOutcome]) -> None:
    validator = ContractValidator(own())
    sent = [
        HttpCall(OPERATIONS[name], request)
        for one in outcomes.values()
        for name, request in zip(one.sent, one.requests, strict=True)
    ]
    assert any(b"start_after" in call.request.url.query for call in sent)
    different = {call.key: call for call in sent}.values()
    assert {row: words for call in different for row, words in validator.differences(call).items()} == {}


def test_what_is_lost_is_noticed() -> None:
    class Strict(ApiModel):
        model_config = ConfigDict(extra="ignore")

        inner: Amount | None = None

    given = {"gone": 1, "empty": None, "inner": {"value": "1", "more": 2}}
    assert list(lost(given, Strict.model_validate(given))) == ["gone"]
