"""Dispatching a request: through the checks, in the exchange's own order, to the handler of its operation."""

from __future__ import annotations

import copy
import hashlib
import hmac
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from cint_nb.domain import limits
from cint_nb.sandbox.handlers.operation import Operation, QueryParam
from cint_nb.sandbox.http.routes import OPERATIONS, RouteMatch, Router
from cint_nb.sandbox.http.web_interface import WEB_OPERATIONS
from cint_nb.sandbox.moment import Sender
from cint_nb.sandbox.openapi.schemas import SCHEMAS, requires_body
from cint_nb.sandbox.protocol.json_schema import find_problems, find_undocumented, keep_documented
from cint_nb.sandbox.protocol.messages import (
    ApiError,
    Json,
    QueryValue,
    Request,
    Response,
    StateFault,
    bad_request,
    forbidden,
    method_not_allowed,
    not_found,
    unauthorized,
    unsupported_media_type,
)
from cint_nb.sandbox.protocol.tokens import TokenSigner
from cint_nb.sandbox.simulation.advance import catch_up
from cint_nb.sandbox.world.catalogue import ACCOUNT_ID, COLLEAGUE_ID
from cint_nb.sandbox.world.entities import Job
from cint_nb.sandbox.world.world import World

TOKEN_LIFETIME_SECONDS = 86_400  # 24 hours, as the reference says
_UNDOCUMENTED = "this field is not documented."


@dataclass
class _Replica:
    """A world as it was at a moment, for some more reads."""

    world: World
    t: float
    reads: int


class Dispatcher:
    """The dispatcher of requests to the handlers of one world.

    Args:
        world: The world.
        log_request: Called with each request that changed the world, and who sent it, before its response is returned.
        student_token: The only token that is accepted, for ever; without it, those that the token endpoint issues.
    """

    router = Router()  # these two hold no state of a world
    _web_router = Router((*OPERATIONS, *WEB_OPERATIONS))

    def __init__(
        self,
        world: World,
        log_request: Callable[[Request, Sender], None] | None = None,
        student_token: str | None = None,
    ) -> None:
        self.world = world
        self.lock = threading.RLock()
        self._log_request = log_request
        self._student_token = student_token
        self._idempotency_keys: dict[tuple[str, str, str], tuple[str, Response]] = {}
        self._replicas: dict[str, _Replica] = {}
        self._tokens = TokenSigner(world.id_factory.seed, limits.TOKEN_AUDIENCE)

    def make_token(self, t: float) -> str:
        """Create an access token that is valid for 24 virtual hours."""
        return self._tokens.sign(self.world.time_at(t).timestamp(), TOKEN_LIFETIME_SECONDS)

    def token(self, body: bytes, t: float) -> Response:
        """Handle a request to the token endpoint, which has its own error envelope."""
        try:
            credentials = json.loads(body)
        except (ValueError, RecursionError):
            credentials = None
        if not isinstance(credentials, dict) or credentials.get("grant_type") != "client_credentials":
            reason = "grant_type must be client_credentials"
            return Response(400, {"error": "invalid_request", "error_description": reason})
        known = (credentials.get("client_id"), credentials.get("client_secret")) == ("sandbox", "sandbox")
        if not known or self._student_token is not None:
            return Response(401, {"error": "access_denied", "error_description": "Unauthorized"})
        token = self.make_token(t)
        return Response(200, {"access_token": token, "expires_in": TOKEN_LIFETIME_SECONDS, "token_type": "Bearer"})

    def handle(self, request: Request, route: RouteMatch, *, replayed: bool = False) -> Response:
        """Handle a request of a client.

        Args:
            request: The request.
            route: What the `router` found for its method and path.
            replayed: Whether it comes from the request log: it needs no token, and is not logged a second time.
        """
        with self.lock:
            catch_up(self.world, request.received_at)
            trace = self.world.id_factory.traceparent()
            try:
                response = self._dispatch(request, route, replayed=replayed)
            except ApiError as error:
                response = error.to_response(self.world.id_factory.error_id())
            response.headers.setdefault("traceparent", trace)
            return response

    def answer_error(self, error: ApiError) -> Response:
        """Return the response to a request that no operation has seen, such as one for an unknown address."""
        with self.lock:
            trace = self.world.id_factory.traceparent()
            response = error.to_response(self.world.id_factory.error_id())
            response.headers.setdefault("traceparent", trace)
            return response

    def act(self, request: Request, sender: Sender, *, replayed: bool = False) -> Response:
        """Handle a request of somebody else, who also has what only the web interface can do.

        Args:
            request: The request.
            sender: Who sent it.
            replayed: Whether it comes from the request log.

        Raises:
            ApiError: when it is rejected.
        """
        with self.lock:
            catch_up(self.world, request.received_at)
            user = self.world.actor if sender is Sender.MACHINE else COLLEAGUE_ID
            with self.world.acting_as(user):
                route = self._web_router.match(request.method, request.path)
                return self._dispatch(request, route, sender, replayed=replayed)

    def stop_replica(self, operation: str, reads: int, t: float) -> None:
        """Let the next reads of an operation be answered from the state of this moment."""
        with self.lock:
            catch_up(self.world, t)
            # Nobody changes the population, which is most of a world.
            known = {id(self.world.population): self.world.population}
            world = copy.deepcopy(self.world, known)
            self._replicas[operation] = _Replica(world, t, reads)

    def _dispatch(
        self, request: Request, route: RouteMatch, sender: Sender = Sender.CLIENT, *, replayed: bool
    ) -> Response:
        operation, request.path_params, methods = route
        if not methods:
            raise not_found("the resource")
        if operation is None:
            raise method_not_allowed(", ".join(methods))
        if sender is Sender.CLIENT and not replayed:
            self._check_token(request)
        self._check_version(request)
        self._check_path(request)
        strict = sender is Sender.CLIENT and self.world.rules.undocumented_fields == "refused"
        request.query_params = _read_query(operation, request, strict=strict)
        if StateFault.SHORT_PAGE in request.state_faults and "page_size" in request.query_params:
            request.query_params["page_size"] = max(1, request.int_param("page_size") // 2)
        if operation.requires_if_match:
            _read_header(request, "If-Match", 100)
        if operation.request_schema is not None:
            request.json = _parse_body(operation, operation.request_schema, request, self.world, strict=strict)
        replica = self._replicas.get(operation.name)
        if replica is not None and sender is Sender.CLIENT:
            return self._read_replica(replica, operation, request)
        jobs_before = len(self.world.jobs)
        response = (
            self._dispatch_idempotent(operation, request)
            if operation.requires_idempotency_key
            or (operation.accepts_idempotency_key and request.headers.get("idempotency-key"))
            else operation.handler(self.world, request)
        )
        if operation.changes_state and self._log_request is not None and not replayed:
            self._log_request(request, sender)
        if sender is Sender.COLLEAGUE:
            self._end_jobs(list(self.world.jobs.values())[jobs_before:], request.received_at)
        # What the request did may be due at once, such as a run that starts now.
        catch_up(self.world, request.received_at)
        return response

    def _end_jobs(self, jobs: list[Job], t: float) -> None:
        """Let jobs end at once: what a colleague does is over when it is noticed."""
        for job in jobs:
            job.ends_at = t
            self.world.schedule(t, job.id)

    def _read_replica(self, replica: _Replica, operation: Operation, request: Request) -> Response:
        replica.reads -= 1
        if not replica.reads:
            del self._replicas[operation.name]
        return operation.handler(replica.world, replace(request, received_at=replica.t))

    def _dispatch_idempotent(self, operation: Operation, request: Request) -> Response:
        """Handle a request with an idempotency key: the same key returns the same response and acts once."""
        key = _read_header(request, "idempotency-key", 255)
        key_scope, digest = (operation.name, request.path, key), hashlib.sha256(request.body).hexdigest()
        known = self._idempotency_keys.get(key_scope)
        if known is None:
            response = operation.handler(self.world, request)
            self._idempotency_keys[key_scope] = (digest, response)
        elif known[0] != digest:
            raise bad_request(("idempotency-key", "this key was used before with another body."))
        else:
            response = known[1]
        return Response(response.status, response.body, dict(response.headers))

    def _check_token(self, request: Request) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if self._student_token is not None:
            if scheme.lower() != "bearer" or not hmac.compare_digest(token.encode(), self._student_token.encode()):
                raise unauthorized()
            return
        expiry = self._tokens.read_expiry(token) if scheme.lower() == "bearer" else None
        if expiry is None:
            raise unauthorized()
        if self.world.time_at(request.received_at).timestamp() >= expiry:
            raise unauthorized() if self.world.rules.expiry_status == "401" else forbidden()

    def _check_version(self, request: Request) -> None:
        version = request.headers.get("cint-api-version")
        if not version:
            detail = "The Cint-API-Version HTTP request header is missing"
            raise ApiError(403, "required_header_missing", detail)
        if version != limits.API_VERSION:
            raise bad_request(("Cint-API-Version", f"this sandbox speaks version {limits.API_VERSION} only."))

    def _check_path(self, request: Request) -> None:
        account = request.path_params.get("account_id")
        if account is None:
            return
        if not (account.isascii() and account.isdigit() and len(account) < 12):
            raise bad_request(("AccountId", "'Account Id' must be a whole number."))
        # Where there are several accounts, the number that all examples use stands for one's own.
        if int(account) not in (self.world.account_id, ACCOUNT_ID):
            raise forbidden()


def _read_header(request: Request, name: str, most: int) -> str:
    value = request.headers.get(name.lower())
    if value is None or not 1 <= len(value) <= most:
        raise bad_request((name, f"'{name}' must have 1 to {most} characters."))
    return value


def _read_query(operation: Operation, request: Request, *, strict: bool) -> dict[str, QueryValue]:
    values: dict[str, QueryValue] = {}
    found: list[tuple[str, str]] = []
    if strict:
        known = {query.name for query in operation.query}
        found += [(name, _UNDOCUMENTED) for name in request.raw_query if name not in known]
    for query in operation.query:
        sent = request.raw_query.get(query.name)
        if not sent:
            values[query.name] = query.default
            if query.required:
                found.append((query.name, f"'{query.name}' must not be empty."))
            continue
        values[query.name] = value = _convert_query_value(query, sent)
        found += [(query.name, reason) for _, reason in find_problems(query.schema, value, SCHEMAS, query.name)]
    if found:
        raise bad_request(*found)
    return values


def _convert_query_value(query: QueryParam, sent: list[str]) -> QueryValue:
    kind = query.schema["type"]
    if kind == "array":
        return [part for text in sent for part in text.split(",")]
    text = sent[-1]
    if kind == "integer" and text.isascii() and text.removeprefix("-").isdigit() and len(text) < 12:
        return int(text)
    if kind == "boolean" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    return text


def _parse_body(operation: Operation, schema_name: str, request: Request, world: World, *, strict: bool) -> Json:
    if not request.body and not requires_body(schema_name):
        return {}
    if request.body and not _is_json(request.headers.get("content-type", "")):
        raise unsupported_media_type("the body of this request must be application/json")
    try:
        body: Json = json.loads(request.body, parse_constant=_reject_constant)
    except (ValueError, RecursionError):
        raise bad_request(("Body", "the request body is not valid JSON.")) from None
    schema = SCHEMAS[schema_name]
    found = find_problems(schema, body, SCHEMAS)
    if strict:
        found += [(name, _UNDOCUMENTED) for name in find_undocumented(schema, body, SCHEMAS)]
    if found:
        extra = operation.extra_checks(world, body, request.received_at) if operation.extra_checks else []
        raise bad_request(*extra, *found[:50])
    return keep_documented(schema, body, SCHEMAS)


def _is_json(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == "application/json"


def _reject_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")
