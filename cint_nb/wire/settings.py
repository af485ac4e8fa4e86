"""Which exchange a client talks to, as whom: read from arguments and from the environment, checked before use."""

from __future__ import annotations

import difflib
import ipaddress
import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from cint_nb.domain import limits
from cint_nb.domain.errors import SettingsError

SANDBOX_BASE_URL = "http://sandbox.invalid/v1"
"""The sandbox in this process. Names under `.invalid` resolve nowhere, so nothing can leave by accident."""
SANDBOX_ACCOUNT = 101
_IN_PROCESS_HOSTS = ("sandbox.invalid", "replay.invalid")
_REPLAY_BASE_URL = "http://replay.invalid/v1"
_REAL_DOMAINS = ("cint.com", "luc.id", "lucidhq.com", "samplicio.us")

VARIABLES: Mapping[str, str] = {
    "account_id": "CINT_NB_ACCOUNT_ID",
    "client_id": "CINT_NB_CLIENT_ID",
    "client_secret": "CINT_NB_CLIENT_SECRET",
    "token": "CINT_NB_TOKEN",
    "base_url": "CINT_NB_BASE_URL",
    "token_url": "CINT_NB_TOKEN_URL",
    "recording": "CINT_NB_RECORDING",
    "record": "CINT_NB_RECORD",
    "keep_token": "CINT_NB_KEEP_TOKEN",
}
MODE_VARIABLE = "CINT_NB_MODE"
_ONLY_LIVE = frozenset({"account_id", "client_id", "client_secret", "keep_token"})


class Mode(StrEnum):
    """Name what answers: the practice room, a recording, or the real exchange."""

    SANDBOX = "sandbox"
    REPLAY = "replay"
    LIVE = "live"


class Settings(BaseModel):
    """Hold everything a client needs to know before its first request.

    Args:
        mode: What answers.
        account_id: Cint account number; 101 in the sandbox.
        client_id: OAuth client.
        client_secret: Its secret.
        token: A ready access token, used as it is and never refreshed without client id and secret.
        base_url: Address of the API with its version, without a slash at the end; https except on this machine.
        token_url: Address that hands out tokens.
        recording: File to answer from, in replay mode.
        record: File to write the exchanges to.
        keep_token: Keep the token on disk, readable by you only, so that a new kernel need not ask for one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    mode: Mode = Mode.SANDBOX
    account_id: int | None = None
    client_id: str = ""
    client_secret: SecretStr | None = None
    token: SecretStr | None = None
    base_url: str = ""
    token_url: str = ""
    recording: Path | None = None
    record: Path | None = None
    keep_token: bool = False

    @classmethod
    def read(
        cls, mode: Mode | str | None = None, *, environ: Mapping[str, str] | None = None, **overrides: Any
    ) -> Self:
        """Read settings: an argument wins over its environment variable, which wins over the default.

        The sandbox never reads credentials or the account from the environment, so that a real secret cannot reach it.

        Args:
            mode: `sandbox`, `replay` or `live`; else the variable CINT_NB_MODE; else `sandbox`.
            environ: Where variables are looked up; the process's environment when left out.
            overrides: Any field of these settings. None means "not given".

        Raises:
            SettingsError: naming each variable that is missing or wrong.
        """
        variables = os.environ if environ is None else environ
        chosen = _mode(mode or variables.get(MODE_VARIABLE, "").strip() or Mode.SANDBOX)
        values = {name: value for name, value in overrides.items() if value is not None}
        _refuse_unknown(values)
        elsewhere = bool(values.get("base_url") or variables.get(VARIABLES["base_url"], "").strip())
        for name, variable in VARIABLES.items():
            if name in values or not _may_read(name, chosen, elsewhere):
                continue
            if text := variables.get(variable, "").strip():
                values[name] = text
        values = {**_defaults(chosen, str(values.get("base_url", ""))), **values}
        values["base_url"] = str(values["base_url"]).rstrip("/")
        try:
            settings = cls(mode=chosen, **values)
        except ValidationError as error:
            raise _unreadable(error) from None
        settings.check()
        return settings

    def check(self) -> None:
        """Refuse settings that cannot work.

        Raises:
            SettingsError: naming what is missing or contradicts itself.
        """
        for name in ("base_url", "token_url"):
            _check_address(name, getattr(self, name), self.mode)
        if self.mode is Mode.LIVE:
            self._check_credentials()
        if self.mode is Mode.REPLAY and self.recording is None:
            raise SettingsError(
                "Replay needs a recording.",
                evidence={"missing": VARIABLES["recording"]},
                next_step=f"set {VARIABLES['recording']} to a file made by `cint-nb record`.",
            )
        if self.mode is Mode.REPLAY and self.record is not None:
            raise SettingsError(
                "A replay cannot be recorded.",
                evidence={"record": VARIABLES["record"], "mode": "replay"},
                next_step=f"unset {VARIABLES['record']}, or choose the mode sandbox or live.",
            )

    def _check_credentials(self) -> None:
        missing = [] if self.account_id is not None else [VARIABLES["account_id"]]
        if self.token is None:
            missing += [VARIABLES["client_id"]] if not self.client_id else []
            missing += [VARIABLES["client_secret"]] if self.client_secret is None else []
        if missing:
            raise SettingsError(
                "Live mode needs an account and credentials.",
                evidence={"missing": ", ".join(missing)},
                next_step="set the missing variables, or use the sandbox: connect('sandbox').",
            )

    @property
    def in_process(self) -> bool:
        """Tell whether requests stay inside this process, so that no address is ever asked."""
        return urlsplit(self.base_url).hostname in _IN_PROCESS_HOSTS

    @property
    def on_this_machine(self) -> bool:
        """Tell whether requests never leave this machine, so that no proxy has a part in them."""
        return self.in_process or _is_loopback(urlsplit(self.base_url).hostname or "")

    @property
    def renewable(self) -> bool:
        """Tell whether a new token can be asked for."""
        return bool(self.client_id) and self.client_secret is not None and self.mode is not Mode.REPLAY

    def __repr__(self) -> str:
        """Name mode, account and address; no credentials."""
        return f"<Settings: {self.mode} · account {self.account_id} · {self.base_url}>"

    __str__ = __repr__


def _mode(word: Mode | str) -> Mode:
    try:
        return Mode(str(word).strip().lower())
    except ValueError:
        raise SettingsError(
            f"The mode must be sandbox, replay or live; got {str(word)[:40]!r}.",
            evidence={"variable": MODE_VARIABLE},
            next_step=f"pass connect('sandbox'), or set {MODE_VARIABLE} to one of the three words.",
        ) from None


def _refuse_unknown(values: Mapping[str, Any]) -> None:
    for name in values:
        if name not in Settings.model_fields:
            near = difflib.get_close_matches(name, Settings.model_fields, 1)
            raise SettingsError(
                f"There is no setting named {name[:40]!r}.",
                next_step=f"did you mean {near[0]}?" if near else f"use one of {', '.join(VARIABLES)}.",
            )


def _may_read(name: str, mode: Mode, elsewhere: bool) -> bool:
    """Tell whether a variable counts in a mode; a recording, for example, has its own account and no credentials."""
    match mode:
        case Mode.LIVE:
            return name != "recording"
        case Mode.REPLAY:
            return name in {"recording", "record"}
        case Mode.SANDBOX:
            if name == "token":
                return elsewhere
            return name not in _ONLY_LIVE and name != "recording"


def _defaults(mode: Mode, base_url: str) -> dict[str, Any]:
    match mode:
        case Mode.LIVE:
            return {"base_url": limits.LIVE_BASE_URL, "token_url": limits.TOKEN_URL}
        case Mode.REPLAY:
            # A recording holds no token; this one stands where a token stands and is never sent anywhere.
            return {
                "base_url": _REPLAY_BASE_URL,
                "token_url": _host(_REPLAY_BASE_URL) + "/oauth/token",
                "account_id": SANDBOX_ACCOUNT,
                "token": SecretStr("replay"),
            }
        case Mode.SANDBOX:
            base_url = base_url or SANDBOX_BASE_URL
            return {
                "base_url": base_url,
                "token_url": _host(base_url) + "/oauth/token",
                "account_id": SANDBOX_ACCOUNT,
                "client_id": "sandbox",
                "client_secret": SecretStr("sandbox"),
            }


def _host(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _check_address(name: str, url: str, mode: Mode) -> None:
    variable = VARIABLES[name]
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
    if parts.scheme == "http" and host not in _IN_PROCESS_HOSTS and not _is_loopback(host):
        raise SettingsError(
            "An address outside this machine must use https: a token would travel readable.",
            evidence={"variable": variable, "host": host},
            next_step=f"write https:// in {variable}.",
        )
    if mode is Mode.SANDBOX and name == "base_url" and not parts.path.strip("/"):
        raise SettingsError(
            "The address of a sandbox's API ends in its version.",
            evidence={"variable": variable, "host": parts.netloc},
            next_step=f"write {url.rstrip('/')}/v1 in {variable}.",
        )
    if mode is Mode.SANDBOX and any(host == domain or host.endswith("." + domain) for domain in _REAL_DOMAINS):
        raise SettingsError(
            "Sandbox mode is pointed at the real exchange, where everything costs money.",
            evidence={"variable": variable, "host": host},
            next_step=f"unset {variable}, or choose connect('live') if the real exchange is meant.",
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _unreadable(error: ValidationError) -> SettingsError:
    problems = error.errors(include_input=False, include_url=False)
    names = [str(problem["loc"][0]) for problem in problems]
    return SettingsError(
        "; ".join(f"{name}: {problem['msg']}" for name, problem in zip(names, problems, strict=True)) + ".",
        evidence={"variables": ", ".join(VARIABLES.get(name, name) for name in names)},
        next_step="correct these settings and connect again.",
    )
