"""Somebody who has never seen the project, and reads nothing but what the panels say."""

from __future__ import annotations

from pathlib import Path

import pytest

from cint_nb.sandbox.sample import write_sample
from tests.browser.lab_harness import LabPage
from tests.support.plans import plan_cell

pytestmark = pytest.mark.browser

PLAN = plan_cell(start="days=1")


def test_from_a_file_to_the_ids_that_were_rejected(warm: LabPage, tmp_path: Path) -> None:
    mine = write_sample(tmp_path / "my panel.csv", lines=1_000)
    warm.show("import cint_nb as cint\npicker = cint.FilePicker()\npicker")
    warm.run_all()
    page = warm.page
    with page.expect_file_chooser() as chooser:
        page.locator(".fp-choose").click()
    chooser.value.set_files(mine)
    page.wait_for_selector(".cint-status:has-text('one question left')")
    assert "malformed" in page.locator(".cint-bad-part").inner_text(), "what is wrong is seen before anything is sent"
    page.get_by_role("button", name="one per person").click()
    page.wait_for_selector(".cint-status:has-text('can be sent')")
    people = page.locator(".cint-code code").first.inner_text()

    warm.run_again(people)
    warm.run_again("client = cint.connect()")
    warm.run_again("plan = cint.TargetGroupPlan.recontact()")
    page.wait_for_selector(".jp-OutputArea-output:has-text('project_manager_id: missing; pass the UUID')")
    warm.run_again(PLAN)
    warm.run_again('wave = client.wave("Wave 2", project="My tracker", respondents=people, plan=plan)\nwave')
    for step in ("wave.create()", "wave.upload()"):
        page.wait_for_selector(f".cint-wave-panel .wv-next code:text-is('{step}')")
        warm.run_again(step)
    page.wait_for_selector(".cint-wave-panel .wv-next:has-text('wave.outcome names them')")
    assert page.locator(".cint-job-progress .cint-state:has-text('partly saved')").count() >= 1
    warm.run_again("wave.outcome.frame().query(\"outcome == 'rejected'\")")
    rejected = page.locator(".jp-OutputArea-output:has-text('rejected') table.dataframe").last
    rejected.wait_for()
    assert rejected.locator("tbody tr").count() > 5
    assert "••••" in rejected.inner_text(), "masked, with the line to find them by"
    warm.picture("newcomer")
