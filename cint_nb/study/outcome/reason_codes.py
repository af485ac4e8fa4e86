"""What became of a visit, from the two codes of a report: the client's, and the marketplace's.

The codes share numbers (30, 35, 38, 40 and 134 mean different things), so that there are two tables.
"""

from __future__ import annotations

from collections.abc import Mapping

from cint_nb.domain.arguments import check_arguments
from cint_nb.domain.errors import InputError

_NOT_RETURNED = -1
"""The client's code of a visit that never came back from the survey: the marketplace says why."""

_CLIENT: Mapping[str, tuple[int, ...]] = {
    "completed": (10, 11, 70),
    "reconciled": (26, 28, 38),
    "quality": (30, 33, 34, 60),
    "screened": (20, 80),
    "over_quota": (40,),
    "closed": (136,),
    "declined": (62, 66),
    "dropped": (1,),
    "failed": (35, 91, 134, 135, 137, 233, 235),
    "not_known": (110,),
}
_MARKETPLACE: Mapping[str, tuple[int, ...]] = {
    "quality": (32, 37, 38, 132, 133, 134, 234, 238, 241, 242),
    "screened": (23, 24, 237),
    "over_quota": (40, 41),
    "closed": (42,),
    "priced_out": (50,),
    "blocked": (21, 138, 139, 230),
    "duplicate": (30, 31, 35, 36),
    "declined": (120, 122, 125, 236),
    "dropped": (-6, -5, 1, 3, 98, 123, 124, 126),
    "failed": (-1, 131, 240, 243),
}
_WORD_OF_CLIENT = {code: word for word, codes in _CLIENT.items() for code in codes}
_WORD_OF_MARKETPLACE = {code: word for word, codes in _MARKETPLACE.items() for code in codes}


@check_arguments()
def reason_of(client: int | None, marketplace: int | None, reconciled: bool = False) -> str:
    """Return the word for what became of a visit, as the measures take it.

    Args:
        client: The client's response code, -1 or None where the visit did not come back from the survey.
        marketplace: The marketplace's code, None where the report has none. It decides only where the client's does
            not.
        reconciled: Whether the complete was taken back later: `completed` becomes `reconciled`.

    Returns:
        One of `completed`, `reconciled`, `quality`, `screened`, `over_quota`, `closed`, `priced_out`, `dropped`,
        `declined`, `blocked`, `duplicate`, `failed`; or `not_known`, where no code says it.

    Raises:
        InputError: a code is none that is documented; it is named, never taken for something else.

    Example:
        >>> from cint_nb.study.outcome.reason_codes import reason_of
        >>> reason_of(10, 3), reason_of(-1, 30), reason_of(30, 3), reason_of(None, None)
        ('completed', 'duplicate', 'quality', 'not_known')
    """
    if client is not None and client != _NOT_RETURNED:
        word = _known(_WORD_OF_CLIENT, client, "client")
    elif marketplace is not None:
        word = _known(_WORD_OF_MARKETPLACE, marketplace, "marketplace")
    else:
        word = "not_known"
    return "reconciled" if reconciled and word == "completed" else word


def _known(words: Mapping[int, str], code: int, whose: str) -> str:
    word = words.get(code)
    if word is None:
        raise InputError(
            f"The {whose} code {code} is not documented, so that it is not known what became of the visit.",
            evidence={"code": code, "whose": whose},
            safe="nothing was counted: an unknown code is neither a complete nor an absence.",
            next_step="ask Cint what the code means, and leave these visits out or name their reason yourself.",
        )
    return word
