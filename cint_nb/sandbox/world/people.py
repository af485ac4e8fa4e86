"""The people behind the ids: who they are and what they answer, known by rule from the id alone.

A person is one digest of their id, made whenever somebody needs them, and what they do in a wave is another, of id and
wave. So a million people take no memory, and an id gives the same person under every seed and in every order of calls.
The digests are made one by one: they are what costs time, and no array library makes many of them at once.

All distributions are assumptions: an adult online panel in four regions of one country.
"""

from __future__ import annotations

import math
import struct
from bisect import bisect_right
from hashlib import blake2b
from statistics import NormalDist
from typing import Literal

Attribute = Literal["age", "gender", "region", "education", "device", "tenure"]
"""What is known of a person before a wave, and can decide who returns."""
Gender = Literal["female", "male", "other"]
Region = Literal["north", "east", "south", "west"]
Education = Literal["low", "middle", "high"]
Device = Literal["desktop", "tablet", "mobile"]

inverse_normal = NormalDist().inv_cdf
_unpack = struct.Struct("<16I").unpack
_UNIT = 2.0**-32
FIRST_SUPPLIER = 201
# Share of people up to each age.
_SHARES = (0.0, 0.12, 0.30, 0.48, 0.66, 0.84, 1.0)
_AGES = (18, 25, 35, 45, 55, 65, 80)
_EDUCATION_SCORES: dict[Education, float] = {"low": -1.0, "middle": 0.0, "high": 1.0}
_REGION_SCORES: dict[Region, float] = {"north": -1.0, "east": -0.5, "south": 1.0, "west": 0.5}
_GENDER_SCORES: dict[Gender, float] = {"male": -1.0, "other": 0.0, "female": 1.0}
_DEVICE_SCORES: dict[Device, float] = {"desktop": -1.0, "tablet": 0.0, "mobile": 1.0}
# Mean and standard deviation of what is scored, over all people: a switch is given per standard deviation.
_SCALES: dict[Attribute, tuple[float, float]] = {
    "age": (46.6, 16.9),
    "gender": (0.005, 0.9925),
    "region": (-0.075, 0.812),
    "education": (-0.021, 0.755),
    "device": (0.188, 0.932),
    "tenure": (20.0, 19.7),
}
ANSWER_WEIGHTS: dict[Attribute, float] = {
    "age": 0.55,
    "gender": 0.40,
    "region": 0.35,
    "education": 0.45,
    "device": -0.25,
    "tenure": 0.30,
}
"""How much of what attributes say about the answer each of them says: older, better educated and southern people, women
and panelists of long standing answer higher, people on mobile devices lower."""
_ANSWER_SCALE = 0.968  # standard deviation of the weighted sum
_ANSWER_SLOPES = [(name, weight / _SCALES[name][1] / _ANSWER_SCALE) for name, weight in ANSWER_WEIGHTS.items()]
_ANSWER_MEAN = sum(slope * _SCALES[name][0] for name, slope in _ANSWER_SLOPES)


class Draws:
    """Sixteen random numbers of a person, always the same for the same occasion.

    Args:
        key: The 16 bytes of the respondent id.
        occasion: What they are drawn for.
    """

    __slots__ = ("_draws", "key")

    def __init__(self, key: bytes, occasion: bytes) -> None:
        self.key = key
        self._draws: tuple[int, ...] = _unpack(blake2b(occasion + key).digest())

    def unit(self, place: int) -> float:
        """Return a number between 0 and 1, neither of them included."""
        return (self._draws[place] + 0.5) * _UNIT

    def normal(self, place: int) -> float:
        """Return a standard normal number."""
        return inverse_normal((self._draws[place] + 0.5) * _UNIT)


class Person(Draws):
    """A person, whose attributes are computed when they are read.

    Args:
        key: The 16 bytes of the respondent id.

    Attributes:
        loyalty: Readiness to return, the same in every wave; a standard normal number.
        speed: How fast they answer; a standard normal number, low for fast people.
        trait: What they answer in every wave, beyond their attributes; a standard normal number.
        trend: In which direction their answer moves over time; a standard normal number.
    """

    __slots__ = ("_years",)

    def __init__(self, key: bytes) -> None:
        super().__init__(key, b"who they are")
        self._years = -1.0

    def __repr__(self) -> str:
        """Show who it is, without the id."""
        return f"<Person: {self.gender}, {self.age}, {self.education} education, {self.region}, {self.device}>"

    @property
    def age(self) -> int:
        """Age in years, 18–79."""
        return int(self._age)

    @property
    def _age(self) -> float:
        if self._years < 0:
            draw = self.unit(0)
            place = bisect_right(_SHARES, draw) - 1
            part = (draw - _SHARES[place]) / (_SHARES[place + 1] - _SHARES[place])
            self._years = _AGES[place] + part * (_AGES[place + 1] - _AGES[place])
        return self._years

    @property
    def gender(self) -> Gender:
        """Gender, as the question of the exchange has it."""
        draw = self.unit(1)
        return "female" if draw < 0.495 else "male" if draw < 0.985 else "other"

    @property
    def region(self) -> Region:
        """Region of the country."""
        draw = self.unit(2)
        return "north" if draw < 0.30 else "east" if draw < 0.55 else "south" if draw < 0.80 else "west"

    @property
    def education(self) -> Education:
        """Education; the young have more of it."""
        draw, years = self.unit(3), self._age - 18
        return "low" if draw < 0.18 + 0.004 * years else "high" if draw > 0.64 + 0.003 * years else "middle"

    @property
    def device(self) -> Device:
        """The device on which they answer; the young have mobile ones."""
        draw, years = self.unit(4), self._age - 18
        mobile = 0.80 - 0.009 * years
        return "mobile" if draw < mobile else "tablet" if draw < mobile + 0.10 else "desktop"

    @property
    def tenure_months(self) -> int:
        """Months since they joined their panel, 0–120."""
        return int(self._tenure)

    @property
    def _tenure(self) -> float:
        return min(120.0, -20 * math.log(1 - self.unit(5)))

    @property
    def loyalty(self) -> float:
        """Readiness to return."""
        return self.normal(6)

    @property
    def speed(self) -> float:
        """How fast they answer."""
        return self.normal(7)

    @property
    def trait(self) -> float:
        """What they answer in every wave."""
        return self.normal(8)

    @property
    def trend(self) -> float:
        """In which direction their answer moves."""
        return self.normal(9)

    def supplier(self, suppliers: int) -> int:
        """Return the id of the supplier they come from, of so many."""
        return FIRST_SUPPLIER + int(self.unit(10) * suppliers)

    @property
    def sees_recontacts(self) -> float:
        """Below the share of people to whom suppliers show recontact surveys, they see them; 0–1."""
        return self.unit(11)

    @property
    def last_seen(self) -> float:
        """How long ago they were last seen, as a share of the longest time, where the sandbox does not know; 0–1."""
        return self.unit(12)

    def score(self, attribute: Attribute) -> float:
        """Return an attribute as a number with mean 0 and standard deviation 1 over all people."""
        mean, deviation = _SCALES[attribute]
        return (self._number(attribute) - mean) / deviation

    def answer_index(self) -> float:
        """Return what the attributes say about the answer: mean 0, standard deviation 1."""
        return sum(slope * self._number(name) for name, slope in _ANSWER_SLOPES) - _ANSWER_MEAN

    def _number(self, attribute: Attribute) -> float:
        if attribute == "age":
            return self._age
        if attribute == "gender":
            return _GENDER_SCORES[self.gender]
        if attribute == "region":
            return _REGION_SCORES[self.region]
        if attribute == "education":
            return _EDUCATION_SCORES[self.education]
        if attribute == "device":
            return _DEVICE_SCORES[self.device]
        return self._tenure
