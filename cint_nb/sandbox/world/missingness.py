"""Why people are missing from a recontact wave: each mechanism is a switch, and all are off unless switched on.

Missing people harm an estimate or not by what decides who is missing. By chance alone (MCAR) the others answer as the
missing would have. By attributes that are known (MAR) weights can repair it. By the answer itself (MNAR) nothing that
is observed can, and nothing observed shows it: only in a sandbox, which knows what everybody would have answered.

Effects are changes of the log-odds to return. Around one half, 0.4 is about ten points.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cint_nb.domain.arguments import check_arguments
from cint_nb.domain.ids import printable
from cint_nb.sandbox.world.people import Attribute, Person
from cint_nb.sandbox.world.settings import changed_settings, check_ranges

EFFECT_MAX = 20.0
"""Log-odds: a share of 2 in a thousand million is as good as nobody."""


@printable
@check_arguments(refusals=(ValueError,))
@dataclass(frozen=True, kw_only=True)
class Missingness:
    """What decides who is missing from recontact waves, besides the shares of `PopulationParameters`.

    It counts for waves that go live after it was set; `suppliers_out` at once.

    Args:
        by_chance: Share of those who would return that is missing by chance, 0–1 (MCAR).
        by_age: Change of the log-odds to return per standard deviation of age, 17 years (MAR). Above 0 the old return.
        by_gender: The same for women, and the opposite for men.
        by_region: The same from north (lowest) over east and west to south (highest).
        by_education: The same per standard deviation of education, three quarters of a step.
        by_device: The same from desktop (lowest) over tablet to mobile (highest).
        by_tenure: The same per standard deviation of the time in the panel, 20 months.
        by_answer: The same per standard deviation of the answer in that wave (MNAR). Above 0 those who answer high
            return.
        wear_off: Log-odds to return lost with each recontact wave a person has completed.
        gap: Log-odds to return lost with each month since a person was last seen, beyond `attrition_per_month`.
        wave_spread: Standard deviation between waves of the share that returns, in points, 0–50. Waves then differ by
            more than the chance of their people explains (overdispersion).
        suppliers_out: Ids of suppliers that are down: their people enter nowhere and try again a day later. 201 to 214.

    Example:
        >>> import cint_nb as cint
        >>> cint.sandbox.Missingness(by_age=-0.5, wave_spread=4)
        Missingness(by_age=-0.5, wave_spread=4)
    """

    by_chance: float = 0.0
    by_age: float = 0.0
    by_gender: float = 0.0
    by_region: float = 0.0
    by_education: float = 0.0
    by_device: float = 0.0
    by_tenure: float = 0.0
    by_answer: float = 0.0
    wear_off: float = 0.0
    gap: float = 0.0
    wave_spread: float = 0.0
    suppliers_out: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        ranges = {"by_chance": (0, 1), "wave_spread": (0, 50), "suppliers_out": (201, 214)}
        check_ranges(self, ranges, otherwise=(-EFFECT_MAX, EFFECT_MAX))

    @classmethod
    def mcar(cls, share: float = 0.3) -> Missingness:
        """Return a switch by which people are missing completely at random: fewer answer, and answer the same.

        Args:
            share: Share of those who would return that is missing, 0–1.

        Example:
            >>> cint.sandbox.Missingness.mcar(0.3)
            Missingness(by_chance=0.3)
        """
        return cls(by_chance=share)

    @classmethod
    def mar(cls, strength: float = 1.0) -> Missingness:
        """Return a switch by which the young and the less educated are missing, who also answer lower.

        The mean of those who come is too high; weighted by age and education it is right.

        Args:
            strength: Factor of the effects.

        Example:
            >>> cint.sandbox.Missingness.mar(1.0)
            Missingness(by_age=0.8, by_education=0.6)
        """
        return cls(by_age=0.8 * strength, by_education=0.6 * strength)

    @classmethod
    def mnar(cls, strength: float = 1.0) -> Missingness:
        """Return a switch by which those are missing who would answer low.

        The mean of those who come is too high, and remains so whatever attribute it is weighted by.

        Args:
            strength: Factor of the effect.

        Example:
            >>> cint.sandbox.Missingness.mnar(1.0)
            Missingness(by_answer=1.0)
        """
        return cls(by_answer=1.0 * strength)

    @property
    def attribute_effects(self) -> dict[Attribute, float]:
        """The effects of attributes that are not 0."""
        effects: dict[Attribute, float] = {
            "age": self.by_age,
            "gender": self.by_gender,
            "region": self.by_region,
            "education": self.by_education,
            "device": self.by_device,
            "tenure": self.by_tenure,
        }
        return {name: effect for name, effect in effects.items() if effect}

    def log_odds(self, person: Person, answer_score: Callable[[], float], months: float, completed_waves: int) -> float:
        """Return by how much a person's log-odds to return are changed.

        Args:
            person: The person.
            answer_score: Returns what they would answer, in standard deviations from the mean; called if needed.
            months: Months since they were last seen.
            completed_waves: Recontact waves they have completed.
        """
        change = -self.wear_off * completed_waves - self.gap * months
        for name, effect in self.attribute_effects.items():
            change += effect * person.score(name)
        if self.by_answer:
            change += self.by_answer * answer_score()
        return change

    def __repr__(self) -> str:
        """Show what is switched on."""
        return f"Missingness({', '.join(f'{name}={value!r}' for name, value in changed_settings(self).items())})"


MECHANISMS: dict[str, Callable[[], Missingness]] = {
    "none": Missingness,
    "mcar": Missingness.mcar,
    "mar": Missingness.mar,
    "mnar": Missingness.mnar,
}
"""The mechanisms by their usual names, each in its usual strength."""
