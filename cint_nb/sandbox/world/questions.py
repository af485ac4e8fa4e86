"""The question library of the simulated exchange: questions, their answers, and both in the language of a locale.

The ids of age, gender, zip code, Hispanic origin and stores are those of the vendor's document, 96 and 8214 those of
public ones; 633 and the options of 96 are the sandbox's own. Texts are in German, French or Spanish where that is the
language of the locale, and in English elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["selection", "range", "open_ended"]
Words: TypeAlias = dict[str, str]
"""A text by language; English is always there."""

RANGE_BOUNDS = (1, 99)


@dataclass(frozen=True)
class LibraryOption:
    """One answer of a question."""

    id: str
    text: Words


@dataclass(frozen=True)
class LibraryQuestion:
    """One question of the library.

    Args:
        id: Its id.
        name: Its name.
        text: The question.
        kind: How it is answered.
        options: Its answers, where there are some to choose from.
        mask: What a text must look like: as many characters as this; None where any will do.
        punch: The exchange's word for its kind.
        standard: Whether every account has it.
        countries: The countries whose library has it; None for all.
    """

    id: int
    name: str
    text: Words
    kind: Kind = "selection"
    options: tuple[LibraryOption, ...] = ()
    mask: str | None = None
    punch: str = "Single Punch"
    standard: bool = True
    countries: frozenset[str] | None = None


def _options(**texts: tuple[str, str, str, str]) -> tuple[LibraryOption, ...]:
    return tuple(
        LibraryOption(
            name.removeprefix("o").replace("_", "-"), dict(zip(("eng", "ger", "fre", "spa"), words, strict=True))
        )
        for name, words in texts.items()
    )


def _same(*texts: str) -> tuple[LibraryOption, ...]:
    return tuple(LibraryOption(str(number), {"eng": text}) for number, text in enumerate(texts, start=1))


QUESTIONS: tuple[LibraryQuestion, ...] = (
    LibraryQuestion(
        42,
        "AGE",
        {
            "eng": "What is your age?",
            "ger": "Wie alt sind Sie?",
            "fre": "Quel âge avez-vous ?",
            "spa": "¿Cuántos años tiene?",
        },
        kind="range",
        mask="XX",
        punch="Numeric - Open-end",
    ),
    LibraryQuestion(
        43,
        "GENDER",
        {
            "eng": "What is your gender?",
            "ger": "Welches Geschlecht haben Sie?",
            "fre": "Quel est votre sexe ?",
            "spa": "¿Cuál es su género?",
        },
        options=_options(
            o1=("Male", "Männlich", "Homme", "Hombre"),
            o2=("Female", "Weiblich", "Femme", "Mujer"),
            o_3105=("None of the above", "Keine der genannten", "Aucune de ces réponses", "Ninguno de los anteriores"),
        ),
    ),
    LibraryQuestion(
        45,
        "ZIP",
        {
            "eng": "What is your zip code?",
            "ger": "Wie lautet Ihre Postleitzahl?",
            "fre": "Quel est votre code postal ?",
            "spa": "¿Cuál es su código postal?",
        },
        kind="open_ended",
        mask="XXXXX",
        punch="Numeric - Open-end",
    ),
    LibraryQuestion(
        47,
        "HISPANIC",
        {"eng": "Are you of Hispanic or Latino origin?", "spa": "¿Es usted de origen hispano o latino?"},
        options=(
            LibraryOption("1", {"eng": "No, not of Hispanic or Latino origin", "spa": "No, de ningún origen hispano"}),
            LibraryOption("2", {"eng": "Yes, Mexican", "spa": "Sí, mexicano"}),
            LibraryOption("3", {"eng": "Yes, Cuban", "spa": "Sí, cubano"}),
            LibraryOption("14", {"eng": "Other", "spa": "Otro"}),
        ),
        countries=frozenset({"us"}),
    ),
    LibraryQuestion(
        63,
        "STORES 1",
        {"eng": "At which of these stores do you shop for groceries?"},
        options=(
            *_same("Corner shop", "Supermarket", "Discounter", "Market", "Online"),
            LibraryOption("-3105", {"eng": "None of the above"}),
        ),
        punch="Multi Punch",
        standard=False,
    ),
    LibraryQuestion(
        96,
        "REGION",
        {
            "eng": "In which part of the country do you live?",
            "ger": "In welchem Teil des Landes wohnen Sie?",
            "fre": "Dans quelle partie du pays habitez-vous ?",
            "spa": "¿En qué parte del país vive?",
        },
        options=_options(
            o1=("North", "Norden", "Nord", "Norte"),
            o2=("East", "Osten", "Est", "Este"),
            o3=("South", "Süden", "Sud", "Sur"),
            o4=("West", "Westen", "Ouest", "Oeste"),
        ),
    ),
    LibraryQuestion(
        633,
        "EDUCATION",
        {
            "eng": "What is your highest level of education?",
            "ger": "Welchen höchsten Bildungsabschluss haben Sie?",
            "fre": "Quel est votre niveau d'études ?",
            "spa": "¿Cuál es su nivel de estudios?",
        },
        options=_options(
            o1=("Low", "Niedrig", "Bas", "Bajo"),
            o2=("Middle", "Mittel", "Moyen", "Medio"),
            o3=("High", "Hoch", "Élevé", "Alto"),
        ),
    ),
    LibraryQuestion(
        8214,
        "IS_MOBILE",
        {"eng": "Are you answering on a mobile device?", "ger": "Antworten Sie auf einem Mobilgerät?"},
        options=(
            LibraryOption("true", {"eng": "Mobile device", "ger": "Mobilgerät"}),
            LibraryOption("false", {"eng": "Another device", "ger": "Anderes Gerät"}),
        ),
        punch="Dummy",
    ),
)
BY_ID = {question.id: question for question in QUESTIONS}
ZIP_ID = 45


def library_of(locale: str) -> list[LibraryQuestion]:
    """Return the questions of a locale."""
    country = locale.partition("_")[2]
    return [question for question in QUESTIONS if question.countries is None or country in question.countries]


def text_in(words: Words, locale: str) -> str:
    """Return a text in the language of a locale, or in English."""
    return words.get(locale.partition("_")[0], words["eng"])
