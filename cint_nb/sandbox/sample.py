"""Writing a sample respondent file as analysts have them: dirty, and with ids the exchange rejects."""

from __future__ import annotations

import os
import random
from collections.abc import Mapping
from pathlib import Path

from cint_nb.domain import limits
from cint_nb.domain.arguments import check_arguments
from cint_nb.domain.errors import InputError, SettingsError
from cint_nb.domain.ids import EntityType, masked_repr, parse_entity_type
from cint_nb.output_files import write_new_file
from cint_nb.sandbox.world.population import rid_of, rsid_of, visit_count

# Shares of lines; assumptions. At least one line of each kind from 40 lines on.
_BLANK, _MALFORMED, _DUPLICATE = 0.004, 0.006, 0.015
_UPPER, _QUOTED, _BRACED, _SPACED = 0.30, 0.02, 0.005, 0.01
_BROKEN = ("n/a", "test", "00000000", "#REF!")
_BOM = "\ufeff"


def sandbox_seed(environ: Mapping[str, str] = os.environ) -> int:
    """Return the seed `connect()` gives the sandbox of this process: CINT_NB_SEED, else 1.

    Raises:
        SettingsError: when the variable is not a whole number.
    """
    text = environ.get("CINT_NB_SEED", "").strip()
    try:
        return int(text or 1)
    except ValueError:
        raise SettingsError(
            f"The seed must be a whole number; got {masked_repr(text, 40)}.",
            evidence={"variable": "CINT_NB_SEED"},
            next_step="set it to a number such as 1, or unset it.",
        ) from None


@check_arguments()
def write_sample(
    path: Path | str,
    lines: int = 10_000,
    seed: int | None = None,
    entity_type: str = "RSID",
    *,
    overwrite: bool = False,
) -> Path:
    """Write a synthetic respondent file with the dirt real files have, the same for the same arguments.

    It starts with a byte-order mark and ends its lines with CRLF. Ids are in upper and lower case, some in quotes,
    braces or spaces; some lines are blank, malformed or repeat an earlier id in another form. Of the well-formed ids
    the sandbox rejects about 2 % permanently and about 1 % at the first attempt only.

    Args:
        path: File to write; a `.csv` or `.txt`.
        lines: Number of lines, 1 or more.
        seed: With the sandbox's own seed, its response ids are known there; when omitted, that of `connect()`.
        entity_type: `RSID` or `RID`.
        overwrite: Whether to replace an existing file, such as the sample of an earlier run.

    Returns:
        The path.

    Raises:
        InputError: for fewer than one line or an unknown entity type, or if another file exists there.

    Serves the recontact guide, prerequisites and step 2.

    Example:
        >>> path = cint.sandbox.write_sample("respondents.csv", lines=60)
        >>> len(path.read_text(encoding="utf-8-sig").splitlines())
        60
    """
    if not 1 <= lines <= limits.SOURCE_MAX_LINES:
        raise InputError(
            f"A sample cannot have {masked_repr(lines, 40)} lines.",
            next_step=f"pass a number from 1 to {limits.SOURCE_MAX_LINES:,}.",
        )
    id_type = _entity_type(entity_type)
    seed = sandbox_seed() if seed is None else seed
    rng = random.Random(f"{seed}:{lines}:{entity_type}")  # noqa: S311 - repeatable on purpose
    kinds = _plan_lines(lines, rng)
    unused = _ids(seed, kinds.count("id"), id_type)
    written: list[str] = []
    used: list[str] = []
    for kind in kinds:
        if kind == "blank":
            written.append(rng.choice(("", "", "   ")))
        elif kind == "malformed":
            written.append(_malformed(rng))
        elif kind == "duplicate":
            written.append(_vary_form(rng.choice(used), rng))
        else:
            used.append(unused.pop())
            written.append(_vary_form(used[-1], rng))
    return write_new_file(path, (_BOM + "\r\n".join(written) + "\r\n").encode("utf-8"), overwrite=overwrite)


def _entity_type(word: str) -> EntityType:
    try:
        return parse_entity_type(word)
    except ValueError as error:
        raise InputError(f"{error}.", next_step="write RSID or RID.") from None


def _plan_lines(lines: int, rng: random.Random) -> list[str]:
    """Decide the kind of each line: the first and the last are ids, so that neither mark nor end is in doubt."""
    counts = {"blank": _BLANK, "malformed": _MALFORMED, "duplicate": _DUPLICATE}
    middle: list[str] = []
    if lines >= 40:
        for kind, share in counts.items():
            middle += [kind] * max(1, round(lines * share))
    middle += ["id"] * max(0, lines - 2 - len(middle))
    rng.shuffle(middle)
    return (["id", *middle, "id"])[:lines] if lines > 1 else ["id"]


def _ids(seed: int, count: int, kind: EntityType) -> list[str]:
    """Return ids, the last to be used first; response ids belong to people, some of whom appear twice."""
    if kind is EntityType.RSID:
        return [rsid_of(seed, number) for number in reversed(range(count))]
    created: list[str] = []
    number = 0
    while len(created) < count:
        # Every tenth person with several visits appears with two of them.
        again = 2 if visit_count(number) > 1 and number % 10 == 1 else 1
        created += [rid_of(seed, number, visit) for visit in range(again)]
        number += 1
    return created[:count][::-1]


def _vary_form(identifier: str, rng: random.Random) -> str:
    text = identifier.upper() if rng.random() < _UPPER else identifier
    draw = rng.random()
    if draw < _QUOTED:
        return f'"{text}"'
    if draw < _QUOTED + _BRACED:
        return "{" + text + "}"
    if draw < _QUOTED + _BRACED + _SPACED:
        return f"  {text} "
    return text


def _malformed(rng: random.Random) -> str:
    draw = rng.random()
    if draw < 0.3:
        return rng.choice(_BROKEN)
    text = rsid_of(-1, rng.randrange(10**6))
    if draw < 0.6:
        return text[:-2]
    if draw < 0.8:
        return text.replace("-", "")
    return f"g{text[1:]}"
