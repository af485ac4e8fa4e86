"""Ids are compared in one form, masked wherever they are shown, and synthetic ones say that they are."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cint_nb.domain.ids import (
    EntityType,
    are_ids_by_line,
    is_respondent_id,
    is_synthetic,
    is_ulid,
    mask_id,
    mask_ids_in,
    normalise_id,
    normalise_ids,
    parse_entity_type,
    synthetic_id,
)

PLAIN = "0f1ce179-a917-4d4b-8a5e-0123456789ab"


@pytest.mark.parametrize(
    "written",
    [PLAIN, PLAIN.upper(), f" {PLAIN}\r\n", f'"{PLAIN}"', f"{{{PLAIN}}}", f"\ufeff{PLAIN}", f"\u200b{PLAIN}\u00a0"],
)
def test_every_way_of_writing_an_id_is_the_same_id(written: str) -> None:
    assert normalise_id(written) == PLAIN
    assert is_respondent_id(normalise_id(written))


@pytest.mark.parametrize("text", ["", "RSID", PLAIN[:-1], PLAIN + "0", PLAIN.replace("-", ""), "g" + PLAIN[1:]])
def test_other_texts_are_no_respondent_ids(text: str) -> None:
    assert not is_respondent_id(normalise_id(text))


def test_digits_of_other_scripts_are_no_ids() -> None:
    assert not is_respondent_id(PLAIN.replace("0", "\u0660"))


@pytest.mark.parametrize(
    ("word", "kind"),
    [("RSID", "RSID"), ("respondent_id", "RSID"), (" rid ", "RID"), ("RESPONSE_ID", "RID")],
)
def test_the_four_words_of_the_guide_name_two_kinds(word: str, kind: str) -> None:
    assert parse_entity_type(word) is EntityType(kind)


@pytest.mark.parametrize("word", ["", "PID", "RSIDS", "uuid"])
def test_other_words_are_refused(word: str) -> None:
    with pytest.raises(ValueError, match="one per person"):
        parse_entity_type(word)


def test_a_mask_keeps_four_characters_at_most() -> None:
    assert mask_id(PLAIN) == "••••89ab"
    assert mask_id("short") == "••••"


@pytest.mark.parametrize("written", [PLAIN, PLAIN.upper(), PLAIN.replace("-", ""), PLAIN.replace("-", "").upper()])
def test_an_id_within_a_text_is_masked_however_it_is_written(written: str) -> None:
    assert mask_ids_in(f"visit_{written}.csv") == f"visit_••••{written[-4:]}.csv"


@pytest.mark.parametrize("sign", [*string.punctuation, *string.whitespace, "·", "–", " - ", "%2D", "..", "%252d"])
def test_an_id_is_masked_whatever_sign_its_dashes_have_become(sign: str) -> None:
    assert mask_ids_in(f"visit {PLAIN.replace('-', sign)} ended") == "visit ••••89ab ended"


def test_synthetic_ids_repeat_and_can_be_told_from_real_ones() -> None:
    made = [synthetic_id("seed", number) for number in range(1_000)]
    assert made == [synthetic_id("seed", number) for number in range(1_000)]
    assert len(set(made)) == 1_000
    assert all(is_respondent_id(one) and is_synthetic(one) and is_synthetic(one.upper()) for one in made)
    assert not is_synthetic(PLAIN)


def test_a_ulid_has_26_capital_letters_and_digits() -> None:
    assert is_ulid("01JX2KPG5VEBF8498Z8YTTE8TB")
    assert not is_ulid("01jx2kpg5vebf8498z8ytte8tb")
    assert not is_ulid("Brand tracker")


@pytest.mark.parametrize(
    "page",
    [
        [],
        [PLAIN, PLAIN],
        [PLAIN, PLAIN.upper()],
        [PLAIN, f"{{{PLAIN}}}"],
        [f"{PLAIN}\n", PLAIN],
        [f" {PLAIN}", "\ufeff" + PLAIN],
        [PLAIN, 7, None],
        ["ä" + PLAIN],
    ],
)
def test_a_page_of_ids_is_normalised_as_each_of_them_is(page: list[object]) -> None:
    assert normalise_ids(page) == [normalise_id(str(text)) for text in page]


PIECES = st.sampled_from(
    [PLAIN, PLAIN.upper(), PLAIN[:18], PLAIN[18:], PLAIN.replace("-", "h"), "\n", "", "ä", "\ud800"]
)


@given(st.lists(st.one_of(st.sampled_from([PLAIN, PLAIN.upper()]), st.lists(PIECES, max_size=4).map("".join))))
def test_a_block_is_of_ids_where_each_of_its_texts_is_one(texts: list[str]) -> None:
    block = "".join(f"{text}\n" for text in texts).encode("utf-8", "replace")
    assert are_ids_by_line(block, len(texts)) == all(is_respondent_id(text.lower()) for text in texts)
