"""The chain of a panel: who completed every wave so far, and the model of each step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import narwhals as nw

from cint_nb.caller_warnings import warn_caller
from cint_nb.domain.errors import InputError
from cint_nb.measure.attrition.attributes import Attribute, read_attributes, refuse_missing_report, warn_not_asked
from cint_nb.measure.attrition.logit import SeparationError, fit_logit, load, make_design, refuse_separation
from cint_nb.measure.frames import Origin, fetch
from cint_nb.measure.people import read_people
from cint_nb.measure.words import COMPLETED, CUT_OFF, NOT_KNOWN

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Method = Literal["logit", "classes"]
_DECIMALS = 10
"""Of a probability, in comparing two of them."""


class UnusableError(Exception):
    """A step that has no weights; `reason` says why, None that the attributes separate who stayed."""

    def __init__(self, wave: int, reason: str | None = None) -> None:
        self.wave = wave
        self.reason = reason
        super().__init__(wave, reason)


@dataclass(frozen=True)
class Step:
    """One wave after the first.

    Args:
        wave: Its number.
        members: Places of the people who completed every wave before it, and of whom its answer is known.
        stayed: 1 for those of them who completed it, else 0.
    """

    wave: int
    members: list[int]
    stayed: list[int]


@dataclass(frozen=True)
class Chain:
    """The people who completed the first wave, and what became of them.

    Args:
        persons: Their keys, sorted.
        first: The first wave.
        steps: Of the later waves.
        attributes: Of these people.
        base: Their weights before any attrition.
        origin: The library results go to.
    """

    persons: list[Any]
    first: int
    steps: list[Step]
    attributes: list[Attribute]
    base: list[float]
    origin: Origin


def read_chain(
    frame: Any,
    attributes: Any,
    *,
    columns: Sequence[str] | None,
    waves: Sequence[int] | None,
    base_weight: str | None,
    cut_off: str,
    verb: str,
) -> Chain:
    """Return the chain of a frame.

    Raises:
        InputError: there are no two waves, a wave is still open, people were cut off, a report is missing, or an
            attribute or a base weight is not known.
    """
    people = read_people(frame)
    chosen = people.choose_waves(waves)
    if len(chosen) < 2:
        raise InputError(
            "Weights for attrition need two waves or more.",
            evidence={"waves": ", ".join(map(str, chosen)) or "none"},
            next_step="add the next wave, or choose two.",
        )
    completes = people.data.filter(nw.col("wave") == chosen[0]).filter(nw.col("word") == COMPLETED).select("person")
    later = people.data.filter(nw.any_horizontal(*(nw.col("wave") == wave for wave in chosen[1:]), ignore_nulls=True))
    words: dict[int, dict[Any, tuple[int, bool]]] = {wave: {} for wave in chosen[1:]}
    found = fetch(later.select("person", "wave", "word", "final").join(completes, on="person", how="inner"))
    for person, *numbers in zip(*(found[name] for name in ("person", "wave", "word", "final")), strict=True):
        wave, word, final = map(int, numbers)
        words[wave][person] = (word, bool(final))
    table = read_attributes(attributes, columns, besides=[base_weight] if base_weight is not None else [])
    everybody = sorted(fetch(completes)["person"])
    persons = [everybody[place] for place in table.only_known(everybody, verb)]
    if not persons:
        raise InputError(
            f"Nobody with attributes completed wave {chosen[0]}.",
            evidence={"wave": chosen[0], "completed": len(everybody)},
            next_step="use the same keys in person of both frames.",
        )
    of_persons = table.of(persons)
    for attribute in of_persons:
        unknown = sum(value is None for value in attribute.values)
        if unknown:
            raise InputError(
                f"The number {attribute.name} is not known for {unknown:,} people, and a model needs it for all.",
                evidence={"attribute": attribute.name},
                next_step=f"cut {attribute.name} into groups, so that unknown is a level, or leave it out of columns.",
            )
    base = _base_weights(attributes, persons, base_weight)
    steps = _steps(persons, chosen[1:], words, cut_off, verb)
    return Chain(persons, chosen[0], steps, of_persons, base, people.origin)


def _base_weights(attributes: Any, persons: Sequence[Any], name: str | None) -> list[float]:
    if name is None:
        return [1.0] * len(persons)
    (weights,) = read_attributes(attributes, [name]).of(persons)
    if weights.kind != "number" or any(value is None or value <= 0 for value in weights.values):
        raise InputError(
            f"The base weight {name} must be a number above 0 for everybody.",
            evidence={"column": name},
            next_step="give 1 to people without a weight of their own, or leave them out.",
        )
    return weights.values


def _steps(
    persons: Sequence[Any],
    waves: Sequence[int],
    words: dict[int, dict[Any, tuple[int, bool]]],
    cut_off: str,
    verb: str,
) -> list[Step]:
    steps: list[Step] = []
    members = list(range(len(persons)))
    for wave in waves:
        here = [words[wave].get(persons[place]) for place in members]
        refuse_missing_report([None if each is None else each[0] for each in here], wave)
        if any(each is not None and not each[1] for each in here):
            raise InputError(
                f"Wave {wave} is still open: who has not come yet may still come.",
                evidence={"wave": wave},
                next_step="wait until it has closed, or leave it out of waves.",
            )
        cut = sum(each is not None and each[0] == CUT_OFF for each in here)
        if cut and cut_off != "as_left":
            raise InputError(
                f"Wave {wave}: {cut:,} people were cut off when it stopped early; whether they would have stayed is "
                "not known.",
                evidence={"wave": wave, "cut_off": cut},
                next_step="leave the wave out, or pass cut_off='as_left': weights then also correct for who was quick.",
            )
        if cut:
            warn_caller(
                f"measure.{verb}, wave {wave}: {cut:,} people cut off count as left, so that weights also correct for "
                "who was quick."
            )
        known = [
            (place, each) for place, each in zip(members, here, strict=True) if each is None or each[0] != NOT_KNOWN
        ]
        warn_not_asked([None if each is None else each[0] for _, each in known], verb, wave)
        if len(known) < len(members):
            warn_caller(
                f"measure.{verb}, wave {wave}: what became of {len(members) - len(known):,} people is not known; they "
                "are left out from here on."
            )
        stayed = [int(each is not None and each[0] == COMPLETED) for _, each in known]
        steps.append(Step(wave, [place for place, _ in known], stayed))
        members = [place for (place, _), is_here in zip(known, stayed, strict=True) if is_here]
    return steps


def fit_steps(
    chain: Chain, *, method: str, classes: int, times: Sequence[int] | None = None
) -> list[tuple[Step, list[float]]]:
    """Return for each step who stayed, and with what probability.

    Args:
        chain: The people.
        method: `logit`: the fitted probability. `classes`: the share that stayed among people of similar probability.
        classes: The number of those classes.
        times: How often each person counts; once if None.

    Raises:
        UnusableError: a step cannot be fitted.
    """
    np, _ = load()
    fitted: list[tuple[Step, list[float]]] = []
    for whole_step in chain.steps:
        step = whole_step if times is None else _drawn(whole_step, times)
        stayed = np.array(step.stayed, dtype=float)
        counts = np.array([1 if times is None else times[place] for place in step.members], dtype=float)
        if not stayed.sum():
            raise UnusableError(step.wave, f"nobody stayed in wave {step.wave}")
        p = np.ones(len(stayed))
        if stayed.min() == 0:
            p = _probabilities(chain, step, stayed, counts)
            if method == "classes":
                p = _class_shares(p, stayed, counts, classes, step.wave)
        fitted.append(
            (
                Step(
                    step.wave, [place for place, is_here in zip(step.members, step.stayed, strict=True) if is_here], []
                ),
                p[stayed == 1].tolist(),
            )
        )
    return fitted


def _drawn(step: Step, times: Sequence[int]) -> Step:
    drawn = [(place, is_here) for place, is_here in zip(step.members, step.stayed, strict=True) if times[place]]
    return Step(step.wave, [place for place, _ in drawn], [is_here for _, is_here in drawn])


def _probabilities(chain: Chain, step: Step, stayed: Floats, counts: Floats) -> Floats:
    # Only what varies among the people of the step.
    chosen = [each for each in (attribute.at(step.members) for attribute in chain.attributes) if each.varies]
    if not chosen:
        np, _ = load()
        share: Floats = np.full(len(stayed), (counts * stayed).sum() / counts.sum())
        return share
    try:
        return fit_logit(make_design(chosen).matrix, stayed, counts).fitted
    except SeparationError as error:
        raise UnusableError(step.wave) from error


def _class_shares(p: Floats, stayed: Floats, counts: Floats, classes: int, wave: int) -> Floats:
    np, _ = load()
    values, place_of = np.unique(np.round(p, _DECIMALS), return_inverse=True)
    of_value = np.bincount(place_of, weights=counts, minlength=len(values))
    below = np.concatenate([[0.0], np.cumsum(of_value)[:-1]])
    # Multiplied first: a quotient just below a whole number would fall into the class before.
    class_of = np.floor(classes * below / counts.sum()).astype(int)[place_of]
    in_class = np.bincount(class_of, weights=counts, minlength=classes)
    here = np.bincount(class_of, weights=counts * stayed, minlength=classes)
    if np.any((in_class > 0) & (here == 0)):
        raise UnusableError(wave, f"an empty class: in wave {wave} nobody stayed of one of the {classes} classes")
    shares: Floats = (here / np.maximum(in_class, 1))[class_of]
    return shares


def refuse_unusable(chain: Chain, error: UnusableError) -> InputError:
    """Return the error for a chain that has no weights."""
    names = [attribute.name for attribute in chain.attributes]
    if error.reason is None:
        return refuse_separation(error.wave, names)
    return InputError(
        f"There are no weights: {error.reason}.",
        evidence={"wave": error.wave, "attributes": ", ".join(names)},
        next_step="use fewer classes or attributes, or leave the wave out.",
    )
