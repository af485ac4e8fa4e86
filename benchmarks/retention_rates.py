"""Rates of a million people in five waves: the measures on a DuckDB relation, beside SQL with the same columns.

Five million rows lie in a DuckDB table in memory. Two questions: the plain rate by country and wave (no open times),
and `retention` whole: dispositions, intervals, and Kaplan-Meier at a common horizon. The SQL is what an analyst who
knows DuckDB would write: one query, people first, then times, then running sums. Both sides are compared: same
counts, same estimates. The ratio is of processor time, since the measures also ask small questions first.
"""

from __future__ import annotations

import math
import sys
import warnings
from typing import Any

import duckdb
import pandas as pd
from measuring import Row, in_turn, over, run_alone, seconds, spread

import cint_nb as cint
from cint_nb.measure.words import CLOSINGS, PLACE_OF

PEOPLE = 1_000_000
REPEATS = 3
WORD = (
    "CASE reason "
    + " ".join(f"WHEN '{word}' THEN {place}" for word, place in PLACE_OF.items() if word)
    + " ELSE 16 END"
)
CLOSING = (
    "CASE closed_by " + " ".join(f"WHEN '{word}' THEN {place}" for place, word in enumerate(CLOSINGS)) + " ELSE 6 END"
)
LISTED = "CASE WHEN closing = 0 THEN 13 WHEN closing IN (1, 2, 3) THEN 14 WHEN closing = 4 THEN 15 ELSE 12 END"
RESOLVED = f"CASE WHEN word = 16 THEN {LISTED} ELSE word END"

PLAIN_SQL = f"""
WITH people AS (
  SELECT person, wave, country, min({WORD}) AS word, min({CLOSING}) AS closing FROM visits GROUP BY ALL
), resolved AS (SELECT *, {RESOLVED} AS what FROM people)
SELECT wave, country,
  count(*) FILTER (what < 17 AND what <> 12) AS n, count(*) FILTER (what = 0) AS completed,
  count(*) FILTER (what = 14) AS cut_off, count(*) FILTER (what = 15) AS pending,
  count(*) FILTER (what = 12) AS not_known,
  min(closing) FILTER (what < 17 AND what <> 12) AS first_closing,
  max(closing) FILTER (what < 17 AND what <> 12) AS last_closing
FROM resolved GROUP BY ALL ORDER BY ALL
"""

WHOLE_SQL = f"""
WITH people AS (
  SELECT person, wave, country, min({WORD}) AS word,
    arg_max({CLOSING}, open_until) AS closing, min(open_from) AS opened, max(open_until) AS closes,
    min(entered) AS entered, min(coalesce(ended, entered)) FILTER (reason = 'completed') AS done,
    bool_or(as_of < open_until) AS unfinished
  FROM visits GROUP BY ALL
), resolved AS (
  SELECT *, {RESOLVED} AS what, closes - opened AS exposure FROM people
), timed AS (
  SELECT wave, country, what, closing, exposure, unfinished OR what = 15 OR closing = 4 AS unfinished,
    what < 17 AND what <> 12 AS known,
    CASE WHEN what >= 17 OR what = 12 THEN NULL WHEN what = 0 THEN least(done, closes) - opened
      WHEN what IN (4, 5, 6) THEN least(entered, closes) - opened ELSE exposure END AS time
  FROM resolved
), times AS (
  SELECT wave, country, time, count(*) FILTER (known) AS known, count(*) FILTER (what = 0) AS events,
    count(*) FILTER (what = 14) AS cut_off, count(*) FILTER (what = 15) AS pending,
    count(*) FILTER (what = 12) AS not_known,
    bool_or(unfinished AND known) AS unfinished, bool_or(closing = 3 AND known) AS paused,
    min(closing) FILTER (known) AS first_closing, max(closing) FILTER (known) AS last_closing,
    min(exposure) FILTER (known) AS shortest, max(exposure) FILTER (known) AS longest
  FROM timed GROUP BY ALL
), risks AS (
  SELECT *, min(shortest) OVER () AS horizon,
    sum(known) OVER (PARTITION BY wave, country ORDER BY time DESC NULLS LAST ROWS UNBOUNDED PRECEDING) AS risk
  FROM times
)
SELECT wave, country, sum(known) AS n, sum(events) AS completed, sum(cut_off) AS cut_off, sum(pending) AS pending,
  sum(not_known) AS not_known, bool_or(unfinished) AS unfinished, bool_or(paused) AS paused,
  min(first_closing) AS first_closing, max(last_closing) AS last_closing, min(shortest) AS shortest,
  max(longest) AS longest, sum(known) FILTER (time >= horizon) AS at_risk,
  1 - exp(sum(ln((risk - events) / risk)) FILTER (time <= horizon AND events > 0)) AS km_share,
  sum(events / (risk * (risk - events))) FILTER (time <= horizon AND events > 0) AS greenwood
FROM risks GROUP BY ALL ORDER BY ALL
"""

MAKE = f"""
CREATE TABLE visits AS
WITH waves(wave, opened, closes, closed_by) AS (VALUES
  (1, 1760000000000, 1760604800000, 'end'), (2, 1762592000000, 1763196800000, 'end'),
  (3, 1765184000000, 1765343852710, 'goal'), (4, 1767776000000, 1768380800000, 'end'),
  (5, 1770368000000, 1770972800000, 'end')
), drawn AS (
  SELECT range AS person, wave, opened, closes, closed_by,
    ['de', 'fr', 'uk', 'us', 'it', 'es'][1 + range % 6] AS country,
    random() AS which, random() AS speed, random() AS length, random() AS source
  FROM range({PEOPLE}) CROSS JOIN waves
), come AS (
  SELECT *, CASE WHEN which < 0.40 THEN 'completed' WHEN which < 0.43 THEN 'over_quota'
      WHEN which < 0.46 THEN 'screened' WHEN which < 0.50 THEN 'dropped' END AS reason,
    opened + CAST(floor(speed * speed * (closes - opened - 4000000)) AS BIGINT) AS begun
  FROM drawn
)
SELECT person, wave, country, reason,
  CASE WHEN reason IS NOT NULL THEN begun END AS entered,
  CASE WHEN reason = 'completed' THEN begun + CAST(length * 2000000 AS BIGINT) END AS ended,
  opened AS open_from, closes AS open_until, closed_by, 1785920000000 AS as_of,
  CASE WHEN reason IS NOT NULL THEN 's' || CAST(floor(source * 8) AS INT) END AS supplier
FROM come
"""


def _agree(ours: Any, theirs: Any) -> None:
    """Fail where both sides do not count and estimate alike."""
    for name in ("n", "completed", "cut_off", "not_known"):
        assert ours[name].tolist() == theirs[name].tolist(), name
    if "km_share" in theirs:
        pairs = zip(ours["km_share"], theirs["km_share"], strict=True)
        assert all(math.isclose(one, other, rel_tol=1e-8) for one, other in pairs)


def _compare(work: str, sql: str, visits: Any, connection: Any, goal: float) -> Row:
    def ours() -> pd.DataFrame:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", cint.errors.CintWarning)
            return cint.measure.retention(visits, by="country")

    def theirs() -> pd.DataFrame:
        return connection.execute(sql).df()

    _agree(ours(), theirs())
    other, mine = in_turn([lambda work=work: seconds(work, processor=True) for work in (theirs, ours)], REPEATS)
    says = (
        f"{PEOPLE:,} people × 5 waves in a DuckDB table, by six countries; the results agree. Processor time of all "
        f"threads: ours {spread(mine, 's')}, SQL {spread(other, 's')}."
    )
    return Row(work, "SQL that gives the same columns", over(mine, other), goal, says)


def rows() -> list[Row]:
    connection = duckdb.connect()
    connection.execute("SELECT setseed(0.3)")
    connection.execute(MAKE)
    visits = connection.table("visits")
    plain = visits.select("person, wave, country, reason, closed_by")
    return [
        _compare("plain rate by country and wave, 5 million rows", PLAIN_SQL, plain, connection, 1.15),
        _compare("retention whole, by country and wave, 5 million rows", WHOLE_SQL, visits, connection, 1.3),
    ]


if __name__ == "__main__":
    sys.exit(run_alone(rows, __doc__))
