"""What the progress panel costs of the processor time of a watch, in a plain process and in a kernel.

A job of 45 s is watched in real time by processes of their own, all at once: they wait for most of the time. Half of
them are kernels with the panel displayed, where each drawing is also sent towards the browser. Counted as the panel's
are each call of its listeners, all of the panels' own thread, and what the kernel's sending thread works more than in
kernels that watch without a panel. Whole processes differ among themselves by more than a panel costs, so that their
difference stands beside the figure and is not the figure. The browser's part is in none.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from statistics import median

from exchange import served
from jupyter_client.manager import start_new_kernel
from measuring import Row, over, run_alone, spread

PAIRS, JOB_SECONDS, PATIENCE = 5, 45.0, 180.0
WATCH = """
import threading, time
from ipywidgets import Widget
from cint_nb.api.client import AsyncClient
from cint_nb.domain import ids
from cint_nb.domain.models import TargetGroupRef
from cint_nb.panels.job_progress.widget import JobProgress
from cint_nb.panels.look.static_html import in_kernel
from cint_nb.study.files.respondents import read_respondents
from cint_nb.wire.http import Http
from cint_nb.wire.settings import Settings

spent = [0.0]
sent_at_polls, sent_between, at_poll, polls = [], [], [], []
send = Widget._send

def counted(self, message, buffers=None):
    if at_poll or polls:
        (sent_at_polls if at_poll else sent_between).append(len(str(message)))
    send(self, message, buffers)

Widget._send = counted

class Timed:
    def __init__(self, job):
        self.job = job
    def __getattr__(self, name):
        return getattr(self.job, name)
    def add_listener(self, listener, on_watch_changed):
        def timed(snapshot):
            at_poll.append(snapshot)
            polls.append(snapshot)
            begun = time.thread_time()
            listener(snapshot)
            spent[0] += time.thread_time() - begun
            at_poll.clear()
        def timed_change():
            begun = time.thread_time()
            on_watch_changed()
            spent[0] += time.thread_time() - begun
        return self.job.add_listener(timed, timed_change)

def thread_seconds(name):
    threads = [thread for thread in threading.enumerate() if thread.name == name]
    return sum(time.clock_gettime(time.pthread_getcpuclockid(thread.ident)) for thread in threads)

people = read_respondents([ids.synthetic_id("panel", number) for number in range(500)], entity_type="RSID")
settings = Settings.load("live", environ={}, base_url=base, account_id=101, token="panel")
with AsyncClient(Http(settings)) as client:
    job = client.run(client.recontacts.upload(TargetGroupRef(project_id="P", target_group_id=group), people))
    panel = JobProgress(Timed(job), mode="live") if shown else None
    if panel is not None and in_kernel():
        panel.display()
    sent, begun = thread_seconds("IOPub"), time.process_time()
    sent_at_polls.clear(), sent_between.clear()
    job.wait()
    whole = time.process_time() - begun
    assert not shown or panel.value.is_final and spent[0], "the panel's work was not counted"
    print(whole, spent[0] + thread_seconds("cint-nb panels"), thread_seconds("IOPub") - sent, job.last_snapshot.polls,
          len(sent_at_polls), sum(sent_at_polls), len(sent_between))
"""


def in_process(code: str) -> Callable[[], str]:
    """Start the code in a process of its own; the call returned waits for what it prints."""
    watch = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own code
    return lambda: watch.communicate()[0]


def in_kernel(code: str) -> Callable[[], str]:
    """Start the code in a kernel of its own; the call returned waits for what it prints."""
    manager, client = start_new_kernel()
    asked = client.execute(code)

    def printed() -> str:
        said = ""
        try:
            while True:
                message = client.get_iopub_msg(timeout=PATIENCE)
                if message["parent_header"].get("msg_id") != asked:
                    continue
                if message["msg_type"] == "stream" and message["content"]["name"] == "stdout":
                    said += message["content"]["text"]
                if message["msg_type"] == "error":
                    raise RuntimeError("\n".join(message["content"]["traceback"]))
                if message["content"].get("execution_state") == "idle":
                    return said
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)

    return printed


def rows() -> list[Row]:
    with served(job_seconds=JOB_SECONDS) as base:
        started = [
            start(f"base, group, shown = {base!r}, {f'{start.__name__}{pair}{shown}'!r}, {shown}\n{WATCH}")
            for pair in range(PAIRS)
            for start in (in_process, in_kernel)
            for shown in (True, False)
        ]
        taken = [[float(figure) for figure in printed().split()] for printed in started]
    return [
        _row("panel updates", taken[0::4], taken[1::4]),
        _row("panel updates, sent by a kernel", taken[2::4], taken[3::4]),
    ]


def _row(work: str, shown: list[list[float]], plain: list[list[float]]) -> Row:
    sending = median(sends for _, _, sends, *_ in plain)
    panel = [own + max(sends - sending, 0.0) for _, own, sends, *_ in shown]
    rest = [whole - own for (whole, *_), own in zip(shown, panel, strict=True)]
    polls, messages, characters, between = (median(each[place] for each in shown) for place in (3, 4, 5, 6))
    with_it, without = [whole for whole, *_ in shown], [whole for whole, *_ in plain]
    says = (
        f"Processor time within a watch of {JOB_SECONDS:.0f} s and {polls:.0f} polls: the panel "
        f"{spread(panel, 'ms', scale=1000)}, all else {spread(rest, 'ms', scale=1000)}. "
        f"Whole processes: {spread(with_it, 'ms', scale=1000)} with the panel, "
        f"{spread(without, 'ms', scale=1000)} without; they scatter by more than the panel takes. "
        f"Only a poll that brings news is drawn, and at least one a minute: {messages:.0f} messages at polls, of "
        f"{characters / max(messages, 1):,.0f} characters, and {between:.0f} between them; the browser counts on. "
        f"The panel takes {median(panel) / JOB_SECONDS:.3%} of one core."
    )
    return Row(work, "the rest of the same watch", over(panel, rest), 0.05, says)


if __name__ == "__main__":
    sys.exit(run_alone(rows, __doc__))
