"""Definitions as plain verbs."""

# Generated from cint_nb/api/resources/definitions.py by `nox -s plain`; change that file instead.

from __future__ import annotations

from collections.abc import Sequence

from cint_nb.api.resources import definitions
from cint_nb.domain.definitions import Account, AllocationTemplate, BusinessUnit, DefinitionItem, Locale, Supplier, User
from cint_nb.domain.profiling.questions import Question
from cint_nb.wire import loop_thread


class Definitions:
    """Accounts, users, business units, locales, industries, study types, suppliers, questions, allocation templates."""

    def __init__(self, aio: definitions.Definitions) -> None:
        self._aio = aio

    def clear_cache(self) -> None:
        """Forget what was read, so that the next call of each method asks the exchange again.

        Example:
            >>> accounts = client.definitions.accounts()
            >>> sent = client.requests_sent
            >>> client.definitions.clear_cache()
            >>> client.definitions.accounts() == accounts, client.requests_sent - sent
            (True, 1)
        """
        self._aio.clear_cache()

    def accounts(self) -> tuple[Account, ...]:
        """Return the accounts the credentials may use; `GET /accounts`.

        Example:
            >>> client.definitions.accounts()
            (Account(id=101, name='Sandbox Research'),)
        """
        return loop_thread.run(self._aio.accounts())

    def users(self, *, project_managers: bool = False) -> tuple[User, ...]:
        """Return the users of the account; `GET /accounts/{account_id}/users`.

        Args:
            project_managers: Return only those who can manage a project.

        Example:
            >>> len(client.definitions.users(project_managers=True))
            2
        """
        return loop_thread.run(self._aio.users(project_managers=project_managers))

    def business_units(self) -> tuple[BusinessUnit, ...]:
        """Return the business units with their currencies; `GET /accounts/{account_id}/business-units`.

        Example:
            >>> [(unit.id, unit.currency_code) for unit in client.definitions.business_units()]
            [(1234, 'EUR'), (5678, 'USD')]
        """
        return loop_thread.run(self._aio.business_units())

    def user_business_unit(self, user_id: str) -> int | None:
        """Return the number of a user's business unit; None if there is none.

        Example:
            >>> client.definitions.user_business_unit(cint.sandbox.PROJECT_MANAGER_ID)
            1234
        """
        return loop_thread.run(self._aio.user_business_unit(user_id))

    def locales(self) -> tuple[Locale, ...]:
        """Return the countries with their languages; `GET /locales`.

        Example:
            >>> [locale.codes() for locale in client.definitions.locales() if locale.country.code.lower() == "ca"]
            [('eng_ca', 'fre_ca')]
        """
        return loop_thread.run(self._aio.locales())

    def industries(self) -> tuple[DefinitionItem, ...]:
        """Return the industries; `GET /industries`.

        Example:
            >>> client.definitions.industries()[0]
            DefinitionItem(id=1, code='automotive', name='Automotive')
        """
        return loop_thread.run(self._aio.industries())

    def study_types(self) -> tuple[DefinitionItem, ...]:
        """Return the study types, among them `recontact`; `GET /study-types`.

        Example:
            >>> [each.code for each in client.definitions.study_types()]
            ['adhoc', 'diary', 'ihut', 'community_recruit', 'incidence_check', 'recruit', 'recontact', 'tracker']
        """
        return loop_thread.run(self._aio.study_types())

    def suppliers(self) -> tuple[Supplier, ...]:
        """Return the suppliers of the exchange; `GET /suppliers`.

        Example:
            >>> client.definitions.suppliers()[0]
            Supplier(id=201, code='S201', name='Sandbox supplier 1')
        """
        return loop_thread.run(self._aio.suppliers())

    def questions(
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
        return loop_thread.run(self._aio.questions(locale, ids=ids, search=search, custom=custom))

    def allocation_templates(self) -> tuple[AllocationTemplate, ...]:
        """Return the global allocation templates, without their suppliers; `GET /demand/allocation-templates`.

        Example:
            >>> [template.name for template in client.definitions.allocation_templates()]
            ['Recontact', 'Open exchange']
        """
        return loop_thread.run(self._aio.allocation_templates())

    def allocation_template(self, template_id: str) -> AllocationTemplate:
        """Read a global allocation template with its suppliers; `GET /demand/allocation-templates/{template_id}`.

        Example:
            >>> template = client.definitions.allocation_templates()[0]
            >>> client.definitions.allocation_template(template.template_id).name
            'Recontact'
        """
        return loop_thread.run(self._aio.allocation_template(template_id))
