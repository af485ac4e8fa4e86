"""Profiles at the exchange: names looked up, judged by its validator, read and replaced; with odd replies too."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from cint_nb.api.client import AsyncClient
from cint_nb.domain.errors import BadRequest, InputError, InvalidState, OutcomeUnknown, PlanError, UnexpectedReply
from cint_nb.domain.models import TargetGroupRef
from cint_nb.domain.profiling.profiles import Profile
from tests.support.exchange import FakeExchange, error_response, json_response, lost_reply
from tests.support.plans import guide_draft, make_fresh_plan

NOW = datetime(2026, 9, 1, tzinfo=UTC)
PROFILING = guide_draft()["profiling"]
LIBRARY, VALIDATE, LIST, REPLACE = (
    "/questions-translation",
    "/profiles/validate",
    "/profiles",
    "/profiles/manage-profiles",
)


def question(name: str, question_id: int, *options: str, **fields: Any) -> dict[str, Any]:
    """Return a question of the library, in the form of its reply."""
    targets = [
        {"text": text, "conditions": [{"object": "selection", "question_id": question_id, "option": str(number)}]}
        for number, text in enumerate(options, 1)
    ]
    return {"name": name, "targets": targets, **fields}


def library(*questions: dict[str, Any], **paging: Any) -> Any:
    return json_response(200, {"profiles": list(questions), "total": len(questions), "has_more": False, **paging})


GENDER = question("GENDER", 43, "Male", "Female")


def shown(*profiles: dict[str, Any] | None, goal: int = 10) -> Any:
    """Return the list of a launched group's profiles; None for a list that is null."""
    return json_response(
        200,
        {"locale": "ger_de", "completes_goal": goal, "profiles": None if profiles == (None,) else list(profiles)},
    )


def profile(**changes: Any) -> dict[str, Any]:
    """Return the guide's profile as a launched group shows it: with ids, texts and progress."""
    written = PROFILING["profiles"][0]
    targets = [
        {
            "id": f"T{number}",
            "text": "x",
            "conditions": [{**target["conditions"][0], "condition_name": "x"}],
            "quota": {"completes_goal_percentage": 50, "completes_goal": 5, "completes": number, "prescreens": 3},
        }
        for number, target in enumerate(written["targets"])
    ]
    return {**written, "id": "P1", "targets": targets, **changes}


# --- names ------------------------------------------------------------------------------------------------------------


def looked_up(client: AsyncClient, *profiles: Profile) -> tuple[Profile, ...]:
    found = client.run(client.profiles.look_up(make_fresh_plan(NOW, profiling=profiles))).profiling
    assert isinstance(found, tuple)
    return found


def queries(exchange: FakeExchange) -> list[dict[str, str]]:
    return [dict(request.url.params) for request in exchange.sent("GET", LIBRARY)]


def test_a_name_is_searched_for_in_the_locale_of_the_plan(client: AsyncClient, exchange: FakeExchange) -> None:
    exchange.on("GET", LIBRARY, library(GENDER))
    (found,) = looked_up(client, Profile("gender", {"male": 50, "female": 50}))
    assert found.question_ids == (43,)
    (query,) = queries(exchange)
    assert (query["locale"], query["query"]) == ("ger_de", "gender")


def test_an_id_is_asked_for_by_id(client: AsyncClient, exchange: FakeExchange) -> None:
    exchange.on("GET", LIBRARY, library(GENDER))
    looked_up(client, Profile(43, ["male"]))
    (query,) = queries(exchange)
    assert query["id"] == "43"
    assert "query" not in query


def test_a_name_no_search_finds_is_looked_for_among_the_accounts_own_and_then_everywhere(
    client: AsyncClient, exchange: FakeExchange
) -> None:
    exchange.on("GET", LIBRARY, library(), library(), library(question("OTHER", 1, "x"), GENDER))
    (found,) = looked_up(client, Profile("gender", ["male"]))
    assert found.question_ids == (43,)
    asked = queries(exchange)
    assert ["allow_custom_quals" in query for query in asked] == [False, True, True]
    assert ["query" in query for query in asked] == [True, True, False]


def test_a_name_nobody_has_is_told_with_those_close_to_it(client: AsyncClient, exchange: FakeExchange) -> None:
    exchange.on("GET", LIBRARY, library(GENDER, question("AGE", 42, "x")))
    with pytest.raises(PlanError, match=r"no question 'gendr'; close to it are GENDER") as caught:
        looked_up(client, Profile("gendr", ["male"]))
    assert "client.choices.questions('ger_de'" in str(caught.value)


def test_names_are_looked_up_once_and_known_ids_never(client: AsyncClient, exchange: FakeExchange) -> None:
    exchange.on("GET", LIBRARY, library(GENDER))
    plan = make_fresh_plan(NOW, profiling=Profile("gender", ["male"]))
    found = client.run(client.profiles.look_up(plan))
    assert client.run(client.profiles.look_up(found)) is found
    assert client.run(client.profiles.look_up(plan)) == found
    assert len(exchange.sent("GET", LIBRARY)) == 1
    without = make_fresh_plan(NOW)
    assert client.run(client.profiles.look_up(without)) is without


def test_a_library_of_several_pages_is_read_to_its_end(client: AsyncClient, exchange: FakeExchange) -> None:
    first = library(question("OTHER", 1, "x"), next_cursor="c1", has_more=True)
    exchange.on("GET", LIBRARY, first, library(GENDER))
    assert [each.id for each in client.run(client.definitions.questions("ger_de"))] == [1, 43]
    assert [query.get("start_after") for query in queries(exchange)] == [None, "c1"]


# --- the exchange's own validator -------------------------------------------------------------------------------------


def validate(client: AsyncClient) -> Any:
    return client.run(client.profiles.validate("ger_de", 10, PROFILING))


def problem(level: str | None, **fields: Any) -> dict[str, Any]:
    metadata = None if level is None else {"error_level": level, "question_id": 43}
    return {"name": "profiling", "reason": "few people", "metadata": metadata, **fields}


def refusal(*problems: dict[str, Any]) -> Any:
    return json_response(422, {"object": "validation_error", "detail": "no", "invalid_params": list(problems)})


def test_what_is_valid_has_no_problems(client: AsyncClient, exchange: FakeExchange) -> None:
    exchange.on("POST", VALIDATE, json_response(204))
    assert validate(client) == ()
    assert exchange.bodies("POST", VALIDATE) == [{"locale": "ger_de", "completes_goal": 10, "profiling": PROFILING}]


def test_a_refusal_of_warnings_alone_is_no_refusal(client: AsyncClient, exchange: FakeExchange) -> None:
    exchange.on("POST", VALIDATE, refusal(problem("Warning"), problem("warning")))
    assert [each.is_warning for each in validate(client)] == [True, True]


@pytest.mark.parametrize("level", ["Error", "Fatal", "", None])
def test_whatever_is_not_called_a_warning_is_an_error(
    client: AsyncClient, exchange: FakeExchange, level: str | None
) -> None:
    exchange.on("POST", VALIDATE, refusal(problem(level), problem("Warning")))
    assert [each.is_warning for each in validate(client)] == [False, True]


@pytest.mark.parametrize("problems", [[], None, "x", [1], {}])
def test_a_refusal_without_a_reason_is_neither_valid_nor_a_warning(
    client: AsyncClient, exchange: FakeExchange, problems: Any
) -> None:
    exchange.on("POST", VALIDATE, json_response(422, {"detail": "no", "invalid_params": problems}))
    with pytest.raises(UnexpectedReply, match="does not say why"):
        validate(client)


def test_another_refusal_is_not_taken_for_an_answer(client: AsyncClient, exchange: FakeExchange) -> None:
    exchange.on("POST", VALIDATE, error_response(400, locale="unknown"))
    with pytest.raises(BadRequest, match="locale"):
        validate(client)


def test_validating_again_after_a_lost_reply_is_safe(client: AsyncClient, exchange: FakeExchange) -> None:
    exchange.on("POST", VALIDATE, lost_reply, json_response(204))
    assert validate(client) == ()
    assert len(exchange.sent("POST", VALIDATE)) == 2


# --- those of a launched group ----------------------------------------------------------------------------------------


def test_progress_is_read_and_what_is_not_shown_is_not_zero(
    client: AsyncClient, exchange: FakeExchange, ref: TargetGroupRef
) -> None:
    bare = profile(targets=[{"id": "T9", "conditions": [{"object": "selection", "question_id": 43, "option": "1"}]}])
    exchange.on("GET", LIST, shown(profile(), bare))
    first, second = client.run(client.profiles.list(ref)).profiles or ()
    assert [target.quota.completes for target in first.targets if target.quota] == [0, 1]
    assert second.targets[0].quota is None


def test_no_list_is_not_an_empty_one(client: AsyncClient, exchange: FakeExchange, ref: TargetGroupRef) -> None:
    exchange.on("GET", LIST, shown(None), shown())
    assert client.run(client.profiles.list(ref)).profiles is None
    assert client.run(client.profiles.list(ref)).profiles == ()


def replace(client: AsyncClient, ref: TargetGroupRef, goal: int = 10) -> Any:
    return client.run(client.profiles.replace(ref, goal, PROFILING))


def test_all_profiles_are_written_at_once(client: AsyncClient, exchange: FakeExchange, ref: TargetGroupRef) -> None:
    exchange.on("POST", REPLACE, shown(profile()))
    assert replace(client, ref).profiles[0].question_ids == (43,)
    assert exchange.bodies("POST", REPLACE) == [{"completes_goal": 10, "profiling": PROFILING}]


def test_a_lost_reply_is_settled_by_reading(client: AsyncClient, exchange: FakeExchange, ref: TargetGroupRef) -> None:
    exchange.on("POST", REPLACE, lost_reply)
    exchange.on("GET", LIST, shown(profile()))
    assert replace(client, ref).completes_goal == 10
    assert len(exchange.sent("POST", REPLACE)) == 1


@pytest.mark.parametrize(
    "there",
    [
        shown(profile(), goal=11),
        shown(),
        shown(None),
        shown(profile(targets=profile()["targets"][:1])),
        shown(profile(quotas_enabled=False)),
        shown(profile(), profile(id="P2", targets=profile()["targets"][1:])),
    ],
    ids=["another goal", "none", "no list", "half of it", "no quotas", "one more"],
)
def test_a_lost_reply_is_not_taken_for_done_where_something_else_is_shown(
    client: AsyncClient, exchange: FakeExchange, ref: TargetGroupRef, there: Any
) -> None:
    exchange.on("POST", REPLACE, lost_reply)
    exchange.on("GET", LIST, there)
    with pytest.raises(OutcomeUnknown, match="replace the profiles"):
        replace(client, ref)


def test_a_refusal_changes_nothing_and_says_so(
    client: AsyncClient, exchange: FakeExchange, ref: TargetGroupRef
) -> None:
    exchange.on("POST", REPLACE, error_response(422, "validation_error", profiling="targets overlap"))
    with pytest.raises(InvalidState, match="targets overlap"):
        replace(client, ref)
    assert len(exchange.sent("POST", REPLACE)) == 1


@pytest.mark.parametrize("wrong", [{}, {"template_id": "x"}, {"profile_adjustment_type": "nominal"}, {"profiles": [1]}])
def test_what_could_not_be_read_back_is_not_sent(
    client: AsyncClient, exchange: FakeExchange, ref: TargetGroupRef, wrong: dict[str, Any]
) -> None:
    with pytest.raises(InputError, match="Profiles cannot be replaced by this"):
        client.run(client.profiles.replace(ref, 10, wrong))
    assert exchange.requests == []


def test_the_reply_may_have_no_body(client: AsyncClient, exchange: FakeExchange, ref: TargetGroupRef) -> None:
    exchange.on("POST", REPLACE, json_response(200))
    exchange.on("GET", LIST, shown(profile()))
    assert replace(client, ref).profiles[0].id == "P1"
