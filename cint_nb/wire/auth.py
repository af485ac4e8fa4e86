"""The access token: fetched once for all callers, renewed early, kept on disk on request."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import re
import stat
import tempfile
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn, Protocol

import httpx
import platformdirs
from pydantic import SecretStr

from cint_nb.domain import limits
from cint_nb.domain.errors import (
    ApiError,
    CintError,
    InputError,
    NotAuthenticated,
    NotSent,
    PermissionDenied,
    SettingsError,
)
from cint_nb.output_files import remove_leftovers
from cint_nb.wire.api_errors import WEB_PAGE_HINT
from cint_nb.wire.calls import Call, Reply
from cint_nb.wire.clock import Clock
from cint_nb.wire.replies.error_body import parse_error_envelope
from cint_nb.wire.retry_policy import Idempotency
from cint_nb.wire.settings import Mode, Settings, is_valid_token

TOKEN_CALL = Call("get an access token", "POST", "/oauth/token", Idempotency.SAFE)
_DEFAULT_LIFETIME = timedelta(hours=1)


@dataclass(frozen=True)
class AccessToken:
    """A token and its expiry; a token from the settings has no known expiry."""

    secret: SecretStr
    expires_at: datetime | None = None
    lifetime: timedelta | None = None

    def __reduce__(self) -> NoReturn:
        """Raise: a pickle would contain the token in plain text."""
        raise TypeError("Tokens cannot be pickled. Connect again where you need one.")

    def is_fresh(self, now: datetime) -> bool:
        """Return whether it may still be used: until 5 minutes before expiry, or half its lifetime if less."""
        if self.expires_at is None:
            return True
        early = min(limits.TOKEN_RENEW_BEFORE, (self.lifetime or limits.TOKEN_RENEW_BEFORE) / 2)
        return now < self.expires_at - early


class TokenStore(Protocol):
    """Protocol for a place that keeps a token between processes."""

    def load(self) -> AccessToken | None:
        """Return the kept token, None if there is none."""
        ...

    def save(self, token: AccessToken) -> None:
        """Keep a token."""
        ...

    def delete(self) -> None:
        """Remove the kept token."""
        ...


class BearerAuth(httpx.Auth):
    """The token as `httpx.Auth`, which httpx drops when a request is redirected to another host."""

    def __init__(self, token: AccessToken) -> None:
        self._token = token

    @property
    def secret(self) -> SecretStr:
        """Return the token."""
        return self._token.secret

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Set the Authorization header. The token's text is in no variable, so that no traceback can show it."""
        request.headers["Authorization"] = f"Bearer {self._token.secret.get_secret_value()}"
        yield request


class TokenProvider:
    """Provider of the one token of a client.

    Args:
        settings: Credentials, or an access token.
        clock: For its age.
        fetch: Sends the token request; called by one task at a time.
        store: Where to keep it between processes; None for nowhere.
    """

    def __init__(
        self, settings: Settings, clock: Clock, fetch: Callable[[], Awaitable[Reply]], store: TokenStore | None = None
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._fetch = fetch
        self._store = store
        self._replaying = settings.mode is Mode.REPLAY
        self._token = AccessToken(settings.token) if settings.token is not None else None
        self._marked_valid: tuple[AccessToken, datetime] | None = None
        self._lock = asyncio.Lock()

    async def current(self) -> AccessToken:
        """Return a token that is valid for at least some minutes.

        Raises:
            SettingsError: if there are no credentials.
            NotAuthenticated: if the token endpoint rejects them.
            NotSent: if no token could be fetched for any other reason.
        """
        if self._token is not None and self._token.is_fresh(self._clock.now()):
            return self._token
        async with self._lock:
            if self._token is None and self._store is not None:
                self._token = self._store.load()
            if self._token is None or not self._token.is_fresh(self._clock.now()):
                self._token = await self._fetch_token()
            return self._token

    async def renew(self, rejected: AccessToken) -> AccessToken | None:
        """Return another token than the one the exchange rejected, or None if another would not help.

        Another task may have renewed it in the meantime: then that token is returned and none is fetched.
        """
        if self._is_marked_valid(rejected) or not (self._settings.can_renew_token or self._replaying):
            return None
        async with self._lock:
            if self._token is rejected:
                if self._store is not None:
                    self._store.delete()
                self._token = await self._fetch_token()
            return self._token

    def mark_valid(self, token: AccessToken) -> None:
        """Mark a new token that was rejected like the one before as valid: the account lacks a permission."""
        self._marked_valid = (token, self._clock.now())

    def _is_marked_valid(self, token: AccessToken) -> bool:
        """Return whether a token was marked valid recently; later it may have been revoked."""
        if self._marked_valid is None or self._marked_valid[0] is not token:
            return False
        return self._clock.now() - self._marked_valid[1] <= limits.TOKEN_TRUSTED_FOR

    async def _fetch_token(self) -> AccessToken:
        if self._replaying and self._settings.token is not None:
            return AccessToken(self._settings.token)  # the recording continues as after a new token
        if not self._settings.can_renew_token:
            raise SettingsError(
                "No credentials for an access token.",
                evidence={"missing": "CINT_NB_CLIENT_ID, CINT_NB_CLIENT_SECRET"},
                next_step="set both, or set CINT_NB_TOKEN to an access token.",
            )
        try:
            token = self._parse_token(await self._fetch())
        except (NotAuthenticated, PermissionDenied) as error:
            raise (_token_unavailable_error if error.is_web_page else _token_refused_error)(error) from None
        except InputError:  # a setting, such as a proxy: trying again would not help
            raise
        except CintError as error:
            raise _token_unavailable_error(error) from None
        if self._store is not None:
            self._store.save(token)
        return token

    def _parse_token(self, reply: Reply) -> AccessToken:
        fields = reply.json_object()
        given = fields.pop("access_token", None)
        secret = SecretStr(given.strip()) if isinstance(given, str) else SecretStr("")
        del given
        if not is_valid_token(secret):
            raise reply.unexpected_reply_error("The token endpoint returned no access token.")
        seconds = fields.get("expires_in")
        usable = isinstance(seconds, (int, float)) and not isinstance(seconds, bool) and 0 < seconds < 10**8
        lifetime = timedelta(seconds=float(seconds)) if usable and seconds is not None else _DEFAULT_LIFETIME
        return AccessToken(secret, self._clock.now() + lifetime, lifetime)


def token_request_body(settings: Settings) -> dict[str, Any]:
    """Return the body of the token request; `auth_scopes` is this endpoint's name for OAuth's `scope`."""
    return {
        "client_id": settings.client_id,
        "client_secret": settings.client_secret.get_secret_value() if settings.client_secret else None,
        "grant_type": "client_credentials",
        "audience": limits.TOKEN_AUDIENCE,
        "auth_scopes": limits.TOKEN_SCOPES,
    }


def may_mean_expired_token(reply: Reply) -> bool:
    """Return whether a reply may mean an expired token.

    The recontact guide says 401; the API's authentication page says 403 with the object `authorization_error`.
    """
    if reply.status == 401:
        return True
    return reply.status == 403 and parse_error_envelope(reply.body).get("object") == "authorization_error"


def _token_refused_error(error: ApiError) -> NotAuthenticated:
    """Explain a rejection by the token endpoint, whose error envelope differs from the API's."""
    rejected = NotAuthenticated(
        f"No access token: {error.what}",
        evidence=error.evidence,
        safe="nothing was sent to the API.",
        next_step="check CINT_NB_CLIENT_ID and CINT_NB_CLIENT_SECRET.",
    )
    rejected.body = error.body
    return rejected


def _token_unavailable_error(error: CintError) -> NotSent:
    # An error that names a variable already knows which URL is wrong.
    specific = error.next_step if "variable" in error.evidence else None
    if isinstance(error, ApiError) and error.is_web_page:  # it says nothing about the credentials
        specific = WEB_PAGE_HINT.replace("CINT_NB_BASE_URL", "CINT_NB_TOKEN_URL")
    return NotSent(
        f"The request was not sent, because no access token could be fetched: {error.what}",
        evidence={"cause": error.code, **error.evidence},
        safe="nothing was sent to the API; retrying is safe.",
        next_step=specific or "try again in a minute; check CINT_NB_TOKEN_URL if it recurs.",
    )


_PART = ".token-"


class FileTokenStore:
    """A token store in the user's cache folder.

    The file name is a digest of token URL and client id, so that accounts do not mix. A file that others can read, that
    is a link, or that is damaged counts as no file.

    Args:
        settings: Whose token it is.
        folder: Another folder than the user's cache folder.
    """

    def __init__(self, settings: Settings, folder: Path | None = None) -> None:
        parts = (settings.token_url, settings.client_id, limits.TOKEN_AUDIENCE, limits.TOKEN_SCOPES)
        identity = "\n".join(map(str, parts))
        self._folder = folder or platformdirs.user_cache_path("cint_nb", appauthor=False)
        self.path = self._folder / f"token-{hashlib.sha256(identity.encode()).hexdigest()[:16]}.json"

    def load(self) -> AccessToken | None:
        """Return the kept token, or None; what a killed process left beside it is removed."""
        remove_leftovers(self._folder, rf"{re.escape(_PART)}\w+")
        try:
            handle = os.open(self.path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        except OSError:
            return None
        if os.name == "posix" and not _is_private(os.fstat(handle)):
            os.close(handle)
            return None
        # Opened by descriptor, so that what was checked is what is read.
        with (
            open(handle, encoding="utf-8") as file,  # noqa: PTH123
            contextlib.suppress(ValueError, KeyError, TypeError, OverflowError),
        ):
            kept = json.load(file)
            expires_at = datetime.fromisoformat(kept["expires_at"])
            secret = SecretStr(kept.pop("access_token"))
            if expires_at.tzinfo is not None and is_valid_token(secret):
                return AccessToken(secret, expires_at, timedelta(seconds=kept["life"]))
        return None

    def save(self, token: AccessToken) -> None:
        """Keep a token; a failed write is ignored, since the token can be fetched again."""
        if token.expires_at is None or token.lifetime is None:
            return
        with contextlib.suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # mkstemp creates the file as 0600 from its first byte; the rename then replaces the old one as a whole.
            handle, name = tempfile.mkstemp(dir=self._folder, prefix=_PART)
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    json.dump(
                        {
                            "access_token": token.secret.get_secret_value(),
                            "expires_at": token.expires_at.isoformat(),
                            "life": token.lifetime.total_seconds(),
                        },
                        file,
                    )
                Path(name).replace(self.path)
            finally:
                with contextlib.suppress(FileNotFoundError):
                    Path(name).unlink()

    def delete(self) -> None:
        """Remove the kept token."""
        with contextlib.suppress(OSError):
            self.path.unlink()

    def __repr__(self) -> str:
        """Show the class name only."""
        return "<FileTokenStore>"


def _is_private(status: os.stat_result) -> bool:
    return stat.S_ISREG(status.st_mode) and stat.S_IMODE(status.st_mode) & 0o077 == 0 and status.st_uid == os.getuid()
