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
        """Forget what was read, so that the next call of each method asks the exchange again."""
        self._aio.clear_cache()

    def accounts(self) -> tuple[Account, ...]:
        """Return the accounts the credentials may use; `GET /accounts`."""
        return loop_thread.run(self._aio.accounts())

    def users(self, *, project_managers: bool = False) -> tuple[User, ...]:
        """Return the users of the account; `GET /accounts/{account_id}/users`.

        Args:
            project_managers: Return only those who can manage a project.
        """
        return loop_thread.run(self._aio.users(project_managers=project_managers))

    def business_units(self) -> tuple[BusinessUnit, ...]:
        """Return the business units with their currencies; `GET /accounts/{account_id}/business-units`."""
        return loop_thread.run(self._aio.business_units())

    def user_business_unit(self, user_id: str) -> int | None:
        """Return the number of a user's business unit; None if there is none."""
        return loop_thread.run(self._aio.user_business_unit(user_id))

    def locales(self) -> tuple[Locale, ...]:
        """Return the countries with their languages; `GET /locales`."""
        return loop_thread.run(self._aio.locales())

    def industries(self) -> tuple[DefinitionItem, ...]:
        """Return the industries; `GET /industries`."""
        return loop_thread.run(self._aio.industries())

    def study_types(self) -> tuple[DefinitionItem, ...]:
        """Return the study types, among them `recontact`; `GET /study-types`."""
        return loop_thread.run(self._aio.study_types())

    def suppliers(self) -> tuple[Supplier, ...]:
        """Return the suppliers of the exchange; `GET /suppliers`."""
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
        """
        return loop_thread.run(self._aio.questions(locale, ids=ids, search=search, custom=custom))

    def allocation_templates(self) -> tuple[AllocationTemplate, ...]:
        """Return the global allocation templates, without their suppliers; `GET /demand/allocation-templates`."""
        return loop_thread.run(self._aio.allocation_templates())

    def allocation_template(self, template_id: str) -> AllocationTemplate:
        """Read a global allocation template with its suppliers; `GET /demand/allocation-templates/{template_id}`."""
        return loop_thread.run(self._aio.allocation_template(template_id))
