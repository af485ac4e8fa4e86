"""What the client sends only in special cases: after a rejection, a changed version, an expired token."""

from __future__ import annotations

from datetime import date
from typing import Any

from cint_nb.domain.reports import GUIDE_SPELLINGS
from cint_nb.sandbox.sandbox import Sandbox
from tests.contract.capturing_transport import CapturingTransport
from tests.contract.tour_state import TourState, people, refusal


async def run_detours(to: TourState, transport: CapturingTransport, sandbox: Sandbox) -> None:
    """Run every detour; the tour must have been run before."""
    await the_other_type_of_a_number(to, transport)
    await the_older_address(to, transport)
    await the_other_spelling(to, transport)
    await what_the_exchange_refuses(to, sandbox)


async def the_other_type_of_a_number(to: TourState, transport: CapturingTransport) -> None:
    """Documents of one version disagree whether the business unit is text or a number."""
    groups = to.client.target_groups
    transport.reject_next("POST", "/target-groups", 400, "BusinessUnitId")
    ref = await groups.create_draft(to.project, to.plan, name="Group: number", reference="ref number")
    await groups.update_draft(ref, to.plan)


async def the_older_address(to: TourState, transport: CapturingTransport) -> None:
    """An exchange without the newer upload URL takes RSIDs at the older one."""
    transport.reject_next("GET", "/upload-respondents-by-file", 404)
    transport.reject_next("POST", "/upload-respondents-by-file", 404)
    await (await to.client.recontacts.upload(to.groups["third"], people(20, seed="older"), token="older"))


async def the_other_spelling(to: TourState, transport: CapturingTransport) -> None:
    """Guide and reference spell the reports differently."""
    for kind in GUIDE_SPELLINGS:
        to.client.reports._spelling.pop(kind, None)
        transport.reject_next("POST", f"/{kind}", 400, "report_type")
        group = to.groups["wave"].target_group_id
        await to.client.reports.generate(kind, date(2026, 9, 1), date(2026, 9, 2), by="target_group", ids=[group])


async def what_the_exchange_refuses(to: TourState, sandbox: Sandbox) -> None:
    """Every error status the client handles, in the sandbox's words."""
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
