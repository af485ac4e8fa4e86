"""One operation by itself, with one changed reply: how its verb ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx

from cint_nb.api.jobs.job import Job
from cint_nb.api.operations import OPERATIONS
from cint_nb.api.reply_shapes import REPLY_SHAPES
from cint_nb.domain.errors import CintError
from cint_nb.wire.replies.shape import Object, Presence
from tests.contract.changed_replies import endings
from tests.contract.changed_replies.changes import MOVED, Path, cells, changed, media_type
from tests.contract.example_transport import ExampleTransport, client_of
from tests.contract.openapi_documents import operation_at, own
from tests.contract.operation_calls import OPERATION_CALLS
from tests.contract.response_samples import WAYS, Sample, samples

_SCENES: dict[str, dict[str, Any]] = {
    "recontacts.saved_ids": {"recontacts.saved_count": {"saved_respondent_ids_count": 1}},
}
"""Replies of other operations that agree with the one that is changed."""


@dataclass(frozen=True)
class VerbEnding:
    """What a verb returned, raised and warned of."""

    result: Any
    error: CintError | None
    warnings: list[str]


def sample_of(name: str) -> Sample:
    """Return the reply of an operation with every field, without a further page."""
    found = samples(own(), OPERATIONS[name])
    sample = next((one for label, one in found.items() if WAYS[0] in label), next(iter(found.values())))
    body = sample.body
    if isinstance(body, dict) and "next_cursor" in body:
        last = {key: value for key, value in (("next_cursor", None), ("has_more", False)) if key in body}
        body = {**body, **last}
    return Sample(sample.status, body, sample.headers)


class ChangedTransport(httpx.AsyncBaseTransport):
    """Answers with the examples of our description, of one operation with another body.

    Args:
        name: The operation.
        sample: Its reply.
        body: Its body, as JSON or as bytes; None for the sample's own.
    """

    def __init__(self, name: str, sample: Sample, body: Any = None) -> None:
        self._name, self._sample, self._body = name, sample, body
        self._examples = ExampleTransport(own(), name, sample, {**OPERATION_CALLS[name].scene, **_SCENES.get(name, {})})

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        reply = await self._examples.handle_async_request(request)
        asked = operation_at(request.method, request.url.path.removeprefix("/v1")).name
        if asked != self._name or self._body is None:
            return reply
        kept = {key: value for key, value in self._sample.headers.items() if key.lower() != "location"}
        if isinstance(self._body, bytes):
            kept["content-type"] = media_type(self._body)
            return httpx.Response(reply.status_code, content=self._body, headers=kept)
        return httpx.Response(reply.status_code, json=self._body, headers=kept)


def end_of(name: str, body: Any = None) -> VerbEnding:
    """Call the verb of an operation, with a changed body or with its own."""
    with client_of(ChangedTransport(name, sample_of(name), body)) as client:
        try:
            result = client.run(OPERATION_CALLS[name].through(client))
        except CintError as error:
            return VerbEnding(None, error, list(client.http.warning_texts))
        if isinstance(result, Job):
            result = result.handle
        shape = REPLY_SHAPES[name].body
        if isinstance(result, dict) and isinstance(shape, Object):  # the reply itself: what is declared of it counts
            result = {key: result.get(key) for key in shape.keys}
        return VerbEnding(endings.known(result), None, list(client.http.warning_texts))


@cache
def undisturbed(name: str) -> VerbEnding:
    """Return how the verb of an operation ends with its own reply."""
    return end_of(name)


def operation_cells(name: str) -> Iterator[tuple[str, Path]]:
    """Yield the changes of an operation's reply that its verb can tell from another documented reply.

    An empty list, and a success without the reason of a partial one, are what the documents have for "none": whether
    they are true shows in a wave alone.
    """
    body = sample_of(name).body
    for change, path in cells(body) if body is not None else ():
        is_list = change == "emptied" and isinstance(_value(body, path), list)
        if not is_list and "partial_success_reason" not in path and "failed_target_groups" not in path:
            yield change, path


def _value(body: Any, path: Path) -> Any:
    for key in path:
        body = body[0] if key == "[]" else body[key]
    return body


def ending_of(name: str, change: str, path: Path) -> str:
    """Return how a changed reply ends, or say what is wrong with it."""
    found, full = end_of(name, changed(sample_of(name).body, change, path)), undisturbed(name)
    said = " ".join([str(found.error or ""), *found.warnings])
    if found.error is not None:
        return endings.REFUSED if endings.names(name, path, said) else f"refused without a name: {said[:300]}"
    if found.warnings != full.warnings:
        return endings.WARNED if endings.names(name, path, said) else f"warned without a name: {said[:300]}"
    if found.result == full.result:
        return endings.RIGHT
    declared = endings.presence(name, path)
    if declared is None:
        return endings.AS_RECEIVED
    if declared is Presence.OPTIONAL and change not in MOVED and endings.only_less(full.result, found.result):
        return endings.NOT_KNOWN
    return f"silent: {full.result} became {found.result}"[:600]
