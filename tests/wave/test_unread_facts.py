"""What the exchange would not say is a finding that names it, and counts that disagree send nobody twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cint_nb.domain.errors import PermissionDenied, PreflightBlocked, UnexpectedReply
from cint_nb.domain.findings import Severity
from cint_nb.wave.client import Client
from cint_nb.wave.wave import Wave

Make = Callable[..., Wave]
READS = {
    ("definitions", "business_units"): ("currency of the business unit", Severity.WARN),
    ("exclusions", "activity"): ("activity exclusions", Severity.WARN),
    ("exclusions", "effective_rsids"): ("excluded respondents", Severity.WARN),
    ("target_groups", "list"): ("other groups of the project", Severity.WARN),
    ("recontacts", "jobs"): ("uploads and the saved IDs", Severity.BLOCK),
    ("exclusions", "groups"): ("exclusion groups", Severity.WARN),
    ("recontacts", "saved_count"): ("uploads and the saved IDs", Severity.BLOCK),
    ("target_groups", "get"): ("state of the target group", Severity.BLOCK),
}
FAILURES = {
    "refused (403)": PermissionDenied("no", evidence={"status": 403}),
    "data is missing": UnexpectedReply("The reply is not as documented: data is missing.", evidence={"status": 200}),
}


@pytest.fixture
def uploaded(make_wave: Make) -> Wave:
    wave = make_wave()
    wave.create()
    wave.upload()
    return wave


def fail(monkeypatch: pytest.MonkeyPatch, client: Client, resource: str, verb: str, error: Exception) -> None:
    """Have a read of the client fail."""

    async def failing(*_: Any, **__: Any) -> Any:
        raise error

    async def failing_list(*_: Any, **__: Any) -> Any:
        raise error
        yield

    instead = failing_list if (resource, verb) == ("target_groups", "list") else failing
    monkeypatch.setattr(getattr(client.aio, resource), verb, instead)


@pytest.mark.sampled(every=4)
@pytest.mark.parametrize("reason", FAILURES)
@pytest.mark.parametrize(("resource", "verb"), READS)
def test_what_could_not_be_asked_is_a_finding(
    monkeypatch: pytest.MonkeyPatch, client: Client, uploaded: Wave, resource: str, verb: str, reason: str
) -> None:
    assert "not-read" not in uploaded.check("launch", ask=True).rules()
    what, severity = READS[resource, verb]
    fail(monkeypatch, client, resource, verb, FAILURES[reason])
    found = [each for each in uploaded.check("launch", ask=True) if each.rule == "not-read"]
    assert [each.severity for each in found if what in each.message] == [severity]
    assert {each.severity for each in found} == {severity}
    assert all(reason in str(each.evidence) for each in found)


def test_a_choice_that_was_read_before_is_asked_again(client: Client, uploaded: Wave) -> None:
    assert client.definitions.business_units()
    assert "not-read" not in uploaded.check("launch", ask=True).rules()
    client.sandbox.faults.arm("404@get_business_units*always")
    found = [each.message for each in uploaded.check("launch", ask=True) if each.rule == "not-read"]
    assert len(found) == 1
    assert "currency of the business unit" in found[0]


def test_a_launch_stops_where_the_uploads_cannot_be_seen(
    monkeypatch: pytest.MonkeyPatch, client: Client, uploaded: Wave
) -> None:
    fail(monkeypatch, client, "recontacts", "jobs", FAILURES["refused (403)"])
    with pytest.raises((PreflightBlocked, PermissionDenied)):
        uploaded.launch(budget="1000 EUR")
    assert all(group.run is None for group in client.sandbox.world.groups.values())


@pytest.mark.parametrize("listed", [0, 1, 100])
def test_an_outcome_that_contradicts_the_count_is_an_error_and_resubmits_nobody(
    monkeypatch: pytest.MonkeyPatch, client: Client, uploaded: Wave, listed: int
) -> None:
    ref = uploaded.target_group
    assert ref is not None
    saved = client.recontacts.saved_ids(ref)
    jobs = len(client.sandbox.world.jobs)

    async def cut(_: Any) -> tuple[str, ...]:
        return saved[:listed]

    monkeypatch.setattr(client.aio.recontacts, "saved_ids", cut)
    for verb in (lambda: uploaded.outcome, uploaded.resubmit):
        with pytest.raises(UnexpectedReply) as caught:
            verb()
        assert f"overview says {len(saved):,} " in str(caught.value)
        assert f"list contains {listed:,}," in str(caught.value)
        assert "the job's message says" in str(caught.value)
    assert len(client.sandbox.world.jobs) == jobs
