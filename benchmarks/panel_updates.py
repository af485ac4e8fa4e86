"""What the progress panel adds to the processor time of a watch, beside the same watch without a panel.

A job of 45 s is watched in real time by processes of their own, half of them with the panel, all at once: they wait for
most of the time. Each look and each tick of the elapsed time is drawn; the browser's part is not in it.
"""

from __future__ import annotations

import subprocess
import sys
from statistics import median

from exchange import served
from measuring import Row, over, run_alone, spread

PAIRS, JOB_SECONDS = 5, 45.0
WATCH = """
import sys, time
from cint_nb.api.client import Client
from cint_nb.domain import ids
from cint_nb.domain.models import TargetGroupRef
from cint_nb.panels.job_progress import JobProgress
from cint_nb.study.respondents import read_respondents
from cint_nb.wire.http import Http
from cint_nb.wire.settings import Settings

base, group, shown = sys.argv[1:]
people = read_respondents([ids.synthetic_id("panel", number) for number in range(500)], entity_type="RSID")
settings = Settings.read("live", environ={}, base_url=base, account_id=101, token="panel")
with Client(Http(settings)) as client:
    job = client.run(client.recontacts.upload(TargetGroupRef(project_id="P", target_group_id=group), people))
    panel = JobProgress(job, mode="live") if shown == "panel" else None
    begun = time.process_time()
    job.wait()
    print(time.process_time() - begun)
"""


def rows() -> list[Row]:
    with served(job_seconds=JOB_SECONDS) as base:
        watches = [
            subprocess.Popen(  # noqa: S603 - our own code in our own interpreter
                [sys.executable, "-c", WATCH, base, f"G{pair}{shown}", shown], stdout=subprocess.PIPE, text=True
            )
            for pair in range(PAIRS)
            for shown in ("panel", "nothing")
        ]
        taken = [float(watch.communicate()[0]) for watch in watches]
    shown, plain = taken[::2], taken[1::2]
    added = [one - other for one, other in zip(shown, plain, strict=True)]
    says = (
        f"Processor time of watching a job of {JOB_SECONDS:.0f} s: {spread(shown, 'ms', scale=1000)} with the panel, "
        f"{spread(plain, 'ms', scale=1000)} without. Not explained yet: one drawing "
        "takes far less. The panel draws each look and moves the elapsed time on, every second in the first minute and "
        "every fifth after it: "
        f"{median(added) / JOB_SECONDS:.2%} of one core."
    )
    return [Row("panel updates (what they add)", "the watch without a panel", over(added, plain), 0.05, says)]


if __name__ == "__main__":
    sys.exit(run_alone(rows, __doc__))
