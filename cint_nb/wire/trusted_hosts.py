"""The hosts that a token or secret may be sent to."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from cint_nb.domain import limits
from cint_nb.domain.errors import SettingsError

IN_PROCESS_HOSTS = ("sandbox.invalid", "replay.invalid")
_LIVE_DOMAINS = ("cint.com", "luc.id", "lucidhq.com", "samplicio.us")


def host_name(url: str | None) -> str | None:
    """Return the host of a URL without its port; None if it has none."""
    if url is None:
        return None
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def origin_of(url: str) -> str:
    """Return scheme, host and port of a URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def check_trusted_url(variable: str, url: str, *, live: bool, sandbox: bool) -> None:
    """Raise if a secret must not be sent to this URL.

    Args:
        variable: Its environment variable, for the message.
        url: The URL.
        live: Whether it is for live mode, where no host is inside this process.
        sandbox: Whether it is for the sandbox, which must never be the live exchange.

    Raises:
        SettingsError: naming the variable.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname
        is_plain = parts.scheme in {"http", "https"} and not (parts.username or parts.query or parts.fragment)
        _ = parts.port
    except ValueError:
        is_plain, host = False, None
    if host is None or not is_plain:
        raise SettingsError(
            "A URL must be https://host/path, without user, query or fragment.",
            evidence={"variable": variable},
            next_step=f"set {variable} to a URL such as {limits.LIVE_BASE_URL}.",
        )
    is_on_this_machine = is_loopback(host) or (host in IN_PROCESS_HOSTS and not live)
    if parts.scheme == "http" and not is_on_this_machine:
        raise SettingsError(
            "A URL outside this machine must use https, or the token would be sent unencrypted.",
            evidence={"variable": variable, "host": host},
            next_step=f"write https:// in {variable}.",
        )
    if sandbox and any(host == domain or host.endswith("." + domain) for domain in _LIVE_DOMAINS):
        raise SettingsError(
            "Sandbox mode points at the live exchange, where requests cost money.",
            evidence={"variable": variable, "host": host},
            next_step=f"unset {variable}, or choose cint.connect('live') if you mean the live exchange.",
        )


def is_loopback(host: str | None) -> bool:
    """Return whether a host is this machine."""
    if host is None:
        return False
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
