"""`cint_nb.resume_jobs`: the jobs that were running when a kernel ended, followed again from the journal."""

from __future__ import annotations

import ipywidgets as widgets

from cint_nb.domain.arguments import check_arguments
from cint_nb.panels.job_progress.widget import JobProgress
from cint_nb.panels.look.base import Panel, make_html_part, show_state
from cint_nb.panels.look.text_format import format_count
from cint_nb.wave.client import Client
from cint_nb.wave.running_jobs import find_running_jobs


@check_arguments()
class RunningJobs(Panel):
    """The jobs that run on the exchange, or ended while nobody watched, each with its progress.

    Args:
        client: Where the jobs run; jobs of another mode, host or account are left alone.
        title: Heading.

    `value` is a tuple of the panels. The exchange is asked which jobs run: one request for each job whose end the
    journal does not hold, and one for each of the 50 newest groups it knows. `start()` follows the jobs.
    """

    def __init__(self, client: Client, *, title: str = "Jobs that were running") -> None:
        self._line = make_html_part("cint-status-part")
        self._content = widgets.VBox([])
        self._content.add_class("cint-inside")
        super().__init__("running-jobs", client.mode, title, (self._line, self._content))
        panels = tuple(
            JobProgress(each.job, mode=client.mode, title=f"{each.wave} · {each.job.handle.kind}")
            for each in client.aio.run(find_running_jobs(client.aio))
        )
        self.value = panels
        self._content.children = panels
        if panels:
            show_state(
                self._line,
                "busy",
                "▶",
                format_count(len(panels), "job"),
                "they continue on the exchange whether followed or not",
            )
        else:
            show_state(
                self._line,
                "good",
                "✓",
                "nothing is running",
                "the exchange was asked: every job of this journal and its groups has ended",
            )

    def start(self) -> RunningJobs:
        """Watch all of them in the background, and return at once."""
        for panel in self.value:
            panel.start()
        return self

    def close(self) -> None:
        """Stop watching and take the panel away; the jobs go on."""
        for panel in self.value:
            panel.close()
        super().close()

    def summary(self) -> list[str]:
        """Return the title and the number of jobs."""
        return [self._title, format_count(len(self.value or ()), "job")]


@check_arguments()
def resume_jobs(client: Client | None = None) -> RunningJobs:
    """Follow every job that was running when a kernel ended, from journal and exchange.

    Args:
        client: Where the jobs run; a new connection by the environment's settings when left out.

    Returns:
        A panel with a progress bar for each job, watched in the background. Run the wave's own line afterwards, such as
        `wave.upload()`: it takes up the same job and writes its end into the journal.

    Example:
        >>> job = draft.upload(wait=False)
        >>> cint.resume_jobs(client)
        <RunningJobs: sandbox · Jobs that were running · 1 job>
    """
    if client is None:
        from cint_nb.panels.connect import connect

        client = connect()
    return RunningJobs(client).start()
