"""The examples of the vendor's document are read, those included that break its own schemas."""

from __future__ import annotations

import pytest

from cint_nb.api.operations import OPERATIONS
from tests.contract.deviations import KNOWN
from tests.contract.example_transport import SampleOutcome, outcome_of
from tests.contract.openapi_documents import vendor
from tests.contract.response_samples import samples
from tests.contract.validator import ContractValidator, HttpCall

SAMPLES = {
    f"{name}: {label}": (name, sample)
    for name, operation in OPERATIONS.items()
    for label, sample in samples(vendor(), operation).items()
}
_LISTS = {
    **{f"definitions.{name}": name for name in ("accounts", "users", "business_units", "locales", "industries")},
    "definitions.study_types": "study_types",
    "definitions.suppliers": "suppliers",
    "target_groups.changelog": "changelog",
    "reconciliations.list": "reconciliation_requests",
    "reconciliations.target_groups": "target_groups",
    "reconciliations.eligible_target_groups": "target_groups",
    "reconciliations.reason_codes": "reconciliation_reasons",
    "recontacts.saved_ids": "'data'",
    "exclusions.effective_rsids": "data",
    "exclusions.activity": "respondent_activity_exclusions",
}
SAYS_TOO_LITTLE = {
    "projects.create: 202 least fields": "UnexpectedReply",  # not even the id of what was created is required
    "reconciliations.submit: 202 least fields": "OutcomeUnknown",
    "reconciliations.get: 200 least fields": "is missing",
    "reconciliations.target_group: 200 least fields": "target_group_id is missing",
    "prices.rate_card: 200 least fields": "rate_card_data.length_of_interview_minutes is missing",
    "prices.target_group_rate_card: 200 least fields": "length_of_interview_minutes is missing",
    "reports.status: 200 least fields": "status is missing",
    "exclusions.policy: 200 least fields": "project_exclusion_enabled is missing",
    "target_groups.set_cost_per_interview: 200 least fields": "target_group_cpi.value is missing",
    **{f"{name}: 200 least fields": key for name, key in _LISTS.items()},  # nor are these lists: absent is not empty
}


@pytest.fixture(scope="module")
def outcomes() -> dict[str, SampleOutcome]:
    return {which: outcome_of(vendor(), name, sample) for which, (name, sample) in SAMPLES.items()}


def test_every_example_is_read_and_nothing_of_it_is_lost(outcomes: dict[str, SampleOutcome]) -> None:
    assert [which for which, one in outcomes.items() if SAMPLES[which][0] not in one.sent] == []
    wrong = {which: one.wrong() for which, one in outcomes.items() if which not in SAYS_TOO_LITTLE}
    assert {which: words for which, words in wrong.items() if words} == {}


@pytest.mark.parametrize("which", SAYS_TOO_LITTLE)
def test_a_reply_that_says_too_little_is_told_as_such(which: str, outcomes: dict[str, SampleOutcome]) -> None:
    words, *_ = outcomes[which].wrong()
    assert SAYS_TOO_LITTLE[which] in words
    assert outcomes[which].error is not None


def test_no_request_for_them_differs_but_as_listed(outcomes: dict[str, SampleOutcome]) -> None:
    validator = ContractValidator(vendor())
    sent = [
        HttpCall(OPERATIONS[name], request)
        for one in outcomes.values()
        for name, request in zip(one.sent, one.requests, strict=True)
    ]
    different = {call.key: call for call in sent}.values()
    found = {row: words for call in different for row, words in validator.differences(call).items()}
    assert {row: words for row, words in found.items() if row not in KNOWN} == {}


def test_many_of_them_are_the_documents_own_words() -> None:
    assert len([which for which in SAMPLES if not which.endswith(("fields", "no body"))]) >= 45
