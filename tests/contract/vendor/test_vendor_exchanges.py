"""The client and the sandbox against the vendor's document: every difference is listed, and each is still needed."""

from __future__ import annotations

import pytest

from cint_nb.api.operations import OPERATIONS
from tests.contract.deviations import KNOWN, LISTED
from tests.contract.openapi_documents import vendor
from tests.contract.recorded_tour import RecordedTour
from tests.contract.validator import ContractValidator, Difference


@pytest.fixture(scope="session")
def found(recorded_tour: RecordedTour) -> dict[Difference, str]:
    validator = ContractValidator(vendor())
    return {row: words for call in recorded_tour.calls for row, words in validator.differences(call).items()}


def test_every_operation_is_in_the_vendors_document() -> None:
    assert [name for name, operation in OPERATIONS.items() if not vendor().knows(operation)] == []


def test_no_difference_is_unlisted(found: dict[Difference, str]) -> None:
    assert {row: words for row, words in found.items() if row not in KNOWN} == {}


@pytest.mark.parametrize("row", sorted(KNOWN), ids=lambda row: " - ".join(row))
def test_each_listed_difference_is_still_needed(row: Difference, found: dict[Difference, str]) -> None:
    assert row in found, "without this entry nothing fails: remove it"


def test_each_listed_difference_is_listed_once_with_its_reason() -> None:
    assert len(KNOWN) == len(LISTED)
    for row in LISTED:
        assert set(row) == {"operation", "place", "rule", "differs", "reason", "sources"}
        assert row["operation"] in OPERATIONS
        assert row["differs"].strip()
        assert row["reason"].endswith(".")
