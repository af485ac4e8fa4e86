"""Draws the values that notebooks show: registered as the renderer of `domain.ids`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

from cint_nb.api.jobs.job import Job
from cint_nb.domain.errors import CintError
from cint_nb.domain.findings import Findings
from cint_nb.domain.jobs import JobSnapshot
from cint_nb.domain.plan import TargetGroupPlan
from cint_nb.panels.job_progress.widget import JobProgress
from cint_nb.panels.look.base import Panel
from cint_nb.panels.look.card import Card
from cint_nb.panels.look.error_card import error_card
from cint_nb.panels.look.mode import certain_mode
from cint_nb.panels.look.text_format import escape
from cint_nb.panels.results.value_cards import outcome_card, plan_card, respondents_card, snapshot_card
from cint_nb.panels.wave_view.findings_card import findings_blocks
from cint_nb.panels.wave_view.widget import WaveView
from cint_nb.study.files.respondents import Respondents
from cint_nb.study.outcome.upload_outcome import Outcome
from cint_nb.wave.wave import Wave

_Maker: TypeAlias = tuple[type, Callable[[Any, str | None], Card]]
_CARDS: tuple[_Maker, ...] = (
    (Findings, lambda findings, mode: Card("Findings", findings_blocks(findings), mode)),
    (Outcome, outcome_card),
    (Respondents, respondents_card),
    (JobSnapshot, snapshot_card),
    (TargetGroupPlan, plan_card),
    (CintError, error_card),
)


def card_of(value: object) -> Card | None:
    """Return the card of a value; None if it has none."""
    for kind, make in _CARDS:
        if isinstance(value, kind):
            return make(value, certain_mode())
    room = _history_room()
    if room is not None and isinstance(value, room.Cohort):
        card: Card = room.cohort_card(value, certain_mode())
        return card
    return None


def _history_room() -> Any:
    """Return what draws histories and their cohorts: it needs an extra, which is there where there is a history."""
    if "cint_nb.history.history" not in sys.modules:
        return None
    from cint_nb.panels.results import history_cards

    return history_cards


def _view_of(value: object) -> Panel | None:
    """Return the view of a value that has one, the same for each, so that all places where it is shown stay alike."""
    if isinstance(value, Wave):
        return view_of(value)
    room = _history_room()
    if room is not None and isinstance(value, room.History):
        view: Panel = room.view_of(value)
        return view
    return None


def html(value: object) -> str | None:
    """Return a value as HTML; None if it has no card."""
    view = _view_of(value)
    if view is not None:
        return view.to_static_html()
    if isinstance(value, Job):
        return f"<p>{escape(repr(value))}</p>" if value.last_snapshot is None else html(value.last_snapshot)
    card = card_of(value)
    return None if card is None else card.html()


def text(value: object) -> str:
    """Return a value as text; its repr if it has no card."""
    view = _view_of(value)
    if view is not None:
        said: str = view.to_card().text()
        return said
    card = card_of(value)
    return repr(value) if card is None else card.text()


_VIEWS: WeakKeyDictionary[Wave, WaveView] = WeakKeyDictionary()


def view_of(wave: Wave) -> WaveView:
    """Return the view of a wave, one for each, so that all places where it is shown stay the same."""
    view = _VIEWS.get(wave)
    if view is None or view.comm is None:
        _VIEWS[wave] = view = WaveView(wave)
    return view


def show(value: object) -> None:
    """Show a value that lives on after it was shown: a wave or a history as its view, a job as its progress."""
    view = _view_of(value)
    if view is not None:
        view._ipython_display_()
    elif isinstance(value, Job):
        JobProgress(value)._ipython_display_()
