"""Answers about what the exchange knows: accounts, users, business units, locales, codes, allocation templates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cint_nb.sandbox.handlers.operation import Handler, Operation, Query, paging
from cint_nb.sandbox.protocol.messages import Answer, Ask, not_found, to_json
from cint_nb.sandbox.protocol.paging import cut
from cint_nb.sandbox.world import catalogue
from cint_nb.sandbox.world.world import World


def _told(key: str, things: Iterable[Mapping[str, object]]) -> Handler:
    body = {key: [to_json(thing) for thing in things]}
    return lambda _world, _ask: Answer(body=body)


def _user_business_unit(_world: World, ask: Ask) -> Answer:
    if ask.params["user_id"].lower() not in {user["id"] for user in catalogue.USERS}:
        raise not_found("the user")
    return Answer(body={"business_unit_id": catalogue.BUSINESS_UNIT_ID})


def _templates(_world: World, ask: Ask) -> Answer:
    page, cursor = cut(ask, sorted(catalogue.TEMPLATES), lambda template_id: template_id)
    templates = [
        {
            "template_id": template_id,
            "name": catalogue.TEMPLATES[template_id],
            "last_modified_at": catalogue.TEMPLATES_MODIFIED_AT,
            "last_modified_by": catalogue.PROJECT_MANAGER_ID,
        }
        for template_id in page
    ]
    # This list alone ends with an empty cursor.
    return Answer(body={"templates": templates, "has_more": cursor is not None, "next_cursor": cursor or ""})


def _template(_world: World, ask: Ask) -> Answer:
    template_id = ask.params["template_id"]
    if template_id not in catalogue.TEMPLATES:
        raise not_found("the allocation template")
    return Answer(body=catalogue.template(template_id), headers={"ETag": 'W/"1"'})


_TAG = "Definitions"
_TEMPLATES = "/demand/allocation-templates"
_MANAGERS = Query("user_type", {"type": "string", "enum": ["project_manager"]}, about="Only users of this kind.")
_LOCALE = Query("locale", {"type": "string", "maxLength": 20}, about="Suppliers of this locale only.")

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="get_user_accounts",
        method="GET",
        path="/accounts",
        answer=_told("accounts", [{"id": catalogue.ACCOUNT_ID, "name": catalogue.ACCOUNT_NAME}]),
        about="List the accounts.",
        tag=_TAG,
        reply="Accounts",
    ),
    Operation(
        name="get_account_users",
        method="GET",
        path="/accounts/{account_id}/users",
        answer=_told("users", catalogue.USERS),
        about="List the users of an account.",
        tag=_TAG,
        reply="Users",
        query=(_MANAGERS,),
    ),
    Operation(
        name="get_user_account_business_unit_id",
        method="GET",
        path="/accounts/{account_id}/users/{user_id}/business-units",
        answer=_user_business_unit,
        about="Get the business unit of a user.",
        tag=_TAG,
        reply="UserBusinessUnit",
    ),
    Operation(
        name="get_business_units",
        method="GET",
        path="/accounts/{account_id}/business-units",
        answer=_told("business_units", catalogue.BUSINESS_UNITS),
        about="List the business units with their currencies.",
        tag=_TAG,
        reply="BusinessUnits",
    ),
    Operation(
        name="get_locales",
        method="GET",
        path="/locales",
        answer=_told("locales", catalogue.LOCALE_LIST),
        about="List countries and languages.",
        tag=_TAG,
        reply="Locales",
    ),
    Operation(
        name="get_industries",
        method="GET",
        path="/industries",
        answer=_told("industries", catalogue.INDUSTRIES),
        about="List the industries.",
        tag=_TAG,
        reply="Industries",
    ),
    Operation(
        name="get_study_types",
        method="GET",
        path="/study-types",
        answer=_told("study_types", catalogue.STUDY_TYPES),
        about="List the study types.",
        tag=_TAG,
        reply="StudyTypes",
    ),
    Operation(
        name="list_global_allocation_templates",
        method="GET",
        path=_TEMPLATES,
        answer=_templates,
        about="List the global allocation templates.",
        tag=_TAG,
        reply="Templates",
        query=paging(),
    ),
    Operation(
        name="get_global_allocation_template_by_template_id",
        method="GET",
        path=f"{_TEMPLATES}/{{template_id}}",
        answer=_template,
        about="Get a global allocation template.",
        tag=_TAG,
        reply="Template",
        query=(_LOCALE,),
        headers=("ETag",),
    ),
)
