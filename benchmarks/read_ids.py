"""How fast respondent files are read, as ratios to pandas: `python benchmarks/read_ids.py [--large] [--instructions]`.

Each measurement runs in a process of its own. Time is processor time, the best of some repeats, and beside it how much
of it is the program's own and not the system's. Memory is what the process's peak grew by after its imports. The number
of instructions, which no other program on the machine changes, is counted by `perf`, or with `--instructions` by
`valgrind`, which takes a minute for each measurement.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

OURS = """
from cint_nb.study.files.respondents import read_respondents
def work(path):
    people = read_respondents(path, entity_type="RSID")
    return people.counts.lines, people.counts.usable
"""
PANDAS = """
import pandas as pd
def work(path):
    frame = pd.read_csv(path, header=None, names=["id"])
    return len(frame), len(frame.drop_duplicates())
"""
OURS_TABLE = OURS.replace('entity_type="RSID"', 'entity_type="RSID", column="RSID"')
PANDAS_TABLE = """
import pandas as pd
def work(path):
    frame = pd.read_csv(path)
    return len(frame), len(frame["RSID"].drop_duplicates())
"""
OPENPYXL = """
import openpyxl
def work(path):
    sheet = openpyxl.load_workbook(path, read_only=True, data_only=True).worksheets[0]
    values = [row[1] for row in sheet.iter_rows(values_only=True)]
    return len(values), len(set(values))
"""
COMPARE_UPLOAD = """
from cint_nb.study.outcome.upload_outcome import compare_upload
from cint_nb.study.files.respondents import read_respondents
def work(path):
    people = read_respondents(path, entity_type="RSID")
    outcome = compare_upload(people, before=people.ids[:20_000], after=people.ids[:-1_000])
    return outcome.counts["rejected"], len(outcome.frame())
"""
MEASURE = """
import json, resource, sys, time
def peak():
    # Not `ru_maxrss`, which a process inherits from the one that started it.
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
path, repeats = sys.argv[1], int(sys.argv[2])
before = peak()
taken, result = [], None
own = resource.getrusage(resource.RUSAGE_SELF).ru_utime
for _ in range(repeats):
    start = time.process_time()
    result = work(path)
    taken.append(time.process_time() - start)
own = resource.getrusage(resource.RUSAGE_SELF).ru_utime - own
print(json.dumps({
    "seconds": min(taken, default=0), "own": own / max(1, repeats), "peak_mb": (peak() - before) / 1024,
    "result": result,
}))
"""
ENVIRONMENT = {
    **os.environ,
    "OPENBLAS_NUM_THREADS": "1",
}  # its threads wait busily, and nobody here multiplies matrices
_COUNTED = re.compile(r"([\d.,]+)\s+instructions|I\s+refs:\s+([\d.,]+)")


def measure(code: str, path: Path, repeats: int) -> dict[str, float]:
    done = subprocess.run(  # noqa: S603 - our own code in our own interpreter
        [sys.executable, "-c", code + MEASURE, str(path), str(repeats)],
        check=True, capture_output=True, text=True, env=ENVIRONMENT,
    )  # fmt: skip
    return json.loads(done.stdout)


def count_instructions(code: str, path: Path, *, slowly: bool) -> int | None:
    """Return how many instructions the work takes, without those of the imports; None if nothing here counts them.

    Args:
        code: The work.
        path: What it reads.
        slowly: Whether `valgrind` may count where `perf` cannot, as in most virtual machines.
    """
    counters = {"perf": ["perf", "stat", "-e", "instructions:u"]}
    if slowly:
        counters["valgrind"] = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    for name, counter in counters.items():
        if shutil.which(name) is None:
            continue
        counts = []
        for repeats in (0, 1):
            done = subprocess.run(  # noqa: S603 - our own code in our own interpreter
                [*counter, sys.executable, "-c", code + MEASURE, str(path), str(repeats)],
                check=False, capture_output=True, text=True, env=ENVIRONMENT,
            )  # fmt: skip
            if done.returncode == 0 and (found := _COUNTED.search(done.stderr)):
                counts.append(int(re.sub(r"\D", "", found[1] or found[2])))
        if len(counts) == 2:
            return counts[1] - counts[0]
    return None


def write_ids(path: Path, number: int, duplicate_share: float = 0.02, *, seed: int = 1, messy: bool = False) -> Path:
    """Write ids that identify nobody; `messy` adds CRLF, quotes, capitals, blank and damaged lines."""
    chance = np.random.default_rng(seed)
    groups = ((0, 8, 0), (8, 12, 9), (12, 16, 14), (16, 20, 19), (20, 32, 24))
    with path.open("wb") as file:
        for start in range(0, number, 1_000_000):
            count = min(1_000_000, number - start)
            keys = chance.integers(0, 256, size=(count, 16), dtype=np.uint8)
            keys[:, 6:10] = (0x8C, 0x17, 0xB5, 0xEC)  # the mark of synthetic ids
            again = chance.random(count) < duplicate_share
            keys[again] = keys[chance.integers(0, count, size=int(again.sum()))]
            digits = np.frombuffer(keys.tobytes().hex().encode(), np.uint8).reshape(count, 32)
            page = np.full((count, 37), ord("-"), np.uint8)
            for low, high, place in groups:
                page[:, place : place + high - low] = digits[:, low:high]
            page[:, 36] = ord("\n")
            content = page.tobytes()
            file.write(_mess_up(content) if messy else content)
    return path


def _mess_up(content: bytes) -> bytes:
    lines = content.split(b"\n")[:-1]
    for place in range(0, len(lines), 50):
        lines[place] = (lines[place].upper(), b'"' + lines[place] + b'"', b"", lines[place][:30])[place // 50 % 4]
    return b"\r\n".join(lines) + b"\r\n"


def write_table(path: Path, number: int) -> Path:
    """Write a survey table: an answer, the id, a comment."""
    plain = write_ids(path.with_suffix(".txt"), number).read_text().splitlines()
    rows = "".join(f'{place % 90},{identifier},"said, {place}"\n' for place, identifier in enumerate(plain))
    path.write_text(f"age,RSID,comment\n{rows}")
    return path


def write_workbook(path: Path, number: int) -> Path:
    """Write a survey table as a workbook, 50 of its rows hidden."""
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["age", "RSID", "comment", "status"])
    plain = write_ids(path.with_suffix(".txt"), number).read_text().splitlines()
    for place, identifier in enumerate(plain):
        sheet.append([place % 90, identifier, f"said, {place}", "complete"])
    for row in range(100, 150):
        sheet.row_dimensions[row].hidden = True
    book.save(path)
    return path


def write_export(path: Path, megabytes: int) -> Path:
    """Write a wide export: one column of ids, the rest answers."""
    answers = ",".join(f'"answer {place}, in words"' for place in range(30))
    rows = megabytes * 1_000_000 // (len(answers) + 40)
    with path.open("w") as file:
        file.write(",".join(["RSID", *(f"q{place}" for place in range(30))]) + "\n")
        for identifier in write_ids(path.with_suffix(".txt"), rows).read_text().splitlines():
            file.write(f"{identifier},{answers}\n")
    return path


def compare(
    title: str,
    path: Path,
    repeats: int,
    codes: tuple[str, str] = (OURS, PANDAS),
    peer: str = "pandas",
    *,
    slowly: bool = False,
) -> tuple[float, float]:
    """Measure both and print what each took; return our share of the peer's time, and of its memory."""
    ours, theirs = (measure(code, path, repeats) for code in codes)
    share = ours["seconds"] / theirs["seconds"]
    memory = ours["peak_mb"] / max(1.0, theirs["peak_mb"])
    print(
        f"{title:<28} ours {ours['seconds']:6.3f} s (own {ours['own']:5.3f}) {ours['peak_mb']:5.0f} MB   "
        f"{peer} {theirs['seconds']:6.3f} s (own {theirs['own']:5.3f}) {theirs['peak_mb']:5.0f} MB   "
        f"{share:4.2f} of the time (own {ours['own'] / theirs['own']:4.2f}), {memory:4.0%} of the memory"
    )
    counted = [count_instructions(code, path, slowly=slowly) for code in codes]
    if counted[0] is not None and counted[1] is not None:
        print(
            f"{'':<28} ours {counted[0] / 1e6:,.0f} million instructions   {peer} {counted[1] / 1e6:,.0f} million   "
            f"{counted[0] / counted[1]:4.2f} of them"
        )
    return share, memory


LISTS = (  # title, ids, messy, share of repeats, repeats of the measurement, most of the time, most of the memory
    ("100,000 plain ids", 100_000, False, 0.02, 15, 0.8, None),
    ("100,000 messy lines", 100_000, True, 0.02, 15, 2.0, None),
    ("10 million plain ids", 10_000_000, False, 0.02, 3, 0.2, 0.5),
    ("10 million, half repeated", 10_000_000, False, 0.5, 3, 1.0, 0.5),
)
WORKBOOK_SHARE = 1 / 6
EXPORT_SHARE = 0.5


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare reading respondents with pandas.read_csv + drop_duplicates.")
    parser.add_argument("--large", action="store_true", help="also 10 million ids (370 MB of disk, half a minute)")
    parser.add_argument("--instructions", action="store_true", help="count instructions by valgrind if perf cannot")
    options = parser.parse_args()
    missed = 0

    def judge(goal: str, *, met: bool) -> None:
        nonlocal missed
        missed += not met
        if not met:
            print(f"  missed: {goal}")

    with tempfile.TemporaryDirectory(prefix="cint-nb-bench-") as folder:
        for title, number, messy, duplicates, repeats, most, most_memory in LISTS:
            if number > 1_000_000 and not options.large:
                continue
            path = write_ids(Path(folder) / "ids.csv", number, duplicates, messy=messy)
            slowly = options.instructions and number <= 1_000_000
            share, memory = compare(title, path, repeats, slowly=slowly)
            judge(f"at most {most} of the time", met=share <= most)
            judge(f"at most {most_memory} of the memory", met=most_memory is None or memory <= most_memory)
        table = write_table(Path(folder) / "table.csv", 100_000)
        compare("100,000 rows of a table", table, 5, (OURS_TABLE, PANDAS_TABLE))
        book = write_workbook(Path(folder) / "book.xlsx", 50_000)
        share, _ = compare(
            "50,000 rows of a workbook", book, 3, (OURS_TABLE, OPENPYXL), "openpyxl", slowly=options.instructions
        )
        judge(f"at most {WORKBOOK_SHARE:.2f} of the time", met=share <= WORKBOOK_SHARE)
        if options.large:
            export = write_export(Path(folder) / "export.csv", 200)
            found = measure(OURS_TABLE, export, 1)
            share = found["peak_mb"] * 1_048_576 / export.stat().st_size
            print(f"{'200 MB of an export':<28} ours {found['seconds']:6.3f} s, memory {share:.0%} of the file")
            judge(f"at most {EXPORT_SHARE:.0%} of the file", met=share <= EXPORT_SHARE)
        seconds = measure(COMPARE_UPLOAD, write_ids(Path(folder) / "sent.csv", 100_000), 5)["seconds"]
        print(f"{'100,000 ids compared':<28} ours {seconds:6.3f} s, with reading and the frame of outcomes")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
