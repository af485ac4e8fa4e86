"""Profiling at the sandbox, as a raw HTTP client finds it: the library, the validator, quotas of launched groups."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.plans import guide_draft
from tests.support.sandbox_client import RawClient

PROFILING: dict[str, Any] = guide_draft()["profiling"]
MALE, FEMALE = ({"object": "selection", "question_id": 43, "option": option} for option in ("1", "2"))


def zip_codes(*values: str) -> dict[str, Any]:
    return {"object": "open_ended", "question_id": 45, "allow_all_values": False, "open_ended_values": list(values)}


def ages(low: int, high: int) -> dict[str, Any]:
    return {"object": "range", "question_id": 42, "min": low, "max": high}


def profile(*targets: tuple[list[Any], dict[str, Any] | None], **changes: Any) -> dict[str, Any]:
    """Return a profile of conditions and quotas; one without a quota has none at all."""
    written = [
        {"conditions": conditions, **({"object": "nominal"} if quota is None else {"quota": quota})}
        for conditions, quota in targets
    ]
    return {"object": "regular", "quotas_enabled": True, "targets": written, **changes}


def percent(share: float, **names: str) -> dict[str, Any]:
    return {"completes_goal_percentage": share, **names}


def completes(goal: int, **names: str) -> dict[str, Any]:
    return {"completes_goal": goal, **names}


def profiling(*profiles: dict[str, Any], unit: str = "percentage") -> dict[str, Any]:
    return {"profile_adjustment_type": unit, "profiles": list(profiles)}


def problems(client: RawClient, body: dict[str, Any], goal: int = 10, locale: str = "ger_de") -> list[Any]:
    """Return what the validator says; empty if it accepts."""
    reply = client.post(
        f"{client.account}/profiles/validate", {"locale": locale, "completes_goal": goal, "profiling": body}
    )
    if reply.status_code == 204:
        assert not reply.content
        return []
    assert reply.status_code == 422, reply.text
    return list(reply.json()["invalid_params"])


BLEND = {"object": "blended", "blended_type": "interlock", "name": "both"}
WRONG: dict[int, dict[str, Any]] = {
    1: profiling(profile(([ages(40, 30)], percent(100)))),
    3: profiling(profile(([MALE], percent(50)), ([MALE], percent(50)))),
    6: profiling(profile(([MALE], percent(100))), profile(([FEMALE], percent(100)))),
    8: profiling(profile(([MALE], percent(1)), ([FEMALE], percent(99)))),
    9: profiling(profile(([MALE], percent(50)), ([FEMALE], percent(49.99)))),
    10: profiling(profile(([MALE], completes(5)), ([FEMALE], completes(6))), unit="nominal"),
    14: profiling(profile(([ages(18, 40)], percent(50)), ([ages(40, 60)], percent(50)))),
    15: profiling(profile(([{**MALE, "question_id": 999_999}], percent(100)))),
    20: profiling(profile(([{**MALE, "option": "77"}], percent(100)))),
    21: profiling(
        profile(([MALE, zip_codes("10115")], percent(100, name="x")), **BLEND),
    ),
    25: profiling(profile(([MALE, ages(18, 99)], None), **BLEND, quotas_enabled=False)),
    34: profiling(*[profile(([MALE, ages(18, 99)], percent(100, name="x")), **BLEND) for _ in range(2)]),
    42: profiling(profile(([MALE], percent(100))), unit="nominal"),
    43: profiling(profile(([MALE], completes(10)))),
    48: profiling(profile(([MALE, ages(18, 99)], percent(100, name="x")))),
    52: profiling(profile(([MALE], {}))),
    53: profiling(profile(([MALE], {})), unit="nominal"),
    55: profiling(profile(([zip_codes("1")], percent(100)))),
    56: profiling(profile(([MALE], percent(50, name="x")), ([FEMALE], percent(50, name="x")))),
    57: profiling(profile(([MALE, FEMALE], percent(100)))),
    61: profiling(profile(([MALE], percent(100)), quotas_enabled=False)),
    66: profiling(
        *[
            profile(([MALE, ages(18, 99)], percent(100, name="x")), **{**BLEND, "blended_type": "control"})
            for _ in range(2)
        ]
    ),
}


@pytest.mark.parametrize("code", WRONG)
def test_each_mistake_has_the_exchanges_own_code(raw_client: RawClient, code: int) -> None:
    found = problems(raw_client, WRONG[code])
    assert f"profile_validation_error_{code:03}" in {each["name"] for each in found}
    for each in found:
        assert each["reason"].endswith(each["name"].rpartition("_")[2])
        assert each["metadata"]["error_level"] in ("error", "warning")


@pytest.mark.parametrize(
    "right",
    [
        PROFILING,
        profiling(profile(([MALE], percent(33.33)), ([FEMALE], percent(66.67)))),
        profiling(profile(([MALE], completes(4)), ([FEMALE], completes(6))), unit="nominal"),
        profiling(profile(([ages(18, 34)], percent(50)), ([ages(35, 99)], percent(50)))),
        profiling(profile(([MALE], None), quotas_enabled=False)),
        profiling(profile(([MALE, FEMALE], percent(100, name="either")))),
        profiling(
            profile(
                ([MALE, ages(18, 99)], percent(50, name="a")), ([FEMALE, ages(18, 99)], percent(50, name="b")), **BLEND
            )
        ),
    ],
)
def test_what_is_right_is_accepted_without_a_word(raw_client: RawClient, right: dict[str, Any]) -> None:
    assert problems(raw_client, right) == []


def test_what_is_only_a_warning_says_so_and_stops_no_draft(raw_client: RawClient) -> None:
    (only,) = problems(raw_client, WRONG[8])
    assert only["metadata"]["error_level"] == "warning"
    body = {**guide_draft(), "profiling": WRONG[8]}
    assert raw_client.post(f"{raw_client.project()}/target-groups", body).status_code == 201


@pytest.mark.parametrize("rate", [0.0, 0.07, 0.14, 0.28, 0.29, 0.47, 0.56, 0.57, 0.58, 0.59, 0.94, 1.0])
def test_no_incidence_in_whole_percent_is_lost_to_floats(raw_client: RawClient, rate: float) -> None:
    body = {**guide_draft(), "expected_incidence_rate": rate}
    assert raw_client.post(f"{raw_client.project()}/target-groups", body).status_code == 201


# --- the library ------------------------------------------------------------------------------------------------------


def library(client: RawClient, locale: str = "ger_de", **query: Any) -> Any:
    reply = client.get(f"{client.account}/questions-translation", params={"locale": locale, **query})
    assert reply.status_code == 200, reply.text
    return reply.json()


def names(client: RawClient, locale: str = "ger_de", **query: Any) -> list[str]:
    return [each["name"] for each in library(client, locale, **query)["profiles"] or ()]


def test_every_condition_of_the_library_is_one_the_validator_knows(raw_client: RawClient) -> None:
    for question in library(raw_client, allow_custom_quals=True)["profiles"]:
        for target in question["targets"]:
            (condition,) = target["conditions"]
            if condition["object"] == "selection":
                found = problems(raw_client, profiling(profile(([condition], percent(100)))))
                assert found == [], question["name"]


def test_texts_are_in_the_language_of_the_locale_and_in_english(raw_client: RawClient) -> None:
    for locale, text in (("ger_de", "Männlich"), ("fre_fr", "Homme"), ("eng_us", "Male")):
        (question,) = library(raw_client, locale, id="43")["profiles"]
        assert (question["targets"][0]["text"], question["targets"][0]["text_translated"]) == (text, "Male")


def test_the_search_looks_at_questions_and_answers(raw_client: RawClient) -> None:
    assert names(raw_client, query="weiblich") == ["GENDER"]
    assert names(raw_client, query="FEMALE") == ["GENDER"]
    assert names(raw_client, query="no such words") == []
    assert library(raw_client, query="no such words")["profiles"] is None


def test_the_accounts_own_questions_come_when_they_are_asked_for(raw_client: RawClient) -> None:
    usual, everything = set(names(raw_client)), set(names(raw_client, allow_custom_quals=True))
    own = set(names(raw_client, only_custom_quals=True))
    assert own
    assert everything == usual | own
    assert not usual & own


def test_pages_follow_each_other_without_a_gap(raw_client: RawClient) -> None:
    found, cursor = [], None
    while True:
        more: dict[str, Any] = {} if cursor is None else {"start_after": cursor}
        page = library(raw_client, page_size=2, **more)
        found += [each["name"] for each in page["profiles"]]
        cursor = page["next_cursor"]
        if not page["has_more"]:
            break
    assert found == names(raw_client)
    assert len(found) == page["total"] == len(set(found))


def test_an_unknown_locale_is_refused(raw_client: RawClient) -> None:
    reply = raw_client.get(f"{raw_client.account}/questions-translation", params={"locale": "xxx_yy"})
    assert reply.status_code == 400


# --- of a launched group ----------------------------------------------------------------------------------------------


@pytest.fixture
def live(raw_client: RawClient) -> str:
    """Return the address of a launched group with quotas of gender, half and half of 100."""
    body = {**guide_draft(), "completes_goal": 100}
    reply = raw_client.post(f"{raw_client.project()}/target-groups", body)
    group = f"{reply.request.url.path.removeprefix('/v1')}/{reply.json()['id']}"
    raw_client.launched(group)
    return group


def quotas(client: RawClient, group: str) -> dict[str, Any]:
    (shown,) = client.get(f"{group}/profiles").json()["profiles"]
    return {target["conditions"][0]["option"]: target["quota"] for target in shown["targets"]}


def change_goal(client: RawClient, group: str, goal: int, **by_option: int) -> Any:
    """Change the goal, and the quotas of options `o1=…`; without any it is the goal alone."""
    body: dict[str, Any] = {"completes_goal": goal}
    if by_option:
        (shown,) = client.get(f"{group}/profiles").json()["profiles"]
        ids = {f"o{target['conditions'][0]['option']}": target["id"] for target in shown["targets"]}
        targets = [{"id": ids[name], "quota": {"completes_goal": number}} for name, number in by_option.items()]
        body["profiles"] = [{"profile_id": shown["id"], "targets": targets}]
    return client.ask("PUT", f"{group}/profiles/completes-goal", json=body)


def test_quotas_are_shown_with_their_progress(raw_client: RawClient, live: str) -> None:
    before = quotas(raw_client, live)
    assert [before[option]["completes_goal"] for option in "12"] == [50, 50]
    assert [before[option]["completes"] for option in "12"] == [0, 0]
    raw_client.sandbox.advance(86_400)
    raw_client.log_in()  # a token lives as long as that
    after = quotas(raw_client, live)
    assert sum(quota["completes"] for quota in after.values()) > 0
    assert all(quota["completes"] <= quota["prescreens"] for quota in after.values())


def test_a_draft_has_no_list_of_profiles(raw_client: RawClient) -> None:
    body = {**guide_draft(), "completes_goal": 100}
    reply = raw_client.post(f"{raw_client.project()}/target-groups", body)
    path = f"{reply.request.url.path.removeprefix('/v1')}/{reply.json()['id']}"
    assert raw_client.get(f"{path}/profiles").status_code == 404


def test_a_goal_alone_lets_the_exchange_compute_the_quotas_anew(raw_client: RawClient, live: str) -> None:
    assert change_goal(raw_client, live, 200).status_code == 200
    shares = [quota["completes_goal_percentage"] for quota in quotas(raw_client, live).values()]
    assert sum(shares) == pytest.approx(100)
    assert shares != [50, 50]


def test_a_goal_with_its_quotas_keeps_them(raw_client: RawClient, live: str) -> None:
    assert change_goal(raw_client, live, 200, o1=120, o2=80).status_code == 200
    shown = quotas(raw_client, live)
    assert [shown[option]["completes_goal"] for option in "12"] == [120, 80]
    assert [shown[option]["completes_goal_percentage"] for option in "12"] == [60, 40]


@pytest.mark.parametrize(
    ("goal", "by_option", "code"), [(200, {"o1": 120, "o2": 81}, 10), (100, {"o1": 101, "o2": 1}, 47)]
)
def test_quotas_that_do_not_fit_are_refused_and_nothing_is_changed(
    raw_client: RawClient, live: str, goal: int, by_option: dict[str, int], code: int
) -> None:
    reply = change_goal(raw_client, live, goal, **by_option)
    assert reply.status_code == 422
    assert f"profile_validation_error_{code:03}" in reply.text
    assert [quota["completes_goal"] for quota in quotas(raw_client, live).values()] == [50, 50]


def test_a_write_replaces_everything_that_it_does_not_name(raw_client: RawClient, live: str) -> None:
    write: Callable[[Any], Any] = lambda body: raw_client.post(  # noqa: E731 - one line is enough
        f"{live}/profiles/manage-profiles", {"completes_goal": 100, "profiling": body}
    )
    young = profile(([ages(18, 34)], percent(50)), ([ages(35, 99)], percent(50)))
    reply = write(profiling(young))
    assert reply.status_code == 201
    assert [each["name"] for each in reply.json()["profiles"]] == ["AGE"]
    with_control = profiling(
        young, profile(([MALE, ages(18, 99)], percent(100, name="x")), **{**BLEND, "blended_type": "control"})
    )
    assert [each["name"] for each in write(with_control).json()["profiles"]] == ["AGE"]  # there, and not listed
    assert write(WRONG[9]).status_code == 422
    assert write(profiling()).status_code in (400, 422)


def test_a_condition_asks_for_the_same_whoever_wrote_it(raw_client: RawClient, live: str) -> None:
    first = raw_client.get(f"{live}/profiles").json()["profiles"][0]
    body = {"completes_goal": 100, "profiling": copy.deepcopy(PROFILING)}
    again = raw_client.post(f"{live}/profiles/manage-profiles", body).json()["profiles"][0]
    assert (again["id"], [each["id"] for each in again["targets"]]) == (
        first["id"],
        [each["id"] for each in first["targets"]],
    )


def test_suppliers_have_the_ids_that_allocations_take_as_text(raw_client: RawClient) -> None:
    suppliers = raw_client.get("/suppliers").json()["suppliers"]
    assert len({each["id"] for each in suppliers}) == len(suppliers) > 0
    body = {
        **guide_draft(),
        "allocations": {
            "open_exchange_allocations": {
                "blocked_supplier_ids": [str(suppliers[0]["id"])],
                "exchange_min_percentage": 0,
                "exchange_max_percentage": 100,
                "groups": [],
            }
        },
    }
    assert raw_client.post(f"{raw_client.project()}/target-groups", body).status_code == 201
