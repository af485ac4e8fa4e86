"""How a history and a cohort are shown: the one as its view, the other as a card."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from cint_nb.history.cohort import Cohort as Cohort
from cint_nb.history.history import History as History
from cint_nb.panels.history_view.widget import HistoryView
from cint_nb.panels.look.card import Card, Say
from cint_nb.panels.look.text_format import format_count

_VIEWS: WeakKeyDictionary[History, HistoryView] = WeakKeyDictionary()


def view_of(history: History) -> HistoryView:
    """Return the view of a history, one for each, as it is now."""
    view = _VIEWS.get(history)
    if view is None or view.comm is None:
        _VIEWS[history] = view = HistoryView(history)
    else:
        view.refresh_if_changed()
    return view


def cohort_card(cohort: Cohort, mode: str | None) -> Card:
    """Return a card of a cohort: how many people, by which rule, and how they become the next list."""
    said = format_count(len(cohort), "person", "people")
    advice = Say(soft="As the next list: call its `respondents` method.", tiny=True)
    return Card("Cohort", [Say(said, cohort.name, big=True), advice], mode)
