"""What the client sends only when something goes otherwise: after a refusal, a lost version, an expired token."""

from __future__ import annotations

from datetime import date
from typing import Any

from cint_nb.domain.reports import GUIDE_SPELLINGS
from cint_nb.sandbox.sandbox import Sandbox
from tests.contract.capturing_transport import Capture
from tests.contract.tour_state import Traveller, people, refusal


async def take_detours(to: Traveller, capture: Capture, sandbox: Sandbox) -> None:
    """Take every way around; the tour has been taken before."""
    await the_other_type_of_a_number(to, capture)
    await the_older_address(to, capture)
    await the_other_spelling(to, capture)
    await what_the_exchange_refuses(to, sandbox)


async def the_other_type_of_a_number(to: Traveller, capture: Capture) -> None:
    """Documents of one version disagree whether the business unit is text or a number."""
    groups = to.client.target_groups
    capture.refuse("POST", "/target-groups", 400, "BusinessUnitId")
    ref = await groups.create_draft(to.project, to.plan, name="Group: number", reference="ref number")
    await groups.update_draft(ref, to.plan)


async def the_older_address(to: Traveller, capture: Capture) -> None:
    """An exchange that lacks the newer address of uploads takes RSIDs at the older one."""
    capture.refuse("GET", "/upload-respondents-by-file", 404)
    capture.refuse("POST", "/upload-respondents-by-file", 404)
    await (await to.client.recontacts.upload(to.groups["third"], people(20, seed="older"), token="older"))


async def the_other_spelling(to: Traveller, capture: Capture) -> None:
    """Guide and reference spell the reports differently."""
    for kind in GUIDE_SPELLINGS:
        to.client.reports._spelling.pop(kind, None)
        capture.refuse("POST", f"/{kind}", 400, "report_type")
        group = to.groups["wave"].target_group_id
        await to.client.reports.generate(kind, date(2026, 9, 1), date(2026, 9, 2), by="target_group", ids=[group])


async def what_the_exchange_refuses(to: Traveller, sandbox: Sandbox) -> None:
    """Every status the client has a way with, as the sandbox words it."""
    client, ref = to.client, to.groups["later"]
    run = await client.fielding.run(ref)
    assert run is not None
    refused: dict[str, Any] = {
        "401": client.definitions.users,
        "expired-token": lambda: client.fielding.run(ref),
        "429@get_fielding_runs_by_target_group_id": lambda: client.fielding.run(ref),
        "stale-etag@complete_fielding_run": lambda: client.fielding.complete(ref),
    }
    for fault, ask in refused.items():
        sandbox.faults.arm(fault if "@" in fault else f"{fault}@any")
        await ask()
    sandbox.faults.arm("invalid@create_project=Name")
    await refusal(client.projects.create("Refused", "b551326b-ac9d-4d32-8823-4f025787dab9"))
