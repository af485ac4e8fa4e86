"""The report of a wave: requested for all the days of its fielding, followed, downloaded."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from cint_nb.api.resources.downloads import Download
from cint_nb.domain.errors import InputError
from cint_nb.domain.fielding import FieldingRun
from cint_nb.domain.jobs import JobSnapshot
from cint_nb.domain.models import TargetGroupRef
from cint_nb.domain.reports import ReportType
from cint_nb.wave.context import WaveContext
from cint_nb.wave.exchange.state import read_state

_ZONE = ZoneInfo("America/Chicago")  # in which the exchange reads the days of a report
_NEARLY_TOO_LONG = timedelta(days=180)
"""Of the longest period of a report, six months, the shortest form."""
_LAST_VISITS = timedelta(days=2)
"""Who entered before the end finishes after it; and the last day of a report ends as it begins."""
_ADVICE = "pass the day on which fielding began: wave.report(start=…)."


class ReportSteps:
    """The steps of one wave that fetch its report; they change nothing."""

    def __init__(self, wave: WaveContext) -> None:
        self._wave = wave

    async def fetch(
        self,
        start: date | None,
        *,
        answers: bool | None,
        on_snapshot: Callable[[JobSnapshot], None],
        latest_days: int | None = None,
    ) -> Download:
        """Request the respondent analysis of this wave's target group alone, wait for it and download it.

        Args:
            start: First day; that on which fielding began if omitted.
            answers: Whether answers are included.
            on_snapshot: Called with each snapshot.
            latest_days: Leave out what was before so many days.
        """
        client = self._wave.client
        ref = await self._wave.require_ref()
        run = None if start else await self._launched_run(ref)
        first = start or _first_day(ref, run)
        # The end is read as midnight before the last day, which would leave out today's visits.
        last = client.clock.now().astimezone(_ZONE).date() + timedelta(days=1)
        if latest_days is not None:
            first = max(first, last - timedelta(days=latest_days))
        elif last - first > _NEARLY_TOO_LONG:  # a wave that ended long ago has no visits since
            run = run or await self._listed_run(ref)
            last = min(last, _day_of_the_last_visits(run) or last)
        job = await client.reports.generate(
            ReportType.RESPONDENT_ANALYSIS,
            first,
            last,
            by="target_group",
            ids=[ref.target_group_id],
            include_respondent_answers=answers,
        )
        job.add_listener(on_snapshot)
        await job
        return await client.reports.download(str(job.handle.job_id))  # never None: the reply was read for it

    async def _listed_run(self, ref: TargetGroupRef) -> FieldingRun | None:
        """Return the fielding run, of which a target group has one at most; None before the launch."""
        return next(iter(await self._wave.client.fielding.runs(ref)), None)

    async def _launched_run(self, ref: TargetGroupRef) -> FieldingRun:
        """Return the fielding run of a group that was launched, as its state has it.

        Raises:
            InvalidState: it was never launched.
        """
        state = await read_state(self._wave.client, ref)
        state.require_known("request its report")
        if state.run is None:
            raise state.invalid_state_error(
                "The wave has no visits to report: it was never launched.", "launch it first: wave.launch(budget=…)."
            )
        return state.run


def _first_day(ref: TargetGroupRef, run: FieldingRun | None) -> date:
    if run is None or run.start_fielding_at is None:
        raise InputError(
            "The exchange does not say when fielding began.", evidence=dict(ref.path_params()), next_step=_ADVICE
        )
    return run.start_fielding_at.astimezone(_ZONE).date()


def _day_of_the_last_visits(run: FieldingRun | None) -> date | None:
    """Return a day by which all visits have ended; None if the exchange does not say when fielding ends."""
    if run is None or run.end_fielding_at is None:
        return None
    return run.end_fielding_at.astimezone(_ZONE).date() + _LAST_VISITS
