"""Handlers for the question library and the suppliers: what profiles and allocations are made of."""

from __future__ import annotations

from cint_nb.sandbox.handlers.operation import ACCOUNT, Operation, QueryParam, paging_params
from cint_nb.sandbox.protocol.messages import JsonObject, Request, Response, bad_request
from cint_nb.sandbox.protocol.paging import contains, page_of
from cint_nb.sandbox.world import catalogue
from cint_nb.sandbox.world.questions import LibraryOption, LibraryQuestion, library_of, text_in
from cint_nb.sandbox.world.world import World


def _suppliers(_world: World, _request: Request) -> Response:
    suppliers: list[JsonObject] = [
        {"id": each["supplier_id"], "code": f"S{each['supplier_id']}", "name": each["name"]}
        for each in catalogue.SUPPLIERS
    ]
    return Response(body={"suppliers": suppliers})


def _questions(_world: World, request: Request) -> Response:
    locale = request.string_param("locale") or ""
    if locale not in catalogue.LOCALES:
        raise bad_request(("locale", f"'{locale:.20}' is not a known locale."))
    wanted = {text.strip() for text in (request.string_param("id") or "").split(",") if text.strip()}
    custom, only_custom = request.bool_param("allow_custom_quals"), request.bool_param("only_custom_quals")
    found = [
        question
        for question in library_of(locale)
        if (not wanted or str(question.id) in wanted)
        and (question.standard or custom or only_custom)
        and not (question.standard and only_custom)
        and contains(_searched(question, locale), request.string_param("query"))
    ]
    page, cursor = page_of(request, found, lambda question: str(question.id))
    body: JsonObject = {
        "total": len(found),
        "profiles": [_to_json(question, locale) for question in page] or None,
        "has_more": cursor is not None,
        "next_cursor": cursor,
    }
    return Response(body=body)


def _searched(question: LibraryQuestion, locale: str) -> str:
    """Return what a search looks through: questions and answers, as the reference says, and not their names."""
    texts = [question.text, *(option.text for option in question.options)]
    return "\n".join(text for words in texts for text in (text_in(words, locale), words["eng"]))


def _to_json(question: LibraryQuestion, locale: str) -> JsonObject:
    empty: JsonObject = {"text": "", "text_translated": ""}
    condition: JsonObject = {"object": question.kind, "question_id": question.id, "option": None}
    if question.kind == "open_ended":
        condition["allow_all_values"] = True
    targets = [_option_to_json(question, option, locale) for option in question.options]
    return {
        "object": "regular",
        "name": question.name,
        "description": text_in(question.text, locale),
        "description_translated": question.text["eng"],
        "quotas_enabled": False,
        "targets": targets or [{**empty, "conditions": [condition]}],
        "option_mask": question.mask or "",
        "standard": question.standard,
        "profile_condition_type": question.punch,
        "classification_id": 32 if question.standard else -1,
        "classification_code": "DEM" if question.standard else "",
    }


def _option_to_json(question: LibraryQuestion, option: LibraryOption, locale: str) -> JsonObject:
    return {
        "text": text_in(option.text, locale),
        "text_translated": option.text["eng"],
        "conditions": [{"object": "selection", "question_id": question.id, "option": option.id}],
    }


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="get_suppliers",
        method="GET",
        path="/suppliers",
        handler=_suppliers,
        summary="List the suppliers.",
        tag="Definitions",
        response_schema="Suppliers",
    ),
    Operation(
        name="account_questions_translation",
        method="GET",
        path=f"{ACCOUNT}/questions-translation",
        handler=_questions,
        summary="List the questions of a locale, with their answers.",
        tag="Profiling",
        response_schema="Questions",
        query=(
            QueryParam(
                "locale", {"type": "string", "maxLength": 20}, required=True, description="Language and country."
            ),
            QueryParam(
                "id", {"type": "string", "maxLength": 2_000}, description="Ids of questions, separated by commas."
            ),
            QueryParam("query", {"type": "string", "maxLength": 200}, description="Part of a question or an answer."),
            QueryParam("translation_language", {"type": "string", "maxLength": 3}, description="Always English here."),
            QueryParam("allow_custom_quals", {"type": "boolean"}, description="The account's own questions too."),
            QueryParam("only_custom_quals", {"type": "boolean"}, description="The account's own questions alone."),
            *paging_params(),
        ),
    ),
)
