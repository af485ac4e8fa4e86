"""Handlers for definitions: accounts, users, business units, locales, codes, allocation templates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cint_nb.sandbox.handlers.operation import Handler, Operation, QueryParam, paging_params
from cint_nb.sandbox.protocol.messages import JsonObject, Request, Response, not_found, to_json
from cint_nb.sandbox.protocol.paging import page_of
from cint_nb.sandbox.world import catalogue
from cint_nb.sandbox.world.world import World


def _list_handler(key: str, items: Iterable[Mapping[str, object]]) -> Handler:
    body = {key: [to_json(item) for item in items]}
    return lambda _world, _request: Response(body=body)


def _accounts(world: World, _request: Request) -> Response:
    account: JsonObject = {"id": world.account_id, "name": catalogue.account_name(world.account_id)}
    return Response(body={"accounts": [account]})


def _business_units(world: World, _request: Request) -> Response:
    return Response(body={"business_units": [to_json(unit) for unit in catalogue.business_units(world.account_id)]})


def _user_business_unit(_world: World, request: Request) -> Response:
    if request.path_params["user_id"].lower() not in {user["id"] for user in catalogue.USERS}:
        raise not_found("the user")
    return Response(body={"business_unit_id": catalogue.BUSINESS_UNIT_ID})


def _templates(_world: World, request: Request) -> Response:
    page, cursor = page_of(request, sorted(catalogue.TEMPLATES), lambda template_id: template_id)
    templates = [
        {
            "template_id": template_id,
            "name": catalogue.TEMPLATES[template_id]["name"],
            "last_modified_at": catalogue.TEMPLATES_MODIFIED_AT,
            "last_modified_by": catalogue.PROJECT_MANAGER_ID,
        }
        for template_id in page
    ]
    # This list alone ends with an empty cursor.
    return Response(body={"templates": templates, "has_more": cursor is not None, "next_cursor": cursor or ""})


def _template(_world: World, request: Request) -> Response:
    template_id = request.path_params["template_id"]
    if template_id not in catalogue.TEMPLATES:
        raise not_found("the allocation template")
    return Response(body=catalogue.template(template_id), headers={"ETag": 'W/"1"'})


_TAG = "Definitions"
_TEMPLATES = "/demand/allocation-templates"
_USER_TYPE = QueryParam(
    "user_type", {"type": "string", "enum": ["project_manager"]}, description="Only users of this kind."
)
_LOCALE = QueryParam("locale", {"type": "string", "maxLength": 20}, description="Suppliers of this locale only.")

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="get_user_accounts",
        method="GET",
        path="/accounts",
        handler=_accounts,
        summary="List the accounts.",
        tag=_TAG,
        response_schema="Accounts",
    ),
    Operation(
        name="get_account_users",
        method="GET",
        path="/accounts/{account_id}/users",
        handler=_list_handler("users", catalogue.USERS),
        summary="List the users of an account.",
        tag=_TAG,
        response_schema="Users",
        query=(_USER_TYPE,),
    ),
    Operation(
        name="get_user_account_business_unit_id",
        method="GET",
        path="/accounts/{account_id}/users/{user_id}/business-units",
        handler=_user_business_unit,
        summary="Get the business unit of a user.",
        tag=_TAG,
        response_schema="UserBusinessUnit",
    ),
    Operation(
        name="get_business_units",
        method="GET",
        path="/accounts/{account_id}/business-units",
        handler=_business_units,
        summary="List the business units with their currencies.",
        tag=_TAG,
        response_schema="BusinessUnits",
    ),
    Operation(
        name="get_locales",
        method="GET",
        path="/locales",
        handler=_list_handler("locales", catalogue.LOCALE_LIST),
        summary="List countries and languages.",
        tag=_TAG,
        response_schema="Locales",
    ),
    Operation(
        name="get_industries",
        method="GET",
        path="/industries",
        handler=_list_handler("industries", catalogue.INDUSTRIES),
        summary="List the industries.",
        tag=_TAG,
        response_schema="Industries",
    ),
    Operation(
        name="get_study_types",
        method="GET",
        path="/study-types",
        handler=_list_handler("study_types", catalogue.STUDY_TYPES),
        summary="List the study types.",
        tag=_TAG,
        response_schema="StudyTypes",
    ),
    Operation(
        name="list_global_allocation_templates",
        method="GET",
        path=_TEMPLATES,
        handler=_templates,
        summary="List the global allocation templates.",
        tag=_TAG,
        response_schema="Templates",
        query=paging_params(),
    ),
    Operation(
        name="get_global_allocation_template_by_template_id",
        method="GET",
        path=f"{_TEMPLATES}/{{template_id}}",
        handler=_template,
        summary="Get a global allocation template.",
        tag=_TAG,
        response_schema="Template",
        query=(_LOCALE,),
        headers=("ETag",),
    ),
)
