"""Money is read as people write it, or refused: never as another amount."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from cint_nb.domain.errors import PlanError
from cint_nb.domain.models import Amount
from cint_nb.domain.plan import Money, TargetGroupPlan
from tests.support.constants import START
from tests.support.plans import make_plan
from tests.support.strategies import any_text

AMOUNTS = st.builds(lambda whole, decimals: (whole, decimals), st.integers(0, 10**9), st.text("0123456789", max_size=4))
DIGITS = [
    "0123456789",
    "\u0660\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668\u0669",
    "\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19",
]
GROUPINGS = ["", ",", ".", " ", "\u00a0", "\u202f", "\u2009", "'", "\u2019"]
UNITS = {"EUR": "EUR", "eur": "EUR", "Gbp": "GBP", "\u20ac": "EUR", "\u00a3": "GBP"}


def write(whole: int, decimals: str, grouping: str, sign: str, digits: str) -> str:
    text = f"{whole:,}".replace(",", grouping) + (sign + decimals if decimals else "")
    return text.translate(str.maketrans("0123456789", digits))


def is_clear(whole: int, decimals: str, grouping: str, sign: str) -> bool:
    """Whether a text can be read in one way only, by the rules of `Money.parse`."""
    groups = whole >= 1_000 and grouping != ""
    if groups and decimals:
        return grouping != sign
    if groups and grouping in ",.":
        return whole >= 1_000_000
    return not (decimals and sign == "," and len(decimals) == 3 and not groups)


def parse(text: str) -> Money | PlanError:
    try:
        return Money.parse(text)
    except PlanError as error:
        return error


@given(
    AMOUNTS,
    st.sampled_from(GROUPINGS),
    st.sampled_from(".,"),
    st.sampled_from(DIGITS),
    st.sampled_from(sorted(UNITS)),
    st.sampled_from(
        ["{amount} {unit}", "{unit} {amount}", "{amount}{unit}", "{unit}{amount}", "  {amount}\u00a0{unit}\n"]
    ),
)
def test_a_text_that_can_be_read_in_one_way_is_read_so(
    amount: tuple[int, str], grouping: str, sign: str, digits: str, unit: str, form: str
) -> None:
    whole, decimals = amount
    text = form.format(amount=write(whole, decimals, grouping, sign, digits), unit=unit)
    if is_clear(whole, decimals, grouping, sign):
        assert Money.parse(text) == Money(value=Decimal(f"{whole}.{decimals}"), currency_code=UNITS[unit])


@given(AMOUNTS, st.sampled_from(GROUPINGS), st.sampled_from(".,"))
@example((2, "735"), "", ",")
@example((2_735, ""), ",", ".")
@example((2_735, ""), ".", ",")
def test_no_text_is_read_as_another_amount(amount: tuple[int, str], grouping: str, sign: str) -> None:
    whole, decimals = amount
    assume(not (grouping == sign and decimals and whole >= 1_000))  # nobody has one sign for both
    text = write(whole, decimals, grouping, sign, DIGITS[0])
    # A point alone is the decimal sign, whoever meant thousands by it: it is Python's own.
    point_alone = text.count(".") == 1 and "," not in text and not decimals
    read = parse(f"{text} EUR")
    if isinstance(read, Money):
        assert read.value == Decimal(f"{whole}.{decimals}") or point_alone
    else:
        assert not is_clear(whole, decimals, grouping, sign)


@given(st.integers(0, 9_999), st.integers(0, 999))
def test_a_comma_alone_before_three_digits_is_refused_with_both_readings(whole: int, rest: int) -> None:
    with pytest.raises(PlanError, match="in two ways") as caught:
        Money.parse(f"{whole},{rest:03} EUR")
    assert caught.value.next_step == f"write '{whole}.{rest:03} EUR' or '{whole}{rest:03} EUR'."


@given(st.decimals(0, 10**12, places=4) | st.integers(0, 10**9).map(Decimal))
def test_an_amount_that_is_shown_can_be_read_again(value: Decimal) -> None:
    for shown in (str(Money(value=value, currency_code="EUR")), str(Amount(value=value, currency_code="EUR"))):
        assert Money.parse(shown).value == value


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("1094.0800", "1,094.08 EUR"), ("273.5000", "273.50 EUR"), ("2.7352", "2.7352 EUR"), ("2.7350", "2.735 EUR"),
        ("3.0000", "3.00 EUR"), ("500", "500 EUR"), ("1000", "1,000.00 EUR"),
    ],
)  # fmt: skip
def test_zeros_behind_the_second_decimal_are_not_shown(value: str, shown: str) -> None:
    assert str(Money(value=Decimal(value), currency_code="EUR")) == shown
    assert str(Amount(value=Decimal(value), currency_code="EUR")) == shown


@given(any_text(20) | st.text("0123456789.,' \u20ac$EUR-+()eNaInf", max_size=14))
def test_any_other_text_is_refused_and_never_an_error_of_python(text: str) -> None:
    read = parse(text)
    assert read.value >= 0 if isinstance(read, Money) else read.next_step


@pytest.mark.parametrize(
    "text",
    [
        "", "5", "EUR", "1,,4 EUR", ",400 EUR", ".5 EUR", "5. EUR", "1e3 EUR", "1,40,000 EUR", "1 40 EUR", "EUR 5 USD",
        "-5 EUR", "\u22125 EUR", "5- EUR", "(5 EUR)", "+5 EUR", "NaN EUR", "inf EUR", "5 NaN", "5 inf",
        "10\u00b2 EUR", "\u00bd EUR", "cheap",
    ],
)  # fmt: skip
def test_what_is_no_amount_is_refused_with_what_was_given(text: str) -> None:
    with pytest.raises(PlanError) as caught:
        Money.parse(text)
    assert caught.value.evidence["given"] == repr(text)
    assert "1400 EUR" in str(caught.value.next_step)


@pytest.mark.parametrize("text", ["$5", "5 $", "US$ 5", "\uff045", "\u00a55", "5 \uffe5"])
def test_a_sign_of_several_currencies_is_refused_and_the_codes_named(text: str) -> None:
    with pytest.raises(PlanError, match="several currencies") as caught:
        Money.parse(text)
    assert "USD" in str(caught.value.next_step) or "JPY" in str(caught.value.next_step)


@pytest.mark.parametrize("given", [None, True, 5, 2.5, Decimal(5), b"5 EUR", ["5 EUR"], {"value": 5}])
def test_only_text_is_parsed(given: Any) -> None:
    with pytest.raises(PlanError, match="not valid"):
        Money.parse(given)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"value": 5},
        {"value": -1, "currency_code": "EUR"},
        {"value": float("nan"), "currency_code": "EUR"},
        {"value": float("inf"), "currency_code": "EUR"},
        {"value": True, "currency_code": "EUR"},
        {"value": 5, "currency_code": "eur"},
        {"value": 5, "currency_code": None},
    ],
)
def test_an_amount_made_of_wrong_parts_is_refused_in_words(fields: dict[str, Any]) -> None:
    with pytest.raises(PlanError, match="not valid"):
        Money(**fields)


def test_a_plan_says_how_its_price_can_be_read() -> None:
    with pytest.raises(PlanError) as caught:
        make_plan(START, cost_per_interview="2,735 EUR")
    assert "cost_per_interview" in str(caught.value)
    assert "2.735 EUR or 2735 EUR" in str(caught.value)
    assert isinstance(make_plan(START, cost_per_interview="2,7352 EUR"), TargetGroupPlan)
