"""How long `import cint_nb` takes beside `import pandas`, each in a fresh interpreter, in turn; by the wall."""

from __future__ import annotations

import subprocess
import sys

from measuring import Row, in_turn, over, run_alone, spread

REPEATS = 15
CODE = "import time; begun = time.perf_counter(); import {}; print(time.perf_counter() - begun)"


def seconds_to_import(name: str) -> float:
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", CODE.format(name)], check=True, capture_output=True, text=True
    )
    return float(done.stdout)


def rows() -> list[Row]:
    for name in ("cint_nb", "pandas"):
        seconds_to_import(name)  # the first one compiles
    works = [lambda: seconds_to_import("cint_nb"), lambda: seconds_to_import("pandas")]
    ours, theirs = in_turn(works, REPEATS)
    says = (
        f"{spread(ours, 'ms', scale=1000)} against {spread(theirs, 'ms', scale=1000)}; names are loaded on first use."
    )
    return [Row("import cint_nb", "import pandas", over(ours, theirs), 0.25, says)]


if __name__ == "__main__":
    sys.exit(run_alone(rows, __doc__))
