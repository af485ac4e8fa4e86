"""Ask an exchange by reading only: what works for this account, and where replies differ from the documents."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from functools import partial
from typing import Any, NamedTuple

from cint_nb.cli.drift import ReplyComparison
from cint_nb.domain.errors import CintError, NotFound
from cint_nb.domain.models import TargetGroupRef
from cint_nb.wave.client import Client
from cint_nb.wire import loop_thread

LOOKED_AT = 3
"""So many projects are looked into; an account may have thousands."""
GROUPS_LOOKED_AT = 5
_STATES = ("refused", "works", "not there")


class Reading(NamedTuple):
    """What became of one reading request.

    Args:
        name: The verb, as users write it after `client.`.
        state: `works`, `refused`, or `not there` for what this account does not have yet.
        text: What came back, in a few words, or the error's first line and next step.
    """

    name: str
    state: str
    text: str


def read_everything(
    client: Client, on_reading: Callable[[str], None] = lambda _: None
) -> tuple[list[Reading], ReplyComparison]:
    """Send reading requests, a few of each kind, and compare the replies with the documents.

    Nothing is created, changed or requested that costs anything: every request is a GET.

    Args:
        client: The client whose account is looked into.
        on_reading: Called with the verb before each request: what can be asked depends on what has been answered.
    """
    comparison = ReplyComparison()
    before, client.http.reply_listener = client.http.reply_listener, comparison
    try:
        return _each_once(_readings(client, on_reading)), comparison
    finally:
        client.http.reply_listener = before


def _each_once(readings: Iterable[Reading]) -> list[Reading]:
    """Return one reading for each verb: the refused one, if there is one, else one that works."""
    worst: dict[str, Reading] = {}
    for reading in readings:
        kept = worst.get(reading.name)
        if kept is None or _STATES.index(reading.state) < _STATES.index(kept.state):
            worst[reading.name] = reading
    return list(worst.values())


def _one_of_each_state(groups: Iterable[Any]) -> list[Any]:
    """Return a few groups, of as many states as there are: a draft has other replies than a live group."""
    first: dict[Any, Any] = {}
    for group in groups:
        first.setdefault(group.status, group)
    return list(first.values())[:GROUPS_LOOKED_AT]


def _readings(client: Client, on_reading: Callable[[str], None]) -> Iterator[Reading]:
    aio = client.aio
    found: dict[str, Any] = {}

    def read(name: str, ask: Callable[[], Awaitable[Any] | AsyncIterator[Any]]) -> Reading:
        on_reading(name)
        try:
            found[name] = loop_thread.run(_ask(ask()))
        except NotFound as error:
            return Reading(name, "not there", error.what)
        except CintError as error:
            return Reading(name, "refused", f"{error.what} {error.next_step or ''}".strip())
        return Reading(name, "works", _in_words(found[name]))

    yield read("definitions.accounts", aio.definitions.accounts)
    yield read("definitions.users", aio.definitions.users)
    yield read("definitions.business_units", aio.definitions.business_units)
    yield read("definitions.locales", aio.definitions.locales)
    yield read("definitions.industries", aio.definitions.industries)
    yield read("definitions.study_types", aio.definitions.study_types)
    yield read("definitions.suppliers", aio.definitions.suppliers)
    yield read("definitions.allocation_templates", aio.definitions.allocation_templates)
    for template in list(found.get("definitions.allocation_templates") or ())[:1]:
        yield read(
            "definitions.allocation_template", partial(aio.definitions.allocation_template, template.template_id)
        )
    locales = [code for locale in found.get("definitions.locales") or () for code in locale.codes()]
    for code in locales[:1]:
        yield read("definitions.questions", partial(aio.definitions.questions, code, search="gender"))
    yield read("reports.list", aio.reports.list)
    yield read("reconciliations.list", aio.reconciliations.list)
    yield read("reconciliations.eligible_target_groups", aio.reconciliations.eligible_target_groups)
    yield read("projects.list", aio.projects.list)
    for project in (found.get("projects.list") or ())[:LOOKED_AT]:
        yield read("projects.get", partial(aio.projects.get, project.id))
        yield read("projects.overview", partial(aio.projects.overview, project.id))
        yield read("exclusions.policies", partial(aio.exclusions.policies, project.id))
        yield read("target_groups.list", partial(aio.target_groups.list, project.id))
        for group in _one_of_each_state(found.get("target_groups.list") or ()):
            ref = TargetGroupRef(project_id=project.id, target_group_id=group.id)
            yield from _read_group(read, aio, ref)
        found.pop("target_groups.list", None)


def _read_group(read: Callable[..., Reading], aio: Any, ref: TargetGroupRef) -> Iterator[Reading]:
    for name, ask in {
        "target_groups.get": aio.target_groups.get,
        "target_groups.overview": aio.target_groups.overview,
        "target_groups.performance": aio.target_groups.performance,
        "target_groups.completes_by_interval": aio.target_groups.completes_by_interval,
        "target_groups.changelog": aio.target_groups.changelog,
        "target_groups.fielding_assistant": aio.target_groups.fielding_assistant,
        "target_groups.allocation_specification": aio.target_groups.allocation_specification,
        "recontacts.jobs": aio.recontacts.jobs,
        "recontacts.saved_count": aio.recontacts.saved_count,
        "exclusions.overview": aio.exclusions.overview,
        "exclusions.policy": aio.exclusions.policy,
        "exclusions.activity": aio.exclusions.activity,
        "fielding.runs": aio.fielding.runs,
        "fielding.run": aio.fielding.run,
        "profiles.list": aio.profiles.list,
    }.items():
        yield read(name, partial(ask, ref))


async def _ask(asked: Any) -> Any:
    """Return what was asked for; of a long list the first page's worth."""
    if not hasattr(asked, "__aiter__"):
        return await asked
    first = []
    async for each in asked:
        first.append(each)
        if len(first) == 10 * LOOKED_AT:
            break
    return first


def _in_words(value: Any) -> str:
    if isinstance(value, tuple | list):
        return f"{len(value):,} {'entry' if len(value) == 1 else 'entries'}"
    return "nothing" if value is None else "answers"
