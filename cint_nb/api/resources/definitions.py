"""Definitions: what filling in a draft requires. They rarely change and are cached per client."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from cint_nb.api import operations as ops
from cint_nb.api.parsing import parse, parse_item, parse_list
from cint_nb.domain.arguments import check_arguments
from cint_nb.domain.definitions import (
    Account,
    AllocationTemplate,
    BusinessUnit,
    DefinitionItem,
    Locale,
    Supplier,
    User,
)
from cint_nb.domain.models import ApiModel
from cint_nb.domain.profiling.questions import Question
from cint_nb.wire.http import Http
from cint_nb.wire.pages import iter_items

Model = TypeVar("Model", bound=ApiModel)


@check_arguments()
class Definitions:
    """Accounts, users, business units, locales, industries, study types, suppliers, questions, allocation templates."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self._cache: dict[str, tuple[ApiModel, ...]] = {}

    def clear_cache(self) -> None:
        """Forget what was read, so that the next call of each method asks the exchange again.

        Example:
            >>> accounts = client.definitions.accounts()
            >>> sent = client.requests_sent
            >>> client.definitions.clear_cache()
            >>> client.definitions.accounts() == accounts, client.requests_sent - sent
            (True, 1)
        """
        self._cache.clear()

    async def accounts(self) -> tuple[Account, ...]:
        """Return the accounts the credentials may use; `GET /accounts`.

        Example:
            >>> client.definitions.accounts()
            (Account(id=101, name='Sandbox Research'),)
        """
        return await self._read_cached(ops.LIST_ACCOUNTS, Account, "accounts")

    async def users(self, *, project_managers: bool = False) -> tuple[User, ...]:
        """Return the users of the account; `GET /accounts/{account_id}/users`.

        Args:
            project_managers: Return only those who can manage a project.

        Example:
            >>> len(client.definitions.users(project_managers=True))
            2
        """
        query = {"user_type": "project_manager" if project_managers else None}
        return parse_list(User, await self._http.send(ops.LIST_USERS.make_call(query=query)), "users")

    async def business_units(self) -> tuple[BusinessUnit, ...]:
        """Return the business units with their currencies; `GET /accounts/{account_id}/business-units`.

        Example:
            >>> [(unit.id, unit.currency_code) for unit in client.definitions.business_units()]
            [(1234, 'EUR'), (5678, 'USD')]
        """
        return await self._read_cached(ops.LIST_BUSINESS_UNITS, BusinessUnit, "business_units")

    async def user_business_unit(self, user_id: str) -> int | None:
        """Return the number of a user's business unit; None if there is none.

        Example:
            >>> client.definitions.user_business_unit(cint.sandbox.PROJECT_MANAGER_ID)
            1234
        """
        reply = await self._http.send(ops.GET_USER_BUSINESS_UNIT.make_call({"user_id": user_id}))
        found = reply.json_object().get("business_unit_id")
        return int(found) if found is not None else None

    async def locales(self) -> tuple[Locale, ...]:
        """Return the countries with their languages; `GET /locales`.

        Example:
            >>> [locale.codes() for locale in client.definitions.locales() if locale.country.code.lower() == "ca"]
            [('eng_ca', 'fre_ca')]
        """
        return await self._read_cached(ops.LIST_LOCALES, Locale, "locales")

    async def industries(self) -> tuple[DefinitionItem, ...]:
        """Return the industries; `GET /industries`.

        Example:
            >>> client.definitions.industries()[0]
            DefinitionItem(id=1, code='automotive', name='Automotive')
        """
        return await self._read_cached(ops.LIST_INDUSTRIES, DefinitionItem, "industries")

    async def study_types(self) -> tuple[DefinitionItem, ...]:
        """Return the study types, among them `recontact`; `GET /study-types`.

        Example:
            >>> [each.code for each in client.definitions.study_types()]
            ['adhoc', 'diary', 'ihut', 'community_recruit', 'incidence_check', 'recruit', 'recontact', 'tracker']
        """
        return await self._read_cached(ops.LIST_STUDY_TYPES, DefinitionItem, "study_types")

    async def suppliers(self) -> tuple[Supplier, ...]:
        """Return the suppliers of the exchange; `GET /suppliers`.

        Example:
            >>> client.definitions.suppliers()[0]
            Supplier(id=201, code='S201', name='Sandbox supplier 1')
        """
        return await self._read_cached(ops.LIST_SUPPLIERS, Supplier, "suppliers")

    async def questions(
        self, locale: str, *, ids: Sequence[int] = (), search: str | None = None, custom: bool = False
    ) -> tuple[Question, ...]:
        """Return questions of a locale's library with their answers; one request per 100 of them.

        Args:
            locale: Language and country, such as `ger_de`.
            ids: Only the questions with these ids.
            search: Only those whose question or answers contain this text. Without it, and without `ids`, the whole
                library is read.
            custom: Whether to include the account's own questions.

        Serves `GET …/questions-translation`.

        Example:
            >>> [question.name for question in client.definitions.questions("ger_de", search="gender")]
            ['GENDER']
        """
        query = {
            "locale": locale,
            "id": ",".join(map(str, ids)) or None,
            "query": search or None,
            "allow_custom_quals": True if custom else None,
        }
        key = f"{ops.LIST_QUESTIONS.name} {query}"
        if key not in self._cache:
            call = ops.LIST_QUESTIONS.make_call(query=query)
            rows = iter_items(self._http, call, items_key="profiles", total_key="total")
            self._cache[key] = tuple([parse_item(Question, row, call) async for row in rows])
        return tuple(row for row in self._cache[key] if isinstance(row, Question))

    async def allocation_templates(self) -> tuple[AllocationTemplate, ...]:
        """Return the global allocation templates, without their suppliers; `GET /demand/allocation-templates`.

        Example:
            >>> [template.name for template in client.definitions.allocation_templates()]
            ['Recontact', 'Open exchange']
        """
        call = ops.LIST_TEMPLATES.make_call()
        return tuple(
            [
                parse_item(AllocationTemplate, row, call)
                async for row in iter_items(self._http, call, items_key="templates")
            ]
        )

    async def allocation_template(self, template_id: str) -> AllocationTemplate:
        """Read a global allocation template with its suppliers; `GET /demand/allocation-templates/{template_id}`.

        Example:
            >>> template = client.definitions.allocation_templates()[0]
            >>> client.definitions.allocation_template(template.template_id).name
            'Recontact'
        """
        return parse(
            AllocationTemplate, await self._http.send(ops.GET_TEMPLATE.make_call({"template_id": template_id}))
        )

    async def _read_cached(self, operation: ops.Operation, model: type[Model], key: str) -> tuple[Model, ...]:
        if operation.name not in self._cache:
            self._cache[operation.name] = parse_list(model, await self._http.send(operation.make_call()), key)
        return tuple(row for row in self._cache[operation.name] if isinstance(row, model))
