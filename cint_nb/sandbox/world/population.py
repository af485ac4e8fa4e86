"""The population behind the ids: whom the exchange knows, who returns, when, what they answer, how long they take.

Every number a wave depends on is a field of `PopulationParameters`, with its source or marked as an assumption. Cint
publishes no recontact rates: forecast from your own earlier waves, and use these for practice only.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import cached_property
from typing import Any, NamedTuple

from cint_nb.domain.arguments import check_arguments
from cint_nb.domain.ids import EntityType, printable
from cint_nb.sandbox.world.id_store import to_id_bytes, to_uuid_text
from cint_nb.sandbox.world.ids import carry_kind, kind_of, made_up_id, made_up_key, payload_of
from cint_nb.sandbox.world.missingness import Missingness
from cint_nb.sandbox.world.people import FIRST_SUPPLIER, Draws, Person, inverse_normal
from cint_nb.sandbox.world.settings import changed_settings, check_ranges

MONTH = 30.4 * 86_400
"""Seconds."""
_VISITS_MAX = 8


class UploadResult(StrEnum):
    """What becomes of a well-formed id at upload."""

    ACCEPTED = "accepted"
    ACCEPTED_LATER = "rejected once, accepted when resent"
    UNKNOWN = "rejected: not known to the exchange"
    ERASED = "rejected: the person requested erasure"
    SUPPLIER_LEFT = "rejected: the supplier has left the exchange"


@printable
@check_arguments(refusals=(ValueError,))
@dataclass(frozen=True)
class PopulationParameters:
    """The parameters that make waves realistic. They count for waves that go live after they were set.

    Args:
        accepted: Share of well-formed ids the exchange accepts. Assumption.
        accepted_later: Share that is rejected once and accepted when resent. Assumption.
        suppliers: How many suppliers the people come from, 1–14. Assumption.
        supplier_takes_part: Share of people whose supplier shows them recontact surveys. Assumption: the help centre
            says only that suppliers decide.
        supplier_pace_spread: Sigma of the log-normal pace of suppliers. Assumption.
        supplier_quality_spread: Sigma of the log-normal factor by which suppliers differ in `quality`. Assumption.
        returns: Share of those who return within the field period when last seen a moment ago. Assumption; panels
            that ask their own members keep 85–90 % over four weeks (PMC7806340), marketplaces far fewer.
        loyalty_spread: Standard deviation between people of the log-odds to return. Assumption: who has returned once
            is likelier to return again.
        attrition_per_month: Share of those lost with each month since the person was last seen. Assumption.
        months_since_seen: Longest time since an unknown person was last seen, months; uniform. The respondent
            analysis report reaches back 12 months.
        delay_median_hours: Half of those who return do so within this time after launch. Assumption.
        delay_spread: Sigma of the log-normal delay. Assumption: a fast start and a long tail.
        slow_suppliers: Share of suppliers that show the survey late. Assumption.
        slow_factor: How many times longer people of slow suppliers take. Assumption.
        night_hours: UTC hours in which hardly anybody enters. Assumption.
        comes_again: Share of visits after which the person comes once more within two days. Assumption. Who had left
            the survey unfinished goes on; anybody else is a duplicate.
        locked_out: Share of people turned away where the target group has an industry lockout, for other surveys of
            the industry; those who completed one of this account within 30 days are turned away too. Assumption.
        off_target: Share of entrants who do not fit the profile of a target group of new people. Assumption.
        screened_out: Share of recontacted people that the screener rejects. Assumption.
        terminated: Share the client's survey ends early. Assumption.
        quality: Share ended for the quality of their answers. Assumption.
        speeders: Share ended for answering too fast: those whose interview is the shortest. Assumption.
        drop_rate: Share that leaves the survey unfinished. Assumption.
        speed_spread: Sigma between people of the log-normal interview length. Assumption.
        interview_spread: Sigma between visits of one person. Assumption.
        reconciled: Share of completes that are rejected in a reconciliation. Assumption; off, since they then leave
            the completes of a closed wave.
        reconciled_after_days: Days from a complete to its reconciliation. A complete can be reconciled until the 25th
            of the next month.
        new_people_fill_days: A target group of new respondents fills in about this time. Assumption.
        population: People the exchange knows for target groups of new respondents.
        visits: Response ids known per person of the population, at most.
        answer_mean: Mean of the answer, 0–100. The answer and what moves it are inventions to study missingness with.
        answer_by_attributes: Standard deviation of the answer that attributes explain, points.
        answer_by_trait: Standard deviation between people that attributes do not explain, points.
        answer_noise: Standard deviation between waves of one person, points.
        answer_drift: Points by which the mean moves in a month.
        answer_drift_spread: Standard deviation between people of the points by which they move in a month.

    Example:
        >>> cint.sandbox.PopulationParameters(returns=0.2).returns
        0.2
    """

    accepted: float = 0.97
    accepted_later: float = 0.01
    suppliers: int = 14
    supplier_takes_part: float = 0.86
    supplier_pace_spread: float = 0.25
    supplier_quality_spread: float = 0.5
    returns: float = 0.62
    loyalty_spread: float = 0.5
    attrition_per_month: float = 0.05
    months_since_seen: float = 6.0
    delay_median_hours: float = 22.0
    delay_spread: float = 1.35
    slow_suppliers: float = 0.25
    slow_factor: float = 3.0
    night_hours: tuple[int, int] = (22, 5)
    comes_again: float = 0.03
    locked_out: float = 0.02
    off_target: float = 0.15
    screened_out: float = 0.04
    terminated: float = 0.03
    quality: float = 0.01
    speeders: float = 0.01
    drop_rate: float = 0.07
    speed_spread: float = 0.25
    interview_spread: float = 0.25
    reconciled: float = 0.0
    reconciled_after_days: float = 14.0
    new_people_fill_days: float = 3.0
    population: int = 20_000
    visits: int = 4
    answer_mean: float = 60.0
    answer_by_attributes: float = 7.0
    answer_by_trait: float = 10.0
    answer_noise: float = 7.0
    answer_drift: float = 0.0
    answer_drift_spread: float = 0.5

    def __post_init__(self) -> None:
        check_ranges(self, _RANGES, otherwise=(0, 1))

    def __repr__(self) -> str:
        """Show what differs from the defaults."""
        changed = ", ".join(f"{name}={value!r}" for name, value in changed_settings(self).items())
        return f"PopulationParameters({changed})"


_RANGES: dict[str, tuple[float, float]] = {
    "suppliers": (1, 14),
    "months_since_seen": (0, 1_200),
    "delay_median_hours": (0, 100_000),
    "slow_factor": (0, 10_000),
    "night_hours": (0, 24),
    "reconciled_after_days": (0, 10_000),
    "new_people_fill_days": (0, 10_000),
    "population": (1, 100_000_000),
    "visits": (1, 4),
    "answer_mean": (0, 100),
    "answer_drift": (-100, 100),
    **dict.fromkeys(("supplier_pace_spread", "supplier_quality_spread", "loyalty_spread", "delay_spread"), (0.0, 10.0)),
    **dict.fromkeys(("speed_spread", "interview_spread"), (0.0, 10.0)),
    **dict.fromkeys(("answer_by_attributes", "answer_by_trait", "answer_noise", "answer_drift_spread"), (0.0, 100.0)),
}


class Place(IntEnum):
    """What each of the draws of a person in a wave, or on a later visit to it, decides."""

    RETURNS = 0
    DELAY = 1
    MORNING = 2
    ANSWER = 3
    SCREENER = 4
    SURVEY = 5
    LENGTH = 6
    AGAIN = 7
    AGAIN_AT = 8
    RECONCILED = 9
    RECONCILED_AT = 10
    REASON = 11


class Wave(NamedTuple):
    """What one wave has in common for all its people.

    Args:
        seed: Seed of the target group, so that one person decides anew in each wave.
        months: Months from the start of the world to when the wave went live.
        shift: By how much the share that returns to this wave differs from that of all waves.
    """

    seed: bytes
    months: float = 0.0
    shift: float = 0.0


class Population:
    """The population, known by rule: the same seed and id give the same person, in any order of calls.

    Args:
        seed: The sandbox's seed.
        parameters: The parameters of behaviour.
        missingness: What decides who is missing.
    """

    def __init__(
        self, seed: int, parameters: PopulationParameters | None = None, missingness: Missingness | None = None
    ) -> None:
        self.seed = seed
        self.parameters = parameters or PopulationParameters()
        self.missingness = missingness or Missingness()

    def __deepcopy__(self, memo: dict[int, Any]) -> Population:
        """Return this population: nothing in it changes, and a copy of a world has the same people."""
        return self

    # --- ids ------------------------------------------------------------------------------------------------------

    def rsid(self, number: int) -> str:
        """Return the respondent id of the `number`-th person of the population."""
        return rsid_of(self.seed, number)

    def person_of_rid(self, key: bytes) -> bytes:
        """Return the respondent key a response id belongs to; an unknown one has its own person."""
        number = self.number_of_rid(key)
        if number is not None:
            return to_id_bytes(self.rsid(number))
        return made_up_key(EntityType.RSID, "person of a response id", int.from_bytes(key))

    def number_of_rid(self, key: bytes) -> int | None:
        """Return the number of the person a response id of an earlier visit belongs to; None for any other id."""
        found = _read_rid(self.seed, key)
        if found is None or found[0] >= self.parameters.population or found[1] >= visit_count(found[0]):
            return None
        return found[0]

    def upload_result(self, key: bytes) -> UploadResult:
        """Return the result of a well-formed respondent id, independent of the seed: a file always gives the same."""
        draw = _hash_to_unit(key, b"fate")
        parameters = self.parameters
        if draw < parameters.accepted:
            return UploadResult.ACCEPTED
        if draw < parameters.accepted + parameters.accepted_later:
            return UploadResult.ACCEPTED_LATER
        return (UploadResult.UNKNOWN, UploadResult.ERASED, UploadResult.SUPPLIER_LEFT)[
            int(_hash_to_unit(key, b"reason") * 3)
        ]

    # --- suppliers ------------------------------------------------------------------------------------------------

    def supplier_of(self, key: bytes) -> int:
        """Return the id of the supplier a person comes from."""
        return Person(key).supplier(self.parameters.suppliers)

    def is_slow(self, supplier: int) -> bool:
        """Return whether a supplier shows surveys late: the last ones in the list do."""
        parameters = self.parameters
        return supplier - FIRST_SUPPLIER >= parameters.suppliers * (1 - parameters.slow_suppliers)

    def pace(self, supplier: int) -> float:
        """Return how many times longer a supplier's people take to come."""
        return self._suppliers[supplier - FIRST_SUPPLIER][0]

    def quality_share(self, supplier: int) -> float:
        """Return the share of a supplier's people whose visit is ended for the quality of their answers."""
        return self.parameters.quality * self._suppliers[supplier - FIRST_SUPPLIER][1]

    @cached_property
    def worst_quality(self) -> float:
        """The highest share of any supplier."""
        return max(map(self.quality_share, range(FIRST_SUPPLIER, FIRST_SUPPLIER + self.parameters.suppliers)))

    @cached_property
    def _suppliers(self) -> list[tuple[float, float]]:
        """Pace and quality of each supplier, spread evenly over their distribution so that they hold on average."""
        parameters = self.parameters
        paces, qualities = (_places(parameters.suppliers, salt) for salt in (b"pace", b"quality"))
        spread = parameters.supplier_quality_spread
        found = []
        for number, (pace, quality) in enumerate(zip(paces, qualities, strict=True)):
            slow = parameters.slow_factor if self.is_slow(FIRST_SUPPLIER + number) else 1.0
            factor = math.exp(spread * quality - spread**2 / 2)
            found.append((slow * math.exp(parameters.supplier_pace_spread * pace), factor))
        return found

    # --- who returns, and when ------------------------------------------------------------------------------------

    def wave(self, seed: bytes, months: float) -> Wave:
        """Return the wave of a target group that goes live so many months after the start of the world."""
        points = self.missingness.wave_spread
        shift = points / 100 * Draws(b"everybody", b"%b %d" % (seed, self.seed)).normal(0) if points else 0.0
        return Wave(seed, months, shift)

    def is_shown(self, person: Person) -> bool:
        """Return whether a person's supplier shows them recontact surveys."""
        return person.sees_recontacts < self.parameters.supplier_takes_part

    def propensity(self, person: Person, wave: Wave, months: float | None, completed_waves: int = 0) -> float:
        """Return the chance with which a person whose supplier takes part returns to a wave, 0–1.

        Args:
            person: The person.
            wave: The wave.
            months: Months since the person was last seen; None when the sandbox does not know.
            completed_waves: Recontact waves the person has completed.
        """
        parameters, missingness = self.parameters, self.missingness
        if months is None:
            months = person.last_seen * parameters.months_since_seen
        chance = parameters.returns * math.pow(1 - parameters.attrition_per_month, months)
        if self._differ and 0 < chance < 1:
            log_odds = math.log(chance / (1 - chance)) + parameters.loyalty_spread * person.loyalty
            if self._is_switched:
                log_odds += missingness.log_odds(
                    person, lambda: self._answer_score(person, wave), months, completed_waves
                )
            chance = 1 / (1 + math.exp(-log_odds))
        if wave.shift:
            chance = min(max(chance + wave.shift, 0.0), 1.0)
        return chance * (1 - missingness.by_chance)

    @cached_property
    def _differ(self) -> bool:
        return bool(self.parameters.loyalty_spread) or self._is_switched

    @cached_property
    def _is_switched(self) -> bool:
        known = self.missingness
        return bool(known.attribute_effects or known.by_answer or known.wear_off or known.gap)

    def return_delay(self, key: bytes, wave: Wave, months: float | None, completed_waves: int = 0) -> float | None:
        """Return after how many seconds a recontacted person enters; None for one who does not. See `propensity`."""
        person = Person(key)
        if not self.is_shown(person):
            return None
        draws = Draws(key, wave.seed)
        if draws.unit(Place.RETURNS) >= self.propensity(person, wave, months, completed_waves):
            return None
        parameters = self.parameters
        median = parameters.delay_median_hours * 3600 * self.pace(person.supplier(parameters.suppliers))
        return median * math.exp(parameters.delay_spread * draws.normal(Place.DELAY))

    # --- in the survey --------------------------------------------------------------------------------------------

    def interview(self, person: Person, visit: Draws, seconds: float) -> tuple[float, bool]:
        """Return how long an interview takes, and whether that is so short that the person has not read the questions.

        Args:
            person: The person.
            visit: The draws of the visit.
            seconds: The expected length.
        """
        parameters = self.parameters
        spread = parameters.interview_spread * visit.normal(Place.LENGTH) + parameters.speed_spread * person.speed
        return seconds * math.exp(spread), spread < self._shortest

    @cached_property
    def _shortest(self) -> float:
        """Below this the logarithm of an interview's relative length is that of a speeder."""
        parameters = self.parameters
        if not 0 < parameters.speeders < 1:
            return math.inf if parameters.speeders else -math.inf
        whole = math.hypot(parameters.speed_spread, parameters.interview_spread)
        return whole * inverse_normal(parameters.speeders)

    def answer(self, person: Person, wave: Wave) -> int:
        """Return what a person answers in a wave, or would answer, 0–100."""
        parameters = self.parameters
        noise = Draws(person.key, wave.seed).normal(Place.ANSWER)
        drift = parameters.answer_drift + parameters.answer_drift_spread * person.trend
        answer = (
            parameters.answer_mean
            + parameters.answer_by_attributes * person.answer_index()
            + parameters.answer_by_trait * person.trait
            + parameters.answer_noise * noise
            + drift * wave.months
        )
        return min(100, max(0, round(answer)))

    def _answer_score(self, person: Person, wave: Wave) -> float:
        """Return a person's answer in standard deviations from the mean of everybody's in that wave."""
        parameters = self.parameters
        spread = math.hypot(
            parameters.answer_by_attributes,
            parameters.answer_by_trait,
            parameters.answer_noise,
            parameters.answer_drift_spread * wave.months,
        )
        mean = parameters.answer_mean + parameters.answer_drift * wave.months
        return (self.answer(person, wave) - mean) / spread if spread else 0.0

    def draw(self, key: bytes, salt: bytes) -> float:
        """Draw a number from 0 to below 1 for a person."""
        return _hash_to_unit(key, salt + self.seed.to_bytes(8, signed=True))


def rsid_of(seed: int, number: int) -> str:
    """Return the respondent id of the `number`-th person of a seed's population."""
    return made_up_id(EntityType.RSID, f"respondent {seed}", number)


def rid_of(seed: int, number: int, visit: int) -> str:
    """Return the response id of a person's `visit`-th earlier visit.

    The number can be read back from it, by two rounds of a Feistel cipher: a table of all response ids of a million
    people would take 300 MB, and longer to make than a class waits.
    """
    value = number * _VISITS_MAX + visit
    left = _round(seed, b"left", value)
    return to_uuid_text(carry_kind(EntityType.RID, (left << 32 | value ^ _round(seed, b"right", left)).to_bytes(8)))


def _read_rid(seed: int, key: bytes) -> tuple[int, int] | None:
    """Return number and visit that `rid_of` put into a response id; None if it made none like this."""
    if kind_of(key) is not EntityType.RID:
        return None
    left, right = divmod(int.from_bytes(payload_of(key)), 2**32)
    value = right ^ _round(seed, b"right", left)
    return divmod(value, _VISITS_MAX) if _round(seed, b"left", value) == left else None


def _round(seed: int, half: bytes, value: int) -> int:
    return int.from_bytes(hashlib.blake2b(b"%b %d %d" % (half, seed, value), digest_size=4).digest())


def visit_count(number: int) -> int:
    """Return how many earlier visits a person of the population has: 1 to 4."""
    return 1 + number % 4


def _places(count: int, salt: bytes) -> list[float]:
    """Return so many standard normal numbers, spread evenly, in an order of chance."""
    order = sorted(range(count), key=lambda number: _hash_to_unit(bytes([number]), salt))
    return [inverse_normal((order.index(number) + 0.5) / count) for number in range(count)]


def _hash_to_unit(key: bytes, salt: bytes) -> float:
    return int.from_bytes(hashlib.blake2b(key + salt, digest_size=7).digest()) / 2**56
