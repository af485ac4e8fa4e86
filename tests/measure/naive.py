"""The rules of the measures once more, person by person and without any cleverness, to compare the queries with."""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict
from typing import Any

from tests.measure.worlds import CLOSINGS, HOUR, OTHERS, VISITS, Rows

ORDER = [*VISITS, *OTHERS[:4], None, *OTHERS[4:]]
LAST = float("inf")


def dispositions(rows: Rows) -> Rows:
    groups: dict[tuple[Any, int], Rows] = defaultdict(list)
    for row in rows:
        groups[row["person"], row["wave"]].append(row)
    return [_disposition(person, wave, groups[person, wave], rows) for person, wave in sorted(groups)]


def _disposition(person: Any, wave: int, mine: Rows, rows: Rows) -> dict[str, Any]:
    has_closing = any("closed_by" in row for row in rows)
    visits = [row for row in mine if row["reason"] in VISITS]
    order = _deciding_order
    deciding = min(visits, key=order) if visits else min(mine, key=lambda row: ORDER.index(row["reason"]))
    latest = min(
        mine,
        key=lambda row: (
            1 if row.get("open_until") is None else -row["open_until"],
            CLOSINGS.index(row["closed_by"]) if row.get("closed_by") is not None else len(CLOSINGS),
        ),
    )
    closed_by, word = latest.get("closed_by"), deciding["reason"]
    if word is None:
        words = {"end": "absent", "open": "pending", "goal": "cut_off", "hand": "cut_off", "pause": "cut_off"}
        word = words.get(str(closed_by), "not_known" if has_closing else "absent")
    completed_at = None
    if word == "completed":
        completed_at = deciding.get("ended") if deciding.get("ended") is not None else deciding.get("entered")
    early = any(
        row.get("as_of") is not None and row.get("open_until") is not None and row["as_of"] < row["open_until"]
        for row in mine
    )
    return {
        "person": person,
        "wave": wave,
        "disposition": word,
        "asked": int(word not in ("rejected", "erased", "not_asked")),
        "came": int(word in VISITS),
        "completed": int(word == "completed"),
        "visits": len(visits),
        "entered": _least(row.get("entered") for row in visits),
        "completed_at": completed_at,
        "open_from": _least(row.get("open_from") for row in mine),
        "open_until": _most(row.get("open_until") for row in mine),
        "closed_by": closed_by,
        "supplier": deciding.get("supplier") if visits else None,
        "cost": _sum(row.get("cost") for row in mine),
        "final": int(not (word == "pending" or closed_by == "open" or early)),
    }


def _deciding_order(row: dict[str, Any]) -> tuple[Any, ...]:
    times = [LAST if row.get(name) is None else row[name] for name in ("entered", "ended")]
    supplier = row.get("supplier")
    return (ORDER.index(row["reason"]), *times, supplier is None, supplier or "")


def _least(values: Any) -> Any:
    return min((value for value in values if value is not None), default=None)


def _most(values: Any) -> Any:
    return max((value for value in values if value is not None), default=None)


def _sum(values: Any) -> Any:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def base_of(people: Rows, base: str, wave: int) -> set[Any]:
    waves = sorted({row["wave"] for row in people})
    done = {(row["person"], row["wave"]) for row in people if row["completed"]}
    if base == "asked":
        return {row["person"] for row in people if row["wave"] == wave and row["asked"]}
    if base == "first":
        return {person for person, number in done if number == waves[0]}
    if base == "previous":
        return {person for person, number in done if number == waves[waves.index(wave) - 1]}
    return {person for person, number in done if number < wave}


def retention_counts(rows: Rows, base: str) -> Rows:
    people = dispositions(rows)
    waves = sorted({row["wave"] for row in people})
    found = []
    for wave in waves if base == "asked" else waves[1:]:
        here = {row["person"]: row for row in people if row["wave"] == wave}
        members = base_of(people, base, wave)
        words = [here[person]["disposition"] if person in here else "not_asked" for person in members]
        counts = Counter(words)
        away = sum(counts[word] for word in ("rejected", "erased", "not_asked"))
        asked = len(members) - away
        known = asked - counts["not_known"]
        final = all(here[person]["final"] for person in members if person in here and _is_known(here[person]))
        kind = "rate"
        if not known and counts["not_known"]:
            kind = "not_known"
        elif counts["pending"] or not final:
            kind = "provisional"
        elif counts["cut_off"]:
            kind = "lower_bound"
        found.append(
            {
                "wave": wave,
                "n": known + away,
                "completed": counts["completed"],
                "cut_off": counts["cut_off"],
                "pending": counts["pending"],
                "not_asked": away,
                "not_known": counts["not_known"],
                "kind": kind,
            }
        )
    return found


def _is_known(row: dict[str, Any]) -> bool:
    return bool(row["asked"]) and row["disposition"] != "not_known"


def times(rows: Rows, base: str, wave: int) -> list[tuple[int, bool]]:
    """Return time and event of everybody in the base who was asked and is known."""
    people = dispositions(rows)
    members = base_of(people, base, wave)
    found = []
    for row in people:
        if row["wave"] != wave or row["person"] not in members or not _is_known(row):
            continue
        end = row["open_until"]
        if row["completed"]:
            end = row["completed_at"]
        elif row["disposition"] in ("over_quota", "closed", "priced_out") and row["entered"] is not None:
            end = min(row["entered"], end)
        found.append((end - row["open_from"], bool(row["completed"])))
    return found


def survival(observed: list[tuple[int, bool]], horizon: float) -> tuple[float, float]:
    """Return S and Greenwood's sum at a horizon in milliseconds, factor by factor."""
    s, greenwood = 1.0, 0.0
    for time in sorted({when for when, event in observed if event and when <= horizon}):
        risk = sum(when >= time for when, _ in observed)
        events = sum(when == time and event for when, event in observed)
        s *= 1 - events / risk
        greenwood += events / (risk * (risk - events)) if events < risk else math.inf
    return s, greenwood


def pattern(letters: str) -> str:
    asked = letters.replace("-", "")
    if not asked:
        return "never_asked"
    if "?" in asked:
        return "not_known"
    runs = "".join(letter for letter, _ in itertools.groupby(asked))
    names = {"0": "never", "1": "always", "10": "leaver", "01": "late", "101": "returner"}
    return names.get(runs, "intermittent")


def letters(rows: Rows, waves: list[int] | None = None) -> dict[Any, str]:
    people = dispositions(rows)
    waves = waves or sorted({row["wave"] for row in people})
    here = {(row["person"], row["wave"]): row for row in people}
    found = {}
    for person in sorted({row["person"] for row in people if row["wave"] in waves}):
        signs = ""
        for wave in waves:
            row = here.get((person, wave))
            if row is None or not row["asked"]:
                signs += "-"
            elif row["completed"]:
                signs += "1"
            else:
                signs += "?" if row["disposition"] in ("cut_off", "pending", "not_known") else "0"
        found[person] = signs
    return found


def gaps(signs: str, waves: list[int], rule: str) -> dict[str, Any]:
    places = [(sign, wave) for sign, wave in zip(signs, waves, strict=True) if rule == "data" or sign in "01"]
    done = [wave for sign, wave in places if sign == "1"]
    text = "".join("1" if sign == "1" else "0" for sign, _ in places).strip("0")
    runs = [len(list(run)) for sign, run in itertools.groupby(text) if sign == "0"]
    return {
        "done": len(done),
        "first": done[0] if done else None,
        "last": done[-1] if done else None,
        "n_gaps": len(runs),
        "longest_gap": max(runs, default=0),
        "coverage": len(done) / len(places) if places else None,
        "endpoints": bool(places) and places[0][0] == "1" and places[-1][0] == "1",
    }


def hours(milliseconds: float) -> float:
    return milliseconds / HOUR
