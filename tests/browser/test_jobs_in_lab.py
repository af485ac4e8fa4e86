"""Jobs in a real browser: watched in the background, awaited, blocked on, stopped, and taken up again."""

from __future__ import annotations

import random
from collections.abc import Iterator
from importlib.metadata import version
from importlib.resources import files
from typing import Any

import pytest

from cint_nb.domain.jobs import JobHandle, JobKind, JobSnapshot, JobState
from cint_nb.domain.models import evolve
from cint_nb.panels.job_progress.model import describe
from cint_nb.panels.look.text_format import format_duration_range, format_percent
from cint_nb.sandbox.sandbox import Sandbox
from cint_nb.sandbox.server import ServedSandbox
from cint_nb.sandbox.world.entities import RECONTACT_UPLOAD
from tests.browser.lab_harness import LabPage
from tests.browser.lab_scripts import KERNEL_READY
from tests.support.plans import plan_cell

pytestmark = pytest.mark.browser

WAVE = (
    """
import cint_nb as cint
client = cint.connect({options})
people = cint.read_respondents(cint.sandbox.write_sample("sample.csv", lines={lines}), entity_type="RSID")
"""
    + plan_cell(start="days=1")
    + """
wave = client.wave("Wave in a browser", project="Browser tests", respondents=people, plan=plan)
group = wave.create()
"""
)
UPLOAD = "job = client.recontacts.upload(group, people)"
PANEL = "panel = cint.JobProgress(job, mode=client.mode)\npanel"
END = ".cint-job-progress .cint-state:is(.cint-good, .cint-warn, .cint-bad)"


def wave(lines: int = 1_000, **options: object) -> str:
    return WAVE.format(lines=lines, options=", ".join(f"{name}={value!r}" for name, value in options.items()))


@pytest.fixture
def served() -> Iterator[ServedSandbox]:
    """Serve a sandbox outside the kernel, so that it outlives a kernel that is killed."""
    with ServedSandbox(Sandbox(speed=20)) as sandbox:
        yield sandbox


def test_a_job_watched_in_the_background_reaches_its_end_while_the_kernel_is_free(warm: LabPage) -> None:
    warm.show(wave(speed=25), UPLOAD, PANEL, "panel.start()\nkernel_is = 'free'")
    warm.run_all()
    page = warm.page
    page.wait_for_selector(".cint-job-progress .cint-stop")
    assert page.locator(".jb-1:has-text('estimated'), .jb-1:has-text('measured')").count()
    warm.picture("job-running", ".cint-job-progress")
    page.wait_for_selector(END)
    assert page.locator(".cint-stop:visible, .cint-watch:visible").count() == 0
    warm.picture("job-end", ".cint-job-progress")


def test_updates_come_at_most_four_times_a_second(warm: LabPage) -> None:
    flood = (
        "import time\nfrom cint_nb.domain.jobs import JobHandle, JobKind, JobSnapshot, JobState\n"
        "place = {'base_url': 'https://x.invalid/v1', 'account_id': 1, 'job_id': 'J'}\n"
        "handle = JobHandle(kind=JobKind.UPLOAD, id_count=9, **place)\n"
        "begun = time.monotonic()\n"
        "for number in range(3_000):\n"
        "    panel.update(JobSnapshot(handle=handle, state=JobState.RUNNING, fraction=(number / 3e3, number / 3e3)))\n"
        "    time.sleep(0.001)\n"
        "panel.update(JobSnapshot(handle=handle, state=JobState.DONE))\n"
        "print('took', time.monotonic() - begun)"
    )
    warm.show("import cint_nb as cint\npanel = cint.JobProgress()\npanel", flood)
    warm.run_cell(0)
    warm.page.wait_for_selector(".cint-job-part .cint-bar")
    warm.page.evaluate(
        """() => {
          window.seen = [];
          const isDrawing = (change) => [...change.addedNodes].some((node) => node.matches?.('.jb'));
          new MutationObserver((changes) => { if (changes.some(isDrawing)) window.seen.push(1); })
            .observe(document.querySelector('.cint-job-part'), {childList: true, subtree: true});
        }"""
    )
    warm.run_cell(1)
    warm.page.wait_for_selector(END)
    seen = warm.page.evaluate("() => window.seen.length")
    took = float(warm.page.locator(".jp-OutputArea-output:has-text('took')").last.inner_text().split()[-1])
    # besides: the first one, the last one, and one that waited when the flood began
    assert 4 <= seen <= 4 * took + 3, f"{seen} updates in {took:.1f} s of the kernel"


def test_between_two_drawings_the_browser_counts_on_in_the_words_of_the_kernel(warm: LabPage) -> None:
    handle = JobHandle(kind=JobKind.UPLOAD, base_url="https://x.invalid/v1", account_id=1, job_id="J", id_count=900)
    drawn = JobSnapshot(
        handle=handle, state=JobState.RUNNING, elapsed_seconds=100, fraction=(0.1, 0.3), seconds_left=(55, 92.5),
        next_poll_seconds=4,
    )  # fmt: skip
    warm.show(
        "import cint_nb as cint\nfrom cint_nb.domain.jobs import JobSnapshot",
        "panel = cint.JobProgress(mode='live')\npanel",
        f"panel.update(JobSnapshot.model_validate_json({drawn.model_dump_json()!r}))",
    )
    warm.run_all()
    later = evolve(drawn, elapsed_seconds=110, fraction=(0.11, 0.33))
    percent, left = describe(later).bar, str(describe(drawn, since_poll=10.01).left)
    warm.page.wait_for_selector(f".jb:has(.jb-left:text-is('{left}')) .jb-1 > span:text-is('{percent}')")
    bar = warm.page.locator(".cint-job-progress [role=progressbar]")
    assert (bar.get_attribute("aria-valuenow"), bar.get_attribute("aria-valuetext")) == (
        "11",
        "11 to 33 percent estimated",
    )
    heard = warm.page.locator(".cint-job-progress [role=status]")
    assert heard.count() == 1, "one region, which stays while the rest is drawn anew"
    assert "uploading" in heard.inner_text()
    assert "%" not in heard.inner_text(), "what moves each second is not read aloud"


def test_stop_watching_leaves_the_job_alone_and_resume_goes_on(warm: LabPage) -> None:
    warm.show(wave(speed=10), UPLOAD, PANEL, "panel.start();")
    warm.run_all()
    page = warm.page
    page.locator(".cint-stop").click()
    page.wait_for_selector(".jb-1:has-text('not watched')")
    assert "the job continues on the exchange" in page.locator(".cint-job-progress").inner_text()
    warm.picture("job-stopped", ".cint-job-progress")
    page.locator(".cint-watch:has-text('Watch again')").click()
    page.wait_for_selector(END)


@pytest.mark.skipif(
    int(version("ipykernel").split(".")[0]) < 7, reason="older kernels serve no click before the cell has ended"
)
def test_stop_is_served_while_a_cell_awaits_the_job(warm: LabPage) -> None:
    awaiting = "try:\n    await job\nexcept cint.CintError as error:\n    print('given up:', type(error).__name__)"
    warm.show(wave(speed=2), UPLOAD, PANEL, awaiting, "after = 'reached'\nafter")
    page = warm.page
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); }")
    page.locator(".cint-stop").click(timeout=60_000)
    page.wait_for_selector(".jp-OutputArea-output:has-text('given up: WatchTimeout')")
    page.wait_for_selector(".jp-OutputArea-output:has-text('reached')")


def test_interrupt_ends_a_cell_that_blocks_and_resume_goes_on(warm: LabPage) -> None:
    warm.show(wave(speed=10), UPLOAD, PANEL, "print('blocking')\njob.wait()")
    page = warm.page
    for index in range(3):
        warm.run_cell(index)
    warm.run_cell(3)
    page.wait_for_selector(".jp-OutputArea-output:has-text('blocking')")
    page.wait_for_selector(".cint-job-progress .jb-1:has-text('uploading')")
    page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.interrupt()")
    page.wait_for_selector(".jp-OutputArea-output:has-text('KeyboardInterrupt')")
    assert "The job continues on the exchange" in page.locator(".jp-OutputArea").last.inner_text()
    page.wait_for_function(KERNEL_READY)
    warm.run_again("panel.start();")
    page.wait_for_selector(END)


def test_a_killed_kernel_loses_nothing_and_the_wave_goes_on_where_it_stood(
    notebook: LabPage, served: ServedSandbox
) -> None:
    places = {"base_url": served.base_url, "token_url": served.token_url}
    notebook.write("kill.ipynb", wave(lines=2_000, **places), "wave.upload()")
    notebook.open("kill.ipynb")
    notebook.run_cell(0)
    notebook.run_cell(1)
    page = notebook.page
    page.wait_for_selector(".cint-job-progress .jb-1:has-text('uploading')")
    notebook.kill_kernel()
    notebook.run_again(f"import cint_nb as cint\ncint.resume_jobs(cint.connect(**{places!r}))")
    page.wait_for_selector(".cint-running-jobs .cint-job-progress .jb-1:visible")
    notebook.picture("job-watched-again", ".cint-running-jobs")
    page.wait_for_selector(f".cint-running-jobs {END}", timeout=90_000)
    notebook.run_all()
    page.wait_for_selector(END, timeout=90_000)
    uploads = [job for job in served.sandbox.world.jobs.values() if job.kind == RECONTACT_UPLOAD]
    assert len(uploads) == 1
    notebook.picture("job-after-kill", ".cint-job-progress")


def test_a_job_is_taken_up_again_by_its_handle_after_a_restart(notebook: LabPage, served: ServedSandbox) -> None:
    places = {"base_url": served.base_url, "token_url": served.token_url}
    keep = UPLOAD + "\nopen('job.json', 'w').write(job.handle.model_dump_json());"
    notebook.write("attach.ipynb", wave(lines=2_000, **places), keep, PANEL, "panel.start();")
    notebook.open("attach.ipynb")
    notebook.run_all()
    notebook.page.wait_for_selector(".cint-job-progress .jb-1:has-text('uploading')")
    notebook.kill_kernel()
    notebook.page.wait_for_selector(".cint-job-progress .jb-gone:has-text('kernel gone'):visible")
    assert notebook.page.locator(".cint-job-progress .cint-stop:visible").count() == 0
    assert "cint.resume_jobs()" in notebook.page.locator(".cint-job-progress").inner_text()
    notebook.picture("job-kernel-gone", ".cint-job-progress")
    connect = f"import cint_nb as cint\nclient = cint.connect(**{places!r})\n"
    notebook.run_again(connect + "job = cint.Job.attach(client, open('job.json').read())\n" + PANEL)
    notebook.run_again("panel.start();")
    notebook.page.wait_for_selector(END, timeout=90_000)


def test_twenty_panels_at_once_all_reach_their_end(warm: LabPage) -> None:
    many = (
        "from ipywidgets import VBox\n"
        "few = people.sample(200)\n"
        "names = [f'Wave {n:02}' for n in range(20)]\n"
        "waves = [client.wave(n, project='Browser tests', respondents=few, plan=plan) for n in names]\n"
        "jobs = [client.recontacts.upload(each.create(), few) for each in waves]\n"
        "panels = [cint.JobProgress(each, mode=client.mode) for each in jobs]\n"
        "VBox(panels)"
    )
    warm.show(wave(speed=5), many, "for panel in panels:\n    panel.start()")
    warm.run_all()
    page = warm.page
    page.wait_for_function(
        "() => document.querySelectorAll('.cint-job-progress .cint-state:is(.cint-good, .cint-warn)').length === 20",
        timeout=90_000,
    )
    warm.picture("twenty")


def test_the_wave_panel_leads_from_step_to_step_and_follows_the_cells_that_run(warm: LabPage) -> None:
    show = "guide = cint.WaveView(wave)\nguide"
    warm.show(wave(), show)
    warm.run_all()
    page = warm.page
    for line in ("wave.upload()", "wave.resubmit()", 'wave.launch(budget="274 EUR")', "wave.status()"):
        page.wait_for_selector(f".cint-wave-panel .wv-next code:text-is('{line}')")
        if line == "wave.resubmit()":
            warm.picture("wave-panel-outcome", ".cint-wave-panel")
        warm.run_again(f"{line};" if "status" not in line else "client.pass_time(hours=6)\nwave.status();")
    page.locator(".cint-wave-panel .cint-ask").click()
    page.wait_for_selector(".cint-wave-panel .wv-fun:has-text('entered')")
    page.wait_for_selector(".cint-wave-panel .wv-key:has-text('may still come')")
    page.wait_for_selector(".cint-wave-panel [aria-current=step]:has-text('field')")
    warm.picture("wave-panel-field", ".cint-wave-panel")


def test_a_project_is_kept_fresh_in_the_background_until_paused(warm: LabPage) -> None:
    launched = "wave.upload()\nwave.launch(budget='300 EUR');"
    show = "cint.StatusTable(client.project_status('Browser tests'), interval=1)"
    warm.show(wave(), launched, show)
    warm.run_all()
    page = warm.page
    page.get_by_role("button", name="Auto-refresh").click()
    page.wait_for_selector(".cint-status-table .st-doing:has-text('auto-refresh every 1 s')")
    page.wait_for_selector(".cint-status-table tbody tr:has-text('Wave in a browser')")
    warm.run_again("client.pass_time(days=3);")
    page.wait_for_selector(".cint-status-table td.ch")
    page.wait_for_selector(".cint-status-table tbody svg", state="attached")
    warm.picture("table-fresh", ".cint-status-table")
    page.get_by_role("button", name="Auto-refresh").click()
    page.wait_for_selector(".cint-status-table .st-doing:has-text('refreshed when you ask')")


def test_the_browser_counts_on_in_the_words_of_the_kernel(context: Any) -> None:
    chance = random.Random(7)  # noqa: S311 - figures, no secret
    seconds = [(0.0, 0.0), (0.4, 1.0), (89.9, 90.0), (7_199.9, 7_200.0), (8_100.0, 8_820.0)]
    seconds += [(low, low + chance.choice([0, 1, 60, 5_000]) * chance.random()) for low in _lengths(chance, 20_000)]
    shares = [(hundredth / 100, (hundredth + 7) / 100) for hundredth in range(90)]
    shares += [(low, min(low + chance.choice([0, 0.2]) * chance.random(), 1.0)) for low in _lengths(chance, 1)]
    page = context.new_page()
    said = page.evaluate(
        """async ([source, seconds, shares]) => {
            const script = new Blob([source], { type: 'text/javascript' });
            const { percent, span } = await import(URL.createObjectURL(script));
            return [seconds.map((ends) => span(...ends)), shares.map((ends) => percent(...ends))];
        }""",
        [(files("cint_nb.panels.look") / "panel.js").read_text(encoding="utf-8"), seconds, shares],
    )
    page.close()
    assert said == [
        [format_duration_range(*ends) for ends in seconds],
        [format_percent(*ends) for ends in shares],
    ]


def _lengths(chance: random.Random, most: float) -> list[float]:
    return [most * chance.random() for _ in range(500)]
