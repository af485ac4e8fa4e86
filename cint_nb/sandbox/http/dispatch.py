"""Takes a request through the exchange's own order of checks to the function that answers it."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Callable

from cint_nb.domain import limits
from cint_nb.sandbox.handlers.operation import Operation, Query
from cint_nb.sandbox.http.routes import RouteMatch, Tree
from cint_nb.sandbox.openapi.schemas import SCHEMAS, needs_body
from cint_nb.sandbox.protocol.json_schema import problems
from cint_nb.sandbox.protocol.messages import (
    Answer,
    Ask,
    Json,
    QueryValue,
    Refusal,
    StateFault,
    invalid,
    not_authenticated,
    not_found,
    not_permitted,
)
from cint_nb.sandbox.simulation import jobs
from cint_nb.sandbox.world.world import World

TOKEN_SECONDS = 86_400  # 24 hours, as the reference says
_PATH_FORMS = {"account_id": "an integer", "fielding_run_id": "a ULID"}


class Dispatcher:
    """Answer requests for one world.

    Args:
        world: The world.
        remember: Called with each request that changed the world, before its answer is given.
    """

    def __init__(self, world: World, remember: Callable[[Ask], None] | None = None) -> None:
        self.world = world
        self.tree = Tree()
        self._remember = remember
        self._keys: dict[tuple[str, str, str], tuple[str, Answer]] = {}
        self._secret = hashlib.sha256(f"token:{world.seed}".encode()).digest()
        self._lock = threading.Lock()

    def make_token(self, t: float) -> str:
        """Make an access token that is good for 24 virtual hours."""
        issued = f"{round(self.world.moment(t).timestamp() * 1000):x}"
        return f"sandbox.{issued}.{self._sign(issued)}"

    def token(self, body: bytes, t: float) -> Answer:
        """Answer the token endpoint, with its own error envelope."""
        try:
            asked = json.loads(body)
        except (ValueError, RecursionError):
            asked = None
        if not isinstance(asked, dict) or asked.get("grant_type") != "client_credentials":
            reason = "grant_type must be client_credentials"
            return Answer(400, {"error": "invalid_request", "error_description": reason})
        if (asked.get("client_id"), asked.get("client_secret")) != ("sandbox", "sandbox"):
            return Answer(401, {"error": "access_denied", "error_description": "Unauthorized"})
        token = self.make_token(t)
        return Answer(200, {"access_token": token, "expires_in": TOKEN_SECONDS, "token_type": "Bearer"})

    def handle(self, ask: Ask, route: RouteMatch, *, trusted: bool = False) -> Answer:
        """Answer a request; `trusted` ones come from the history and are not checked for a token again.

        Args:
            ask: The request.
            route: Where its method and path lead in the `tree`.
            trusted: Whether it comes from the history.
        """
        with self._lock:
            jobs.catch_up(self.world, ask.t)
            trace = self.world.ids.trace()
            try:
                answer = self._answer(ask, route, trusted=trusted)
            except Refusal as refusal:
                answer = refusal.answer(self.world.ids.error())
            answer.headers.setdefault("traceparent", trace)
            return answer

    def _answer(self, ask: Ask, route: RouteMatch, *, trusted: bool) -> Answer:
        operation, ask.params, methods = route
        if not methods:
            raise not_found("the resource")
        if operation is None:
            allow = {"Allow": ", ".join(methods)}
            raise Refusal(405, "method_not_allowed_error", "the method is not allowed here", headers=allow)
        if not trusted:
            self._check_token(ask)
        self._check_version(ask)
        self._check_path(ask)
        ask.values = _read_query(operation, ask)
        if StateFault.SHORT_PAGE in ask.effects and "page_size" in ask.values:
            ask.values["page_size"] = max(1, ask.int_param("page_size") // 2)
        if operation.guarded and not 1 <= len(ask.headers.get("if-match", "")) <= 100:
            raise invalid(("If-Match", "'If-Match' must have 1 to 100 characters."))
        if operation.body:
            ask.json = _parse_body(operation, ask, self.world)
        answer = self._answer_once(operation, ask) if operation.keyed else operation.answer(self.world, ask)
        if operation.acts and self._remember is not None and not trusted:
            self._remember(ask)
        # What was done may be due at once, such as a run that starts now.
        jobs.catch_up(self.world, ask.t)
        return answer

    def _answer_once(self, operation: Operation, ask: Ask) -> Answer:
        """Answer a keyed operation: the same key gives the same answer and acts once."""
        key = ask.headers.get("idempotency-key", "")
        if not 1 <= len(key) <= 255:
            raise invalid(("idempotency-key", "'idempotency-key' must have 1 to 255 characters."))
        place, digest = (operation.name, ask.path, key), hashlib.sha256(ask.body).hexdigest()
        known = self._keys.get(place)
        if known is None:
            answer = operation.answer(self.world, ask)
            self._keys[place] = (digest, answer)
        elif known[0] != digest:
            raise invalid(("idempotency-key", "this key was used before with another body."))
        else:
            answer = known[1]
        return Answer(answer.status, answer.body, dict(answer.headers))

    def _check_token(self, ask: Ask) -> None:
        scheme, _, token = ask.headers.get("authorization", "").partition(" ")
        parts = token.split(".")
        if (
            scheme.lower() != "bearer"
            or len(parts) != 3
            or not hmac.compare_digest(parts[2].encode(), self._sign(parts[1]).encode())
        ):
            raise not_authenticated()
        issued = int(parts[1], 16) / 1000
        if self.world.moment(ask.t).timestamp() - issued >= TOKEN_SECONDS:
            raise not_permitted()

    def _sign(self, text: str) -> str:
        return hmac.new(self._secret, text.encode(), "sha256").hexdigest()[:32]

    def _check_version(self, ask: Ask) -> None:
        version = ask.headers.get("cint-api-version")
        if not version:
            detail = "The Cint-API-Version HTTP request header is missing"
            raise Refusal(403, "required_header_missing", detail)
        if version != limits.API_VERSION:
            raise invalid(("Cint-API-Version", f"this sandbox speaks version {limits.API_VERSION} only."))

    def _check_path(self, ask: Ask) -> None:
        account = ask.params.get("account_id")
        if account is None:
            return
        if not (account.isascii() and account.isdigit() and len(account) < 12):
            raise invalid(("AccountId", "'Account Id' must be a whole number."))
        if int(account) != self.world.account_id:
            raise not_permitted()


def _read_query(operation: Operation, ask: Ask) -> dict[str, QueryValue]:
    values: dict[str, QueryValue] = {}
    found: list[tuple[str, str]] = []
    for query in operation.query:
        sent = ask.query.get(query.name)
        if not sent:
            values[query.name] = query.default
            if query.required:
                found.append((query.name, f"'{query.name}' must not be empty."))
            continue
        values[query.name] = value = _convert(query, sent)
        found += [(query.name, reason) for _, reason in problems(query.schema, value, SCHEMAS, query.name)]
    if found:
        raise invalid(*found)
    return values


def _convert(query: Query, sent: list[str]) -> QueryValue:
    kind = query.schema["type"]
    if kind == "array":
        return [part for text in sent for part in text.split(",")]
    text = sent[-1]
    if kind == "integer" and text.isascii() and text.removeprefix("-").isdigit() and len(text) < 12:
        return int(text)
    if kind == "boolean" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    return text


def _parse_body(operation: Operation, ask: Ask, world: World) -> Json:
    if not ask.body and not needs_body(operation.body):
        return {}
    try:
        body: Json = json.loads(ask.body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise invalid(("Body", "the request body is not valid JSON.")) from None
    found = problems(SCHEMAS[operation.body], body, SCHEMAS)
    if found:
        beside = operation.beside(world, body, ask.t) if operation.beside else []
        raise invalid(*beside, *found[:50])
    return body


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")
