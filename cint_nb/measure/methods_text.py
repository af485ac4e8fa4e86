"""The paragraph that a journal asks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from cint_nb.domain.arguments import check_arguments
from cint_nb.domain.errors import InputError
from cint_nb.domain.ids import masked_repr
from cint_nb.measure.counting import CellCounts, count_cells
from cint_nb.measure.probability import refuse_conf, wilson_interval

_ABOUT = (
    "Participants were recruited from online sources; they are not a probability sample, so that no sampling error is "
    "defined. Rates are completion rates (COMR; Callegaro & DiSogra 2008), in AAPOR's terms participation rates: "
    "completed interviews among the people asked in a wave of whom the outcome is known. Intervals are {conf} % Wilson "
    "score intervals; they describe chance, and neither coverage nor selection."
)
_CAUSES = {
    "lower_bound": "a lower bound, because it closed before everybody could come ({cut_off} of them were cut off)",
    "provisional": "provisional, because the field is still open or the report was read before it closed",
}
_END = (
    "People who were not asked are in no denominator. Weights for attrition correct for what the attributes in their "
    "model explain; if staying depends on the answers themselves (missing not at random), bias remains, and these data "
    "cannot show it."
)
_ESCAPED = {"\\": r"\textbackslash{}", **{sign: "\\" + sign for sign in "%&_#$"}, "–": "--"}


@check_arguments()
def methods_text(
    frame: Any, *, waves: Sequence[int] | None = None, style: Literal["plain", "latex"] = "plain", conf: float = 0.95
) -> str:
    """Return the paragraph on participation for a methods section, with what is not known said as such.

    Formula: as `retention` with `base="asked"`.

    Source: what AAPOR's Standard Definitions (2023) and its transparency initiative ask to be said of samples that are
    no probability samples.

    Args:
        frame: Visits and listed persons, see `dispositions`, or its output.
        waves: The waves to name; all if None.
        style: `plain`, or `latex` with its special signs escaped.
        conf: Of the intervals, above 0.5 and below 1.

    Returns:
        Plain sentences, one per wave between an opening and an end; an empty text for an empty frame. No person and no
        id occurs in it.

    Raises:
        InputError: an argument or a column is wrong.

    Assumes: as `retention`.

    Warns: as `dispositions`; what weakens a rate is said in the text itself.

    Example:
        >>> import pandas as pd
        >>> import cint_nb as cint
        >>> visits = pd.DataFrame({
        ...     "person": [1, 2, 3, 4],
        ...     "wave": 1,
        ...     "reason": ["completed", "completed", "completed", None],
        ...     "closed_by": ["goal"] * 4,
        ... })
        >>> print(cint.measure.methods_text(visits).splitlines()[1])
        Wave 1: 3 of 4 people asked completed (75.0 %, interval 30.1 % to 95.4 %); this is a lower bound, because it \
closed before everybody could come (1 of them were cut off).
    """
    refuse_conf(conf)
    if style not in ("plain", "latex"):
        raise InputError(
            f"style is plain or latex, not {masked_repr(style, 40)}.",
            evidence={"field": "style"},
            next_step="leave it out for plain text.",
        )
    counted = count_cells(frame, by=None, base="asked", horizon=None)
    chosen = counted.people.choose_waves(waves)
    if not chosen:
        return ""
    sentences = [_ABOUT.format(conf=f"{100 * conf:g}")]
    sentences += [_sentence(cell.wave, counted.counts[cell], conf) for cell in counted.cells if cell.wave in chosen]
    text = "\n".join([*sentences, _END])
    if style == "plain":
        return text
    return "".join(_ESCAPED.get(sign, sign) for sign in text.replace(" %", "%"))


def _sentence(wave: int, counts: CellCounts, conf: float) -> str:
    missing = f"the report is missing for {counts.not_known} people" if counts.not_known else ""
    if not counts.n:
        return f"Wave {wave}: no rate can be given: {missing or 'nobody was asked'}."
    low, high = (f"{100 * limit:.1f} %" for limit in wilson_interval(counts.completed, counts.n, conf))
    share = f"{100 * counts.completed / counts.n:.1f} %"
    text = f"Wave {wave}: {counts.completed} of {counts.n} people asked completed ({share}, interval {low} to {high})"
    if counts.kind in _CAUSES:
        text += f"; this is {_CAUSES[counts.kind].format(cut_off=counts.cut_off)}"
    return f"{text}; {missing}, who are not counted." if missing else f"{text}."
