"""What a plan can choose from, as small tables: business units, managers, locales, industries, suppliers, questions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from cint_nb.domain.arguments import check_arguments
from cint_nb.domain.errors import InputError, NotFound
from cint_nb.domain.ids import masked_repr
from cint_nb.domain.profiling.questions import find_question, unknown_question_error
from cint_nb.wave.journaled_client import JournaledClient

if TYPE_CHECKING:
    import pandas as pd

Row = tuple[Any, ...]


@check_arguments()
class Choices:
    """The values a plan can choose from, as DataFrames: `client.choices.locales()`.

    Each is read once per client and kept; `refresh` has them read again. `search` keeps the rows in which any column
    contains the text, in any case.

    Created by `client.choices`.

    Example:
        >>> client.choices.business_units()
           business_unit_id             name currency      pricing_models
        0              1234   Sandbox Europe      EUR  dynamic, rate_card
        1              5678  Sandbox America      USD  dynamic, rate_card
    """

    def __init__(self, client: JournaledClient) -> None:
        self._client = client
        self._managers: list[Row] | None = None

    def business_units(self, search: str | None = None) -> pd.DataFrame:
        """Return the business units of the account.

        Args:
            search: Only rows that contain this text.

        Returns:
            A frame: `business_unit_id`, for the plan; `name`; `currency`, that of all prices; `pricing_models`, which a
            plan may have, joined by commas.

        Serves `GET /accounts/{account_id}/business-units`.

        Example:
            >>> client.choices.business_units()
               business_unit_id             name currency      pricing_models
            0              1234   Sandbox Europe      EUR  dynamic, rate_card
            1              5678  Sandbox America      USD  dynamic, rate_card
        """
        units = self._client.run(self._client.definitions.business_units())
        rows = [(unit.id, unit.name, unit.currency_code, _joined(unit.pricing_models)) for unit in units]
        return _frame(("business_unit_id", "name", "currency", "pricing_models"), rows, search)

    def project_managers(self, search: str | None = None) -> pd.DataFrame:
        """Return the users who can manage a project.

        Args:
            search: Only rows that contain this text.

        Returns:
            A frame: `project_manager_id`, for the plan; `name`.

        Serves `GET /accounts/{account_id}/users`.

        Example:
            >>> client.choices.project_managers().columns.tolist()
            ['project_manager_id', 'name']
        """
        if self._managers is None:
            users = self._client.run(self._client.definitions.users(project_managers=True))
            self._managers = [(user.id, user.name) for user in users]
        return _frame(("project_manager_id", "name"), self._managers, search)

    def locales(self, search: str | None = None) -> pd.DataFrame:
        """Return the languages and countries in which people can be asked.

        Args:
            search: Only rows that contain this text.

        Returns:
            A frame: `locale`, for the plan; `language`; `country`; `is_preferred`, whether the language is the usual
            one of the country.

        Serves `GET /locales`.

        Example:
            >>> client.choices.locales(search="canada")
               locale language country  is_preferred
            0  eng_ca  English  Canada          True
            1  fre_ca   French  Canada         False
        """
        rows = [
            (f"{language.code}_{each.country.code}".lower(), language.name, each.country.name, language.is_preferred)
            for each in self._client.run(self._client.definitions.locales())
            for language in each.languages
        ]
        return _frame(("locale", "language", "country", "is_preferred"), rows, search)

    def industries(self, search: str | None = None) -> pd.DataFrame:
        """Return the topics a survey can have.

        Args:
            search: Only rows that contain this text.

        Returns:
            A frame: `industry_code`, for the plan; `name`.

        Serves `GET /industries`.

        Example:
            >>> client.choices.industries(search="auto")
              industry_code        name
            0    automotive  Automotive
        """
        items = self._client.run(self._client.definitions.industries())
        return _frame(("industry_code", "name"), [(each.code, each.name) for each in items], search)

    def study_types(self, search: str | None = None) -> pd.DataFrame:
        """Return the kinds of study.

        Args:
            search: Only rows that contain this text.

        Returns:
            A frame: `study_type_code`, for the plan; `name`.

        Serves `GET /study-types`.

        Example:
            >>> client.choices.study_types(search="recontact")
              study_type_code       name
            0       recontact  Recontact
        """
        items = self._client.run(self._client.definitions.study_types())
        return _frame(("study_type_code", "name"), [(each.code, each.name) for each in items], search)

    def suppliers(self, search: str | None = None) -> pd.DataFrame:
        """Return the suppliers of the exchange, whose ids spelled-out allocations take as text.

        Args:
            search: Only rows that contain this text.

        Returns:
            A frame: `supplier_id`; `code`; `name`.

        Serves `GET /suppliers`.

        Example:
            >>> client.choices.suppliers().head(2)
               supplier_id  code                name
            0          201  S201  Sandbox supplier 1
            1          202  S202  Sandbox supplier 2
        """
        items = self._client.run(self._client.definitions.suppliers())
        return _frame(("supplier_id", "code", "name"), [(each.id, each.code, each.name) for each in items], search)

    def questions(self, locale: str, search: str | None = None) -> pd.DataFrame:
        """Return the profiling questions of a locale, the account's own included.

        Args:
            locale: Language and country, such as `ger_de`.
            search: Only questions that contain this text themselves or in an answer: the exchange searches. Without it
                the whole library is read, one request per 100 questions.

        Returns:
            A frame: `question_id` and `name`, either of which a `Profile` takes; `text` in the language of the locale
            and `text_english`; `kind`: `selection`, `range` or `open_ended`; `answers`, how many options there are;
            `standard`, whether every account has it. What is not shown is missing.

        Serves `GET …/questions-translation`.

        Example:
            >>> client.choices.questions("ger_de", search="gender")
               question_id    name                           text          text_english       kind  answers  standard
            0           43  GENDER  Welches Geschlecht haben Sie?  What is your gender?  selection        3      True
        """
        asked = self._client.definitions.questions(locale, search=search, custom=True)
        rows = [
            (
                each.id,
                each.name,
                each.description,
                each.description_translated,
                each.kind,
                None if each.targets is None else sum(target.option is not None for target in each.targets),
                each.standard,
            )
            for each in self._client.run(asked)
        ]
        columns = ("question_id", "name", "text", "text_english", "kind", "answers", "standard")
        return _frame(columns, rows, None).astype({"question_id": "Int64", "answers": "Int64"})

    def answers(self, locale: str, question: str | int) -> pd.DataFrame:
        """Return the answers of one question.

        Args:
            locale: Language and country, such as `ger_de`.
            question: Its name or id.

        Returns:
            A frame: `option`, its id; `text` in the language of the locale; `text_english`. A question that is answered
            with a number or a text has no rows.

        Raises:
            NotFound: the library has no such question.
            PlanError: it has several of the name.

        Example:
            >>> client.choices.answers("ger_de", "gender")
              option                 text       text_english
            0      1             Männlich               Male
            1      2             Weiblich             Female
            2  -3105  Keine der genannten  None of the above
        """
        ids = [question] if isinstance(question, int) else []
        listed = self._client.run(self._client.definitions.questions(locale, ids=ids, custom=True))
        found = find_question(question, listed)
        if found is None:
            unknown = unknown_question_error(question, locale, listed)
            raise NotFound(unknown.what, evidence=unknown.evidence, safe=unknown.safe, next_step=unknown.next_step)
        rows = [
            (each.option, each.text, each.text_translated) for each in found.targets or () if each.option is not None
        ]
        return _frame(("option", "text", "text_english"), rows, None)

    def refresh(self) -> None:
        """Forget what was read, so that it is read again when it is next asked for; nothing is sent.

        Example:
            >>> units = client.choices.business_units()
            >>> client.choices.refresh()
            >>> client.choices.business_units().equals(units)
            True
        """
        self._managers = None
        self._client.definitions.clear_cache()


def _joined(words: Sequence[str] | None) -> str | None:
    return None if words is None else ", ".join(words)


def _frame(columns: Sequence[str], rows: Iterable[Row], search: str | None) -> pd.DataFrame:

    from cint_nb.study.readable_frame import ReadableFrame

    if search is not None:
        wanted = search.strip().casefold()
        if not wanted:
            raise InputError(
                f"A search needs a text, not {masked_repr(search, 20)}.", next_step="leave search out to have all rows."
            )
        rows = [row for row in rows if any(wanted in str(value).casefold() for value in row if value is not None)]
    return ReadableFrame(list(rows), columns=list(columns))
