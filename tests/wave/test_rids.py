"""RIDs are saved as RSIDs: with a crosswalk every line is accounted for, without one only counts are claimed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cint_nb.domain.errors import CintWarning, RespondentFileError
from cint_nb.domain.plan import TargetGroupPlan
from cint_nb.sandbox.world.population import rid_of, rsid_of
from cint_nb.study.files.respondents import Respondents, read_respondents
from cint_nb.study.outcome.crosswalk import Crosswalk
from cint_nb.wave.client import Client

VISITS = [(rid_of(1, number, 0), rsid_of(1, number)) for number in range(300)]


@pytest.fixture
def visits() -> Respondents:
    return read_respondents([rid for rid, _ in VISITS], entity_type="RID")


def test_with_a_crosswalk_every_rid_is_accounted_for(
    client: Client, visits: Respondents, make_plan: Callable[..., TargetGroupPlan]
) -> None:
    wave = client.wave(
        "A wave of visits", project="Brand tracker", respondents=visits, plan=make_plan(), crosswalk=Crosswalk(VISITS)
    )
    ref = wave.create()
    wave.upload()
    saved = set(client.recontacts.saved_ids(ref))
    expected = sum(rsid in saved for _, rsid in VISITS)
    assert 0 < wave.outcome.counts["rejected"] < 300
    assert wave.outcome.counts["saved"] == expected
    assert sum(wave.outcome.counts.values()) == 300


def test_without_a_crosswalk_only_counts_are_claimed(
    client: Client, visits: Respondents, make_plan: Callable[..., TargetGroupPlan]
) -> None:
    wave = client.wave("A wave of visits", project="Brand tracker", respondents=visits, plan=make_plan())
    wave.create()
    wave.upload()
    with pytest.warns(CintWarning, match="crosswalk") as caught:
        assert wave.outcome.counts["unknown"] == 300
    assert [str(warning.message) for warning in caught] == list(wave.outcome.warnings)


def test_nothing_is_uploaded_beside_people_a_list_of_visits_cannot_explain(
    client: Client, visits: Respondents, make_plan: Callable[..., TargetGroupPlan]
) -> None:
    wave = client.wave("A wave of visits", project="Brand tracker", respondents=visits, plan=make_plan())
    ref = wave.create()
    client.recontacts.upload(ref, read_respondents([VISITS[0][1]], entity_type="RSID")).wait()
    with pytest.raises(RespondentFileError, match="does not explain"):
        wave.upload()
    assert client.recontacts.saved_count(ref) == 1
