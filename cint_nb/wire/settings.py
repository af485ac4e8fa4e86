"""Client settings: mode, account, credentials and hosts, from arguments and environment."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, NamedTuple, NoReturn, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from cint_nb.domain import limits
from cint_nb.domain.errors import SettingsError
from cint_nb.domain.ids import masked_repr, printable
from cint_nb.domain.models import OptionalText
from cint_nb.wire.trusted_hosts import IN_PROCESS_HOSTS, check_trusted_url, host_name, is_loopback, origin_of

SANDBOX_BASE_URL = "http://sandbox.invalid/v1"
"""The sandbox in this process. Names under `.invalid` resolve nowhere, so nothing can leave by accident."""
SANDBOX_ACCOUNT = 101
_REPLAY_BASE_URL = "http://replay.invalid/v1"

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
    "seed": "CINT_NB_SEED",
    "in_flight": "CINT_NB_IN_FLIGHT",
    "requests_per_second": "CINT_NB_REQUESTS_PER_SECOND",
}
_INT_MAX = 2**63 - 1
MODE_VARIABLE = "CINT_NB_MODE"
_SECRETS = frozenset({"client_secret", "token"})
_TEXTS = frozenset({"client_id", "base_url", "token_url"})
_ONLY_LIVE = frozenset({"account_id", "client_id", "client_secret", "keep_token", "requests_per_second"})


class Mode(StrEnum):
    """What answers: the sandbox, a recording, or the live exchange."""

    SANDBOX = "sandbox"
    REPLAY = "replay"
    LIVE = "live"


ModeName = Literal["sandbox", "replay", "live"]
"""A mode as users write it."""


class Settings(BaseModel):
    """Everything a client needs to know before its first request.

    Args:
        mode: What answers.
        account_id: Cint account number; 101 in the sandbox.
        client_id: OAuth client.
        client_secret: Its secret.
        token: An access token, used as it is and never renewed without client id and secret.
        base_url: URL of the API with its version, without a trailing slash; https except on this machine.
        token_url: URL of the token endpoint; for a server on this machine its own `/oauth/token`.
        recording: File to replay, in replay mode.
        record: File to record the calls to.
        keep_token: Keep the token on disk, readable by you only, so that a new kernel need not request one.
        seed: Of the sandbox in this process: the same seed gives the same people, ids and metrics.
        in_flight: Highest number of concurrent requests, 1–256. Ask Cint before going beyond 8.
        requests_per_second: Rate limit in live mode, above 0 and at most 10,000. Ask Cint before going beyond 10.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    mode: Mode = Mode.SANDBOX
    account_id: int | None = Field(None, ge=0, le=_INT_MAX)
    client_id: OptionalText = None
    client_secret: SecretStr | None = None
    token: SecretStr | None = None
    base_url: str
    token_url: str
    recording: Path | None = None
    record: Path | None = None
    keep_token: bool = False
    seed: int = Field(1, ge=-_INT_MAX, le=_INT_MAX)
    in_flight: int = Field(limits.IN_FLIGHT, ge=1, le=limits.IN_FLIGHT_MAX)
    requests_per_second: float = Field(limits.REQUESTS_PER_SECOND, gt=0, le=limits.REQUESTS_PER_SECOND_MAX)

    @classmethod
    def load(
        cls, mode: Mode | str | None = None, *, environ: Mapping[str, str] | None = None, **overrides: Any
    ) -> Self:
        """Read settings: an argument wins over its environment variable, which wins over the default.

        The sandbox never reads credentials or the account from the environment, so that a real secret cannot reach it;
        only a mock server on this machine is given the token.

        Args:
            mode: `sandbox`, `replay` or `live`; else the variable CINT_NB_MODE; else `sandbox`.
            environ: Where variables are read; the process's environment when omitted.
            overrides: Any field of these settings. None means "not given".

        Raises:
            SettingsError: naming each variable that is missing or wrong.
        """
        chosen = _parse_mode(mode or _variable(environ, MODE_VARIABLE) or Mode.SANDBOX)
        overrides = wrap_secrets({name: value for name, value in overrides.items() if value is not None})
        _check_given(overrides)
        values = _with_variables(overrides, chosen, environ)
        values = {**_defaults(chosen, str(values["base_url"]) if values.get("base_url") else None), **values}
        values["base_url"] = str(values["base_url"]).rstrip("/")
        try:
            settings = cls(mode=chosen, **values)
        except ValidationError as error:
            raise _settings_error(error) from None
        settings.check()
        return settings

    def check(self) -> None:
        """Raise if these settings cannot work.

        Raises:
            SettingsError: naming what is missing or contradictory.
        """
        for name in ("base_url", "token_url"):
            check_trusted_url(
                VARIABLES[name], getattr(self, name), live=self.mode is Mode.LIVE, sandbox=self.mode is Mode.SANDBOX
            )
        if self.mode is Mode.SANDBOX and self.token is None and not urlsplit(self.base_url).path.strip("/"):
            raise SettingsError(
                "The URL of a sandbox API ends with its version.",
                evidence={"variable": VARIABLES["base_url"], "host": urlsplit(self.base_url).netloc},
                next_step=f"write {self.base_url.rstrip('/')}/v1 in {VARIABLES['base_url']}.",
            )
        if self.token is not None and not is_valid_token(self.token):
            raise SettingsError(
                "The access token contains characters that are not valid in a token, "
                "such as a space, line break or accented letter.",
                evidence={"variable": VARIABLES["token"]},
                next_step="copy the token again, without any surrounding text.",
            )
        if self.mode is Mode.LIVE:
            self._check_credentials()
        if self.mode is Mode.REPLAY and self.recording is None:
            raise SettingsError(
                "Replay mode needs a recording.",
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
            missing += [VARIABLES["client_id"]] if self.client_id is None else []
            missing += [VARIABLES["client_secret"]] if self.client_secret is None else []
        if missing:
            raise SettingsError(
                "Live mode needs an account and credentials.",
                evidence={"missing": ", ".join(missing)},
                next_step="set the missing variables, or use the sandbox: cint.connect('sandbox').",
            )

    @property
    def is_in_process(self) -> bool:
        """Whether requests stay inside this process, so that no host is ever contacted: a replay's always do."""
        if self.mode is Mode.SANDBOX:
            return host_name(self.base_url) in IN_PROCESS_HOSTS
        return self.mode is Mode.REPLAY

    @property
    def is_local(self) -> bool:
        """Whether requests never leave this machine, so that no proxy is involved."""
        return self.is_in_process or is_loopback(host_name(self.base_url))

    @property
    def can_renew_token(self) -> bool:
        """Whether a new token can be requested."""
        return self.client_id is not None and self.client_secret is not None and self.mode is not Mode.REPLAY

    def __reduce__(self) -> NoReturn:
        """Raise: a pickle would contain the credentials in plain text."""
        raise TypeError("Settings contain credentials and cannot be pickled. Connect again where you need them.")

    @printable
    def __repr__(self) -> str:
        """Show mode, account and base URL; no credentials."""
        return f"<Settings: {self.mode} · account {self.account_id} · {self.base_url}>"

    __str__ = __repr__


class SettingInForce(NamedTuple):
    """One setting as it is in force: its value in words, without secrets, and where it comes from."""

    name: str
    value: str
    source: str


def settings_in_force(settings: Settings, environ: Mapping[str, str] | None = None) -> list[SettingInForce]:
    """Return every setting with its value and its source; a secret is only said to be set.

    Args:
        settings: Settings loaded without arguments, so that each comes from a variable or is a default.
        environ: Where the variables were read; the process's environment when omitted.
    """
    source = MODE_VARIABLE if _variable(environ, MODE_VARIABLE) else "default"
    found = [SettingInForce("mode", str(settings.mode), source)]
    mock = is_loopback(host_name(settings.base_url))
    for name, variable in VARIABLES.items():
        value = getattr(settings, name)
        shown = "set" if name in _SECRETS and value is not None else "not set" if value is None else str(value)
        given = _variable(environ, variable) is not None
        if given and not _applies_in_mode(name, settings.mode, mock):
            source = f"default; {variable} is set, and not read in the mode {settings.mode}"
        else:
            source = variable if given else "default"
        found.append(SettingInForce(name, shown, source))
    return found


def wrap_secrets(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with their secrets in a type that is never printed.

    A traceback may show the local variables of every frame it passed, so no frame keeps a readable secret for long.
    """
    return {
        name: SecretStr(value) if name in _SECRETS and isinstance(value, str) else value
        for name, value in settings.items()
    }


def _variable(environ: Mapping[str, str] | None, name: str) -> str | None:
    """Return the value of a variable; None if it is unset or empty."""
    return (os.environ if environ is None else environ).get(name, "").strip() or None


def _with_variables(given: Mapping[str, Any], mode: Mode, environ: Mapping[str, str] | None) -> dict[str, Any]:
    """Return the given settings, completed from the environment."""
    base_url = str(given["base_url"]) if given.get("base_url") else _variable(environ, VARIABLES["base_url"])
    mock = is_loopback(host_name(base_url))
    found = {name: _variable(environ, VARIABLES[name]) for name in VARIABLES if _applies_in_mode(name, mode, mock)}
    return {**wrap_secrets({name: text for name, text in found.items() if text is not None}), **given}


def is_valid_token(secret: SecretStr) -> bool:
    """Return whether a text can be a token: ASCII without spaces, so that no failing header ever quotes it."""
    return re.fullmatch(r"[!-~]+", secret.get_secret_value(), re.ASCII) is not None


def _parse_mode(word: Mode | str) -> Mode:
    try:
        return Mode(word.strip().lower())
    except (ValueError, AttributeError):
        raise SettingsError(
            f"The mode must be sandbox, replay or live; got {masked_repr(word, 40)}.",
            evidence={"variable": MODE_VARIABLE},
            next_step=f"pass cint.connect('sandbox'), or set {MODE_VARIABLE} to one of these three.",
        ) from None


def _check_given(values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if name not in Settings.model_fields:
            near = difflib.get_close_matches(name, Settings.model_fields, 1)
            raise SettingsError(
                f"Unknown setting {masked_repr(name, 40)}.",
                next_step=f"did you mean {near[0]}?" if near else f"use one of {', '.join(VARIABLES)}.",
            )
        is_of_its_kind = name not in _TEXTS or isinstance(value, str)
        if not is_of_its_kind or not (name == "token" or _is_writable(value)):  # `check` says more about a token
            raise SettingsError(
                f"The setting {name} has a value that no setting can have.",  # never shown: it may be a secret
                evidence={"variable": VARIABLES[name], "given": type(value).__name__},
                next_step="pass a text in one piece, without zero characters or halves of characters.",
            )


def _is_writable(value: Any) -> bool:
    """Return whether a value can be written into an address, a file name or a request, as far as it is a text."""
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if not isinstance(value, str | Path):
        return True
    try:
        return b"\0" not in str(value).encode()
    except UnicodeEncodeError:
        return False


def _applies_in_mode(name: str, mode: Mode, mock: bool) -> bool:
    """Return whether a variable applies in a mode; a recording, for example, has its own account."""
    match mode:
        case Mode.LIVE:
            return name not in {"recording", "seed"}
        case Mode.REPLAY:
            return name in {"recording", "record"}
        case Mode.SANDBOX:
            if name == "token":
                return mock
            return name not in _ONLY_LIVE and name != "recording"


def _defaults(mode: Mode, base_url: str | None) -> dict[str, Any]:
    match mode:
        case Mode.LIVE:
            # A server on this machine issues its own tokens: it must get neither a real secret nor a real token.
            base_url = base_url or limits.LIVE_BASE_URL
            token_url = origin_of(base_url) + "/oauth/token" if is_loopback(host_name(base_url)) else limits.TOKEN_URL
            return {"base_url": base_url, "token_url": token_url}
        case Mode.REPLAY:
            # A recording contains no token; this placeholder is never sent anywhere.
            return {
                "base_url": _REPLAY_BASE_URL,
                "token_url": origin_of(_REPLAY_BASE_URL) + "/oauth/token",
                "account_id": SANDBOX_ACCOUNT,
                "token": SecretStr("replay"),
            }
        case Mode.SANDBOX:
            base_url = base_url or SANDBOX_BASE_URL
            return {
                "base_url": base_url,
                "token_url": origin_of(base_url) + "/oauth/token",
                "account_id": SANDBOX_ACCOUNT,
                "client_id": "sandbox",
                "client_secret": SecretStr("sandbox"),
            }


def _settings_error(error: ValidationError) -> SettingsError:
    problems = error.errors(include_input=False, include_url=False)
    names = [str(problem["loc"][0]) for problem in problems]
    return SettingsError(
        "; ".join(f"{name}: {problem['msg']}" for name, problem in zip(names, problems, strict=True)) + ".",
        evidence={"variables": ", ".join(VARIABLES.get(name, name) for name in names)},
        next_step="correct these settings and connect again.",
    )
