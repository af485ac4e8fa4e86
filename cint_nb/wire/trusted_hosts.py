"""Which addresses a token or a secret may be sent to."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from cint_nb.domain import limits
from cint_nb.domain.errors import SettingsError

IN_PROCESS_HOSTS = ("sandbox.invalid", "replay.invalid")
_LIVE_DOMAINS = ("cint.com", "luc.id", "lucidhq.com", "samplicio.us")


def host_name(url: str) -> str:
    """Return the host of an address without its port; empty if it has none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def origin_of(url: str) -> str:
    """Return scheme, host and port of an address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def check_trusted_url(variable: str, url: str, *, live: bool, sandbox: bool) -> None:
    """Raise if a secret must not be sent to this URL.

    Args:
        variable: Its environment variable, for the message.
        url: The address.
        live: Whether it is for live mode, where nothing answers inside this process.
        sandbox: Whether it is for the sandbox, which must never be the real exchange.

    Raises:
        SettingsError: naming the variable.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        plain = (
            bool(host) and parts.scheme in {"http", "https"} and not (parts.username or parts.query or parts.fragment)
        )
        _ = parts.port
    except ValueError:
        plain, host = False, ""
    if not plain:
        raise SettingsError(
            "An address must be https://host/path, without user, query or fragment.",
            evidence={"variable": variable},
            next_step=f"set {variable} to an address such as {limits.LIVE_BASE_URL}.",
        )
    stays_here = is_loopback(host) or (host in IN_PROCESS_HOSTS and not live)
    if parts.scheme == "http" and not stays_here:
        raise SettingsError(
            "An address outside this machine must use https: a token would travel readable.",
            evidence={"variable": variable, "host": host},
            next_step=f"write https:// in {variable}.",
        )
    if sandbox and any(host == domain or host.endswith("." + domain) for domain in _LIVE_DOMAINS):
        raise SettingsError(
            "Sandbox mode is pointed at the real exchange, where everything costs money.",
            evidence={"variable": variable, "host": host},
            next_step=f"unset {variable}, or choose connect('live') if the real exchange is meant.",
        )


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
