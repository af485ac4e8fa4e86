"""The population behind the ids: whom the exchange knows, who returns, when, and how the visit ends.

Every number a wave depends on is a field of `PopulationParameters`, with its source or marked as an assumption. Cint
publishes no recontact rates: forecast from your own earlier waves, and use these for practice only.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from statistics import NormalDist

from cint_nb.domain.arguments import check_arguments
from cint_nb.domain.ids import printable, synthetic_id
from cint_nb.sandbox.world.id_store import to_id_bytes

_NORMAL = NormalDist()
FIRST_SUPPLIER = 201


class UploadResult(StrEnum):
    """What becomes of a well-formed id at upload."""

    ACCEPTED = "accepted"
    ACCEPTED_LATER = "rejected once, accepted when resent"
    UNKNOWN = "rejected: not known to the exchange"
    ERASED = "rejected: the person requested erasure"
    SUPPLIER_LEFT = "rejected: the supplier has left the exchange"


@printable
@check_arguments()
@dataclass(frozen=True)
class PopulationParameters:
    """The parameters that make waves realistic.

    Args:
        accepted: Share of well-formed ids the exchange accepts. Assumption.
        accepted_later: Share that is rejected once and accepted when resent. Assumption.
        suppliers: How many suppliers the people come from. Assumption.
        supplier_takes_part: Share of people whose supplier shows them the recontact survey. Assumption: the help
            centre says only that suppliers decide.
        returns: Share of those who return within the field period when last seen a moment ago. Assumption; panels
            that ask their own members keep 85–90 % over four weeks (PMC7806340), marketplaces far fewer.
        attrition_per_month: Share of those lost with each month since the person was last seen. Assumption.
        months_since_seen: Longest time since an unknown person was last seen, months; uniform. The respondent
            analysis report reaches back 12 months.
        delay_median_hours: Half of those who return do so within this time after launch. Assumption.
        delay_spread: Sigma of the log-normal delay. Assumption: a fast start and a long tail.
        slow_suppliers: Share of suppliers that show the survey late. Assumption.
        slow_factor: How many times longer people of slow suppliers take. Assumption.
        night_hours: UTC hours in which hardly anybody enters. Assumption.
        screened_out: Share of recontacted people that the screener rejects. Assumption.
        terminated: Share the client's survey ends early. Assumption.
        quality: Share ended for quality. Assumption.
        drop_rate: Share that leaves the survey unfinished. Assumption.
        interview_spread: Sigma of the log-normal interview length around the expected one. Assumption.
        new_people_fill_days: A target group of new respondents fills in about this time. Assumption.
        population: People the exchange knows for target groups of new respondents.
        visits: Response ids known per person of the population, at most.
    """

    accepted: float = 0.97
    accepted_later: float = 0.01
    suppliers: int = 14
    supplier_takes_part: float = 0.86
    returns: float = 0.62
    attrition_per_month: float = 0.05
    months_since_seen: float = 6.0
    delay_median_hours: float = 22.0
    delay_spread: float = 1.35
    slow_suppliers: float = 0.25
    slow_factor: float = 3.0
    night_hours: tuple[int, int] = (22, 5)
    screened_out: float = 0.04
    terminated: float = 0.03
    quality: float = 0.02
    drop_rate: float = 0.07
    interview_spread: float = 0.35
    new_people_fill_days: float = 3.0
    population: int = 20_000
    visits: int = 4


class Population:
    """The population, known by rule: the same seed and id give the same person, in any order of calls.

    Args:
        seed: The sandbox's seed.
        parameters: The parameters of behaviour.
    """

    def __init__(self, seed: int, parameters: PopulationParameters | None = None) -> None:
        self.seed = seed
        self.parameters = parameters or PopulationParameters()

    def rsid(self, number: int) -> str:
        """Return the respondent id of the `number`-th person of the population."""
        return rsid_of(self.seed, number)

    @cached_property
    def _by_rid(self) -> dict[bytes, int]:
        # Built when a file of response ids first arrives; nothing else needs it.
        everyone = range(self.parameters.population)
        return {
            to_id_bytes(rid_of(self.seed, number, visit)): number
            for number in everyone
            for visit in range(visit_count(number))
        }

    def person_of_rid(self, key: bytes) -> bytes:
        """Return the respondent key a response id belongs to; an unknown one has its own person."""
        number = self._by_rid.get(key)
        if number is not None:
            return to_id_bytes(self.rsid(number))
        return to_id_bytes(synthetic_id("person of a response id", int.from_bytes(key)))

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

    def supplier_of(self, key: bytes) -> int:
        """Return the id of the supplier a person comes from."""
        return FIRST_SUPPLIER + int(_hash_to_unit(key, b"supplier") * self.parameters.suppliers)

    def return_delay(self, key: bytes, group_seed: bytes, months: float | None) -> float | None:
        """Return after how many seconds a recontacted person enters; None for one who does not.

        Args:
            key: The person.
            group_seed: Seed of the target group, so that one person decides anew in each wave.
            months: Time since the person was last seen; None when the sandbox does not know.
        """
        parameters = self.parameters
        if _hash_to_unit(key, b"supplier shows") >= parameters.supplier_takes_part:
            return None
        if months is None:
            months = _hash_to_unit(key, b"last seen") * parameters.months_since_seen
        if (
            _hash_to_unit(key, b"returns" + group_seed)
            >= parameters.returns * (1 - parameters.attrition_per_month) ** months
        ):
            return None
        delay = self.log_normal(
            key, b"delay" + group_seed, parameters.delay_median_hours * 3600, parameters.delay_spread
        )
        return delay * parameters.slow_factor if self.is_slow(self.supplier_of(key)) else delay

    def is_slow(self, supplier: int) -> bool:
        """Return whether a supplier shows surveys late: the last ones in the list do."""
        parameters = self.parameters
        return supplier - FIRST_SUPPLIER >= parameters.suppliers * (1 - parameters.slow_suppliers)

    def log_normal(self, key: bytes, salt: bytes, median: float, spread: float) -> float:
        """Draw a log-normal number for a person."""
        draw = min(max(_hash_to_unit(key, salt), 1e-9), 1 - 1e-9)
        return median * math.exp(spread * _NORMAL.inv_cdf(draw))

    def draw(self, key: bytes, salt: bytes) -> float:
        """Draw a number from 0 to below 1 for a person."""
        return _hash_to_unit(key, salt + self.seed.to_bytes(8, signed=True))


def rsid_of(seed: int, number: int) -> str:
    """Return the respondent id of the `number`-th person of a seed's population."""
    return synthetic_id(f"respondent {seed}", number)


def rid_of(seed: int, number: int, visit: int) -> str:
    """Return the response id of a person's `visit`-th earlier visit."""
    return synthetic_id(f"visit {visit} {seed}", number)


def visit_count(number: int) -> int:
    """Return how many earlier visits a person of the population has: 1 to 4."""
    return 1 + number % 4


def _hash_to_unit(key: bytes, salt: bytes) -> float:
    return int.from_bytes(hashlib.blake2b(key + salt, digest_size=7).digest()) / 2**56
