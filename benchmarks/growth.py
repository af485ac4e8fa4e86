"""How a cost grows with the size of a work: what each size took, the cost of one item, and the exponent of growth.

Each size runs in a process of its own, after a small one that imports what is imported once. The cost of an item is
compared with that of the smallest size whose processor time is mostly its items' and not that of starting. An exponent
is the slope in logarithms: 1 where ten times the items take ten times as long, 2 where they take a hundred times.
"""

from __future__ import annotations

import json
import math
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from measuring import Row

EXPONENT_MAX = 1.1
"""Costs that grow with a higher exponent are not near-linear."""
_MOSTLY_ITEMS = 2.0
"""A size counts as one whose cost is mostly its items' from so many times the cost of the smallest on."""


@dataclass(frozen=True)
class Cost:
    """What a work of one size took.

    Args:
        items: The size.
        wall: Seconds.
        processor: Seconds of all threads of the process.
        memory: Megabytes of the process at its peak.
        requests: How many were sent, where any are.
    """

    items: int
    wall: float
    processor: float
    memory: float
    requests: int | None = None


def peak() -> float:
    """Return the peak memory of this process in MB; what `getrusage` counts may include who started it."""
    status = Path("/proc/self/status").read_text()
    return float(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) / 1024


def print_cost(work: Callable[[], object], sent: Callable[[], int] | None = None) -> None:
    """Do a work in this process and print what it took.

    Args:
        work: The work.
        sent: How many requests were sent until now, where any are.
    """
    before = sent() if sent is not None else 0
    wall, processor = time.perf_counter(), time.process_time()
    work()
    taken = [time.perf_counter() - wall, time.process_time() - processor]
    print(json.dumps([*taken, peak(), sent() - before if sent is not None else None]))


def costs_of(items: int, script: str, *arguments: object, turns: int = 1) -> list[Cost]:
    """Run a script in a process of its own; return what each of its `print_cost` printed, of several turns the medians.

    Raises:
        SystemExit: the script failed.
    """
    printed: list[list[list[float]]] = []
    for _ in range(turns):
        command = [sys.executable, script, *map(str, arguments)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own file
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} ended with {done.returncode}")
        printed.append([json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")])
    found = []
    for works in zip(*printed, strict=True):
        *columns, requests = zip(*works, strict=True)
        wall, processor, memory = map(statistics.median, columns)
        found.append(Cost(items, wall, processor, memory, None if requests[0] is None else int(requests[0])))
    return found


def cost_of(items: int, script: str, *arguments: object, turns: int = 1) -> Cost:
    """Return what the one work of a script took."""
    (found,) = costs_of(items, script, *arguments, turns=turns)
    return found


def first_of_items(costs: Sequence[Cost]) -> Cost:
    """Return the smallest size whose processor time is mostly that of its items; the largest if none is."""
    least = costs[0].processor
    return next((cost for cost in costs if cost.processor >= _MOSTLY_ITEMS * least), costs[-1])


def slope(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Return the slope between two pairs of size and cost in logarithms."""
    return math.log(other[1] / one[1]) / math.log(other[0] / one[0])


def exponent(costs: Sequence[Cost], figure: Callable[[Cost], float]) -> float:
    """Return the slope from the largest size that is a tenth of the last one, or less, to the last one."""
    last = costs[-1]
    earlier = [cost for cost in costs if 10 * cost.items <= last.items][-1]
    return slope((earlier.items, figure(earlier)), (last.items, figure(last)))


def table(costs: Sequence[Cost], unit: str) -> str:
    """Return what each size took as a table in Markdown."""
    base = first_of_items(costs)
    has_requests = costs[0].requests is not None
    names = [
        unit, *(["requests"] if has_requests else []), "wall", "processor time", "peak memory",
        f"per item, beside {base.items:,}", "slope",
    ]  # fmt: skip
    lines = [f"| {' | '.join(names)} |", "|" + "---:|" * len(names)]
    for place, cost in enumerate(costs):
        per_item = cost.processor / cost.items / (base.processor / base.items)
        before = costs[place - 1]
        cells = [
            f"{cost.items:,}", *([f"{cost.requests:,}"] if has_requests else []), in_seconds(cost.wall),
            in_seconds(cost.processor), f"{cost.memory:,.0f} MB", f"{per_item:.3g} ×",
            f"{slope((before.items, before.processor), (cost.items, cost.processor)):.2f}" if place else "—",
        ]  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def in_seconds(figure: float) -> str:
    """Return a time with a unit that suits it."""
    return f"{figure * 1000:.3g} ms" if figure < 1 else f"{figure:.3g} s" if figure < 100 else f"{figure:,.0f} s"


def growth_row(work: str, costs: Sequence[Cost], unit: str, says: str) -> Row:
    """Return the row of a work whose processor time should grow nearly as its size does."""
    found = exponent(costs, lambda cost: cost.processor)
    return Row(
        f"growth: {work}", f"{costs[0].items:,} to {costs[-1].items:,} {unit}", [], None, says,
        wanted=f"exponent ≤ {EXPONENT_MAX:g}", met=found <= EXPONENT_MAX, shown=f"exponent {found:.2f}",
        tables=[table(costs, unit)],
    )  # fmt: skip
