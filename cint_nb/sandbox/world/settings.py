"""Settings as frozen dataclasses of numbers: their ranges, and their form as JSON."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import Field, asdict, fields
from typing import Any, ClassVar, Protocol, TypeVar

SettingsT = TypeVar("SettingsT", bound="Settings")


class Settings(Protocol):
    """A frozen dataclass of settings."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


def check_ranges(
    settings: Settings,
    ranges: Mapping[str, tuple[float, float]],
    *,
    otherwise: tuple[float, float],
) -> None:
    """Check that each number lies in its range.

    Args:
        settings: The settings.
        ranges: Lowest and highest value, by field.
        otherwise: Those of all other fields.

    Raises:
        ValueError: when one does not, with its name and range.
    """
    for field in fields(settings):
        value = getattr(settings, field.name)
        low, high = ranges.get(field.name, otherwise)
        for number in value if isinstance(value, tuple) else (value,):
            if not (math.isfinite(number) and low <= number <= high):
                raise ValueError(f"{field.name} must be between {low:g} and {high:g}, not {number!r:.40}")


def changed_settings(settings: Settings) -> dict[str, Any]:
    """Return the settings that differ from their defaults, as JSON has them."""
    found = {}
    for field in fields(settings):
        value = getattr(settings, field.name)
        if value != field.default:
            found[field.name] = list(value) if isinstance(value, tuple) else value
    return found


def read_settings(kind: type[SettingsT], given: Mapping[str, Any], base: SettingsT | None = None) -> SettingsT:
    """Return settings from JSON.

    Args:
        kind: Their class.
        given: Values by name.
        base: What the others stay at; their defaults if None.

    Raises:
        ValueError: for an unknown name, with the nearest known one, or a value that is not valid.
    """
    known = [field.name for field in fields(kind)]
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"choose from {', '.join(known)}"
            raise ValueError(f"{name!r:.60} is no field of {kind.__name__}; {hint}")
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
    return kind(**{**(asdict(base) if base is not None else {}), **values})
