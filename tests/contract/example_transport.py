"""A transport that answers with the examples of a description, and how the client parses them."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from cint_nb.api.client import AsyncClient
from cint_nb.domain.errors import CintError
from cint_nb.domain.models import ApiModel
from cint_nb.wire.calls import Call
from cint_nb.wire.clock import ReplayClock
from cint_nb.wire.http import Http
from cint_nb.wire.settings import Settings
from cint_nb.wire.token_factory import SeededTokenFactory
from tests.contract.openapi_documents import Description, operation_at
from tests.contract.operation_calls import OPERATION_CALLS, START
from tests.contract.response_samples import WAYS, Sample, samples

UNHEARD_OF = {"a_field_nobody_has_heard_of": {"deep": [1, "two"]}}
FILE = b"6f1c2f0e-5b0a-4f0e-9d53-0c6a3b7e1f24\n"


class ExampleTransport(httpx.AsyncBaseTransport):
    """Answers every request with an example of a description.

    Args:
        description: The description.
        name: The operation under test.
        sample: Its reply; one with every field if omitted.
        scene: Replies of other operations.
    """

    def __init__(
        self, description: Description, name: str, sample: Sample | None = None, scene: dict[str, Any] | None = None
    ) -> None:
        self.requests: list[httpx.Request] = []
        self.sent: list[str] = []
        self._description, self._name, self._sample, self._scene = description, name, sample, scene or {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        operation = operation_at(request.method, request.url.path.removeprefix("/v1"))
        self.requests.append(request)
        self.sent.append(operation.name)
        if operation.name == self._name and self._sample is not None:
            shown = self._sample
        else:
            if isinstance(status := self._scene.get(operation.name), int):
                return httpx.Response(status, json={"object": "not_found_error", "detail": "not here"})
            every = samples(self._description, operation)
            shown = next(one for name, one in every.items() if WAYS[0] in name or "no body" in name)
            if operation.name in self._scene:
                shown = Sample(200, self._scene[operation.name], {"ETag": 'W/"1"'})
        if operation.name.endswith("download"):
            return httpx.Response(200, content=FILE)
        if shown.body is None:
            return httpx.Response(shown.status, headers=shown.headers)
        if b"start_after" in request.url.query:  # the second page is the last one
            last = {"next_cursor": None, "has_more": False}
            shown = Sample(shown.status, {**shown.body, **last}, shown.headers)
        return httpx.Response(shown.status, json=shown.body, headers=shown.headers)


def client_of(transport: httpx.AsyncBaseTransport) -> AsyncClient:
    """Return a client whose waiting takes no time."""
    settings = Settings.load("live", environ={}, account_id=101, token="planted", base_url="http://127.0.0.1/v1")
    http = Http(settings, transport=transport, clock=ReplayClock(START), token_factory=SeededTokenFactory("asks"))
    return AsyncClient(http)


def call_of(name: str, description: Description) -> Call:
    """Return the call the client builds for an operation."""
    calls: list[Call] = []
    transport = ExampleTransport(description, name, scene=OPERATION_CALLS[name].scene)
    with client_of(transport) as client:
        plain = client.http.send

        async def noting(call: Call) -> Any:
            calls.append(call)
            return await plain(call)

        client.http.send = noting  # type: ignore[method-assign]
        with contextlib.suppress(CintError):
            client.run(OPERATION_CALLS[name].through(client))
    return calls[transport.sent.index(name)]


@dataclass(frozen=True)
class SampleOutcome:
    """How the client handled one sample.

    Args:
        read: Each object that was parsed, and the model made of it.
        requests: The requests the client sent.
        sent: The operations of these requests.
        warnings: The warnings of the client.
        error: The error it raised.
    """

    read: list[tuple[dict[str, Any], ApiModel]]
    requests: list[httpx.Request]
    sent: list[str]
    warnings: list[str]
    error: CintError | None = None

    def wrong(self) -> list[str]:
        """Return what was not parsed, lost, or not understood."""
        raised = [] if self.error is None else [f"{type(self.error).__name__}: {self.error.what}"]
        missing = [f"lost: {field}" for given, made in self.read for field in lost(given, made)]
        return [*raised, *missing, *(warning for warning in self.warnings if "status" in warning)]


def outcome_of(description: Description, name: str, sample: Sample) -> SampleOutcome:
    """Return how the client handles a sample as the reply of an operation, with a field added to every object."""
    sample = Sample(sample.status, _grown(sample.body), sample.headers)
    transport = ExampleTransport(description, name, sample, OPERATION_CALLS[name].scene)
    read: list[tuple[dict[str, Any], ApiModel]] = []
    plain = ApiModel.model_validate.__func__  # type: ignore[attr-defined]

    def noting(cls: type[ApiModel], /, value: Any, **more: Any) -> ApiModel:
        made: ApiModel = plain(cls, value, **more)
        if isinstance(value, dict):
            read.append((value, made))
        return made

    with pytest.MonkeyPatch.context() as patch, client_of(transport) as client:
        patch.setattr(ApiModel, "model_validate", classmethod(noting))
        error = None
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                client.run(OPERATION_CALLS[name].through(client))
            except CintError as raised:
                error = raised
        said = [str(warning.message) for warning in caught]
        return SampleOutcome(read, transport.requests, transport.sent, said, error)


def lost(given: dict[str, Any], made: ApiModel, place: str = "") -> Iterator[str]:
    """Yield the fields of a reply that its model does not contain; a null counts as absent."""
    kept = {name: getattr(made, name) for name in type(made).model_fields} | (made.model_extra or {})
    for name, value in given.items():
        where = f"{place}{name}"
        if value is None:
            continue
        if name not in kept:
            yield where
        elif isinstance(kept[name], ApiModel):
            yield from lost(value, kept[name], f"{where}.")
        elif isinstance(kept[name], tuple):
            if len(kept[name]) != len(value):
                yield where
            for row, one in zip(value, kept[name], strict=False):
                if isinstance(one, ApiModel):
                    yield from lost(row, one, f"{where}.")
        elif isinstance(value, dict) and kept[name] != value:
            yield where


def _grown(body: Any) -> Any:
    if isinstance(body, dict):
        return {**{name: _grown(value) for name, value in body.items()}, **UNHEARD_OF}
    return [_grown(value) for value in body] if isinstance(body, list) else body
