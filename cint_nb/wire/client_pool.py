"""The pool of httpx clients: our own, as many as the concurrency needs, or the caller's."""

from __future__ import annotations

import contextlib
import functools
import os
import ssl
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from cint_nb.domain import limits
from cint_nb.domain.errors import NotSent, SettingsError
from cint_nb.wire import loop_thread

_PROXY_VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


class ClientPool:
    """A pool of httpx clients, created on first use.

    One client serves few connections: httpx scans all of them with each request, so that 64 are slower than 8. Higher
    concurrency therefore means more clients.

    Args:
        transport: Where requests go; httpx's own when None.
        given: The caller's own client, used as it is and never closed here.
        in_flight: Highest number of concurrent attempts.
        proxies: Whether the environment may name a proxy.
    """

    def __init__(
        self,
        transport: httpx.AsyncBaseTransport | None,
        given: httpx.AsyncClient | None,
        in_flight: int,
        *,
        proxies: bool,
    ) -> None:
        self._transport = transport
        self._external_client = given
        self._clients: list[httpx.AsyncClient] = []
        self._in_use: list[int] = []
        self._process = os.getpid()
        self._certificates: ssl.SSLContext | None = None
        self._proxies = proxies
        # A transport that was passed in is one, however many clients it serves.
        self._max_per_client = limits.IN_FLIGHT_PER_POOL if transport is None else in_flight

    @property
    def owns_clients(self) -> bool:
        """Whether the clients are ours and not the caller's."""
        return self._external_client is None

    def proxy_variable(self, url: httpx.URL) -> str | None:
        """Return the name of the variable whose proxy a request goes through; None where it goes through none."""
        if not self._proxies or self._transport is not None or not self.owns_clients:
            return None
        if proxy_bypass(url.host):
            return None
        named = {name.lower(): name for name, value in sorted(os.environ.items(), reverse=True) if value}
        return named.get(f"{url.scheme}_proxy") or named.get("all_proxy")

    def any_client(self) -> httpx.AsyncClient:
        """Return the client that requests are built with.

        Raises:
            NotSent: if the caller's client is closed.
        """
        self._leave_to_parent()
        if self._external_client is None:
            if not self._clients:
                self._add()
            return self._clients[0]
        if self._external_client.is_closed:
            raise NotSent(
                "Your httpx client is closed.",
                safe="nothing was sent.",
                next_step="create a new one and connect again.",
            )
        return self._external_client

    @contextlib.contextmanager
    def lease(self) -> Iterator[httpx.AsyncClient]:
        """Lend the first client that has a connection free."""
        if self._external_client is not None:
            yield self.any_client()
            return
        self._leave_to_parent()
        number = next((index for index, busy in enumerate(self._in_use) if busy < self._max_per_client), None)
        number = self._add() if number is None else number
        counted = self._in_use
        counted[number] += 1
        try:
            yield self._clients[number]
        finally:
            counted[number] -= 1

    def _leave_to_parent(self) -> None:
        """In a forked child, forget the parent's connections: they belong to its loop, and its replies to it."""
        if self._process != os.getpid():
            self._process = os.getpid()
            if self._transport is None:
                self._clients, self._in_use = [], []

    async def aclose(self) -> None:
        """Close our own clients and their transport; the caller's own stays open."""
        own, self._clients, self._in_use = self._clients, [], []
        for client in own:
            await client.aclose()
        if not own and self._external_client is None and self._transport is not None:
            await self._transport.aclose()

    def _add(self) -> int:
        """Create one more client and return its number; all clients share one reading of the certificates."""
        if self._transport is None and self._certificates is None:
            self._certificates = _ssl_context(environment=self._proxies)
        if not self._clients:
            loop_thread.close_at_exit(self)
        per_client = self._max_per_client
        refused: Exception | None = None
        try:
            if self._proxies:
                _check_proxies()
            client = _CookielessClient(
                transport=self._transport,
                limits=httpx.Limits(max_connections=per_client, max_keepalive_connections=per_client),
                verify=self._certificates or True,
                follow_redirects=False,
                trust_env=self._proxies,
                headers={"user-agent": _user_agent()},
            )
        except (ValueError, httpx.InvalidURL, ImportError) as error:
            refused = error
        if refused is not None:  # not as its context: what the libraries say quotes the value, and a password in it
            raise _proxy_error(refused)
        self._clients.append(client)
        self._in_use.append(0)
        return len(self._clients) - 1


class _NoCookies(httpx.Cookies):
    def extract_cookies(self, response: httpx.Response) -> None:
        """Ignore what a reply sets."""


class _CookielessClient(httpx.AsyncClient):
    """A client without cookies: the API sets none, and those of a proxy must not be sent on."""

    _none = _NoCookies()

    @property  # type: ignore[misc]  # which nobody can set either
    def cookies(self) -> httpx.Cookies:
        """Return none."""
        return self._none


def _ssl_context(*, environment: bool) -> ssl.SSLContext:
    try:
        if environment and any(map(os.environ.get, ("SSL_CERT_FILE", "SSL_CERT_DIR"))):
            return httpx.create_ssl_context(trust_env=True)
        return _bundled_certificates()
    except OSError as error:
        raise SettingsError(
            "The list of trusted certificate authorities could not be read.",
            evidence={"variable": "SSL_CERT_FILE, SSL_CERT_DIR", "reason": type(error).__name__},
            next_step="correct or unset the variable; certificates are always checked.",
        ) from None


@functools.cache  # they stay as they are, and reading them takes as long as twenty requests
def _bundled_certificates() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)


def _check_proxies() -> None:
    """Raise a ValueError where a proxy of the environment has a port that none can have; httpx finds that too late."""
    for scheme, address in getproxies().items():
        if scheme != "no":
            urlsplit(address if "://" in address else f"http://{address}").port  # noqa: B018 - reading it checks it


def _proxy_error(error: Exception) -> SettingsError:
    """Return the error for proxies of the environment that httpx cannot use; their values may hold a password."""
    known = {name.lower(): name for name in os.environ if name.lower() in _PROXY_VARIABLES}
    needs_socks = isinstance(error, ImportError)
    return SettingsError(
        "A proxy of the environment needs SOCKS, which is not installed."
        if needs_socks
        else "A proxy of the environment is not valid.",
        evidence={"variable": ", ".join(sorted(known.values())), "cause": type(error).__name__},
        next_step="run: pip install 'httpx[socks]', or name an http:// proxy."
        if needs_socks
        else "write a proxy as http://host:port, with a special character of its password percent-encoded, and "
        "NO_PROXY as names of hosts; or unset the variable.",
    )


@functools.cache  # reading the metadata takes longer than a request to the sandbox
def _user_agent() -> str:
    try:
        return f"cint_nb/{version('cint_nb')}"
    except PackageNotFoundError:
        return "cint_nb"
