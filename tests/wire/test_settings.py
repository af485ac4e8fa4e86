from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cint_nb.domain.errors import SettingsError
from cint_nb.wire.settings import Mode, Settings

LIVE = {
    "CINT_NB_MODE": "live",
    "CINT_NB_ACCOUNT_ID": "7",
    "CINT_NB_CLIENT_ID": "me",
    "CINT_NB_CLIENT_SECRET": "planted-secret",
}


def refused(mode: str | None = None, environ: dict[str, str] | None = None, **overrides: Any) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        Settings.load(mode, environ=environ or {}, **overrides)
    assert "nothing was sent" in str(caught.value)
    return caught.value


def test_nothing_set_means_the_sandbox_in_this_process() -> None:
    settings = Settings.load(environ={})
    assert settings.mode is Mode.SANDBOX
    assert settings.account_id == 101
    assert settings.is_in_process
    assert settings.can_renew_token
    assert settings.token_url == "http://sandbox.invalid/oauth/token"


def test_an_argument_wins_over_the_variable() -> None:
    assert Settings.load("sandbox", environ=LIVE).mode is Mode.SANDBOX
    assert Settings.load(environ=LIVE).mode is Mode.LIVE
    assert Settings.load(environ=LIVE, account_id=8).account_id == 8


def test_the_environment_of_the_process_is_read_when_none_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in LIVE.items():
        monkeypatch.setenv(name, value)
    assert Settings.load().account_id == 7


def test_live_goes_to_the_exchange_of_the_guides() -> None:
    settings = Settings.load(environ=LIVE)
    assert settings.base_url == "https://api.cint.com/v1"
    assert settings.token_url == "https://auth.cint.com/oauth/token"
    assert not settings.is_in_process


def test_live_names_each_missing_variable() -> None:
    error = refused("live")
    for name in ("CINT_NB_ACCOUNT_ID", "CINT_NB_CLIENT_ID", "CINT_NB_CLIENT_SECRET"):
        assert name in str(error)
    error = refused("live", {**LIVE, "CINT_NB_CLIENT_SECRET": " "})
    assert error.evidence["missing"] == "CINT_NB_CLIENT_SECRET"


def test_live_with_a_ready_token_needs_no_client() -> None:
    settings = Settings.load("live", environ={"CINT_NB_ACCOUNT_ID": "7", "CINT_NB_TOKEN": "ready"})
    assert not settings.can_renew_token


def test_an_unknown_mode_is_refused_and_never_taken_for_another() -> None:
    error = refused("production")
    assert "sandbox, replay or live" in str(error)
    refused(environ={"CINT_NB_MODE": "prod"})
    assert Settings.load(" Live ", environ=LIVE).mode is Mode.LIVE


def test_the_sandbox_never_reads_real_credentials() -> None:
    settings = Settings.load("sandbox", environ={**LIVE, "CINT_NB_TOKEN": "real"})
    assert settings.account_id == 101
    assert settings.client_secret is not None
    assert settings.client_secret.get_secret_value() == "sandbox"
    assert settings.token is None


def test_a_served_sandbox_is_the_sandbox_at_an_address() -> None:
    settings = Settings.load(environ={"CINT_NB_BASE_URL": "http://127.0.0.1:8808/v1/", "CINT_NB_TOKEN": "static"})
    assert settings.mode is Mode.SANDBOX
    assert settings.base_url == "http://127.0.0.1:8808/v1"
    assert settings.token_url == "http://127.0.0.1:8808/oauth/token"
    assert settings.token is not None
    assert settings.token.get_secret_value() == "static"
    assert not settings.is_in_process


def test_no_real_secret_goes_out_for_a_server_on_this_machine() -> None:
    local = {**LIVE, "CINT_NB_BASE_URL": "http://127.0.0.1:8808/v1"}
    assert Settings.load("live", environ=local).token_url == "http://127.0.0.1:8808/oauth/token"
    elsewhere = {**LIVE, "CINT_NB_BASE_URL": "https://api.invalid/v1"}
    assert Settings.load("live", environ=elsewhere).token_url == "https://auth.cint.com/oauth/token"


def test_the_address_of_a_served_sandbox_names_the_version() -> None:
    error = refused(environ={"CINT_NB_BASE_URL": "http://127.0.0.1:8640"})
    assert "write http://127.0.0.1:8640/v1 in CINT_NB_BASE_URL" in str(error.next_step)
    mock = {"CINT_NB_BASE_URL": "http://127.0.0.1:4010", "CINT_NB_TOKEN": "static"}
    assert Settings.load(environ=mock).base_url == "http://127.0.0.1:4010"


@pytest.mark.parametrize("host", ["api.cint.com", "cint.com", "auth.lucidhq.com", "API.CINT.COM"])
def test_the_sandbox_label_is_never_put_on_the_real_exchange(host: str) -> None:
    assert "live exchange" in str(refused("sandbox", base_url=f"https://{host}/v1"))


def test_a_host_that_only_looks_real_is_no_obstacle() -> None:
    assert Settings.load("sandbox", environ={}, base_url="https://notcint.com/v1").base_url


@pytest.mark.parametrize(
    "url", ["http://localhost:80/v1", "http://[::1]:80", "http://127.8.8.8", "https://example.com/v1"]
)
def test_https_is_asked_for_except_on_this_machine(url: str) -> None:
    assert Settings.load("live", environ=LIVE, base_url=url).base_url == url


@pytest.mark.parametrize("name", ["base_url", "token_url"])
@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com/v1",
        "http://10.0.0.1/v1",
        "http://localhost.example.com",
        "ftp://example.com",
        "api.example.com",
        "https://user:planted-secret@example.com",
        "https://example.com/?key=planted-secret",
        "https://example.com:port",
        "https://[broken",
    ],
)
def test_other_addresses_are_refused_without_being_shown(name: str, url: str) -> None:
    error = refused("live", LIVE, **{name: url})
    assert {"base_url": "CINT_NB_BASE_URL", "token_url": "CINT_NB_TOKEN_URL"}[name] in str(error)
    assert "planted-secret" not in str(error)


def test_replay_needs_a_recording_and_takes_nothing_else_from_outside(tmp_path: Path) -> None:
    assert "CINT_NB_RECORDING" in str(refused("replay", LIVE))
    settings = Settings.load("replay", environ={**LIVE, "CINT_NB_RECORDING": str(tmp_path / "a.jsonl")})
    assert settings.recording == tmp_path / "a.jsonl"
    assert settings.account_id == 101
    assert settings.is_in_process
    assert not settings.can_renew_token


@pytest.mark.parametrize(
    ("mode", "base_url", "expected"),
    [
        ("sandbox", "http://sandbox.invalid/v1", True),
        ("sandbox", "http://SANDBOX.invalid:80/v1", True),
        ("sandbox", "http://127.0.0.1:8808/v1", False),
        ("sandbox", "http://127.0.0.1:8808/sandbox.invalid/v1", False),
        ("sandbox", "https://mock.sandbox.invalid/v1", False),
        ("replay", None, True),
        ("replay", "https://api.cint.com/v1", True),
        ("live", None, False),
        ("live", "https://sandbox.invalid/v1", False),
    ],
)
def test_requests_stay_in_this_process_by_mode_and_host(mode: str, base_url: str | None, expected: bool) -> None:
    recording = "a.jsonl" if mode == "replay" else None
    assert Settings.load(mode, environ=LIVE, base_url=base_url, recording=recording).is_in_process is expected


def test_a_replay_cannot_be_recorded(tmp_path: Path) -> None:
    error = refused("replay", {"CINT_NB_RECORDING": "a.jsonl", "CINT_NB_RECORD": "b.jsonl"})
    assert "CINT_NB_RECORD" in str(error)


def test_recording_is_chosen_by_a_variable() -> None:
    assert Settings.load(environ={"CINT_NB_RECORD": "b.jsonl"}).record == Path("b.jsonl")
    assert Settings.load("live", environ={**LIVE, "CINT_NB_RECORD": "b.jsonl"}).record == Path("b.jsonl")


def test_keeping_the_token_is_only_on_request() -> None:
    assert Settings.load(environ=LIVE).keep_token is False
    assert Settings.load(environ={**LIVE, "CINT_NB_KEEP_TOKEN": "1"}).keep_token is True
    assert Settings.load(environ=LIVE, keep_token=True).keep_token is True


def test_a_wrong_value_names_its_variable_and_is_not_shown() -> None:
    error = refused("live", {**LIVE, "CINT_NB_ACCOUNT_ID": "planted-secret"})
    assert "CINT_NB_ACCOUNT_ID" in str(error)
    assert "planted-secret" not in str(error)


def test_an_unknown_setting_is_refused_with_the_nearest_name() -> None:
    assert "account_id" in str(refused(acount_id=3))
    assert "CINT" not in str(refused(zzzzzz=3))


def test_no_representation_shows_a_secret() -> None:
    settings = Settings.load(environ={**LIVE, "CINT_NB_TOKEN": "planted-secret"})
    for text in (repr(settings), str(settings), repr(settings.model_dump()), settings.model_dump_json()):
        assert "planted-secret" not in text


def test_settings_do_not_change_under_a_client() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings.load(environ={}).account_id = 9  # type: ignore[misc]


def test_the_seed_of_the_sandbox_is_a_setting_that_no_other_mode_reads() -> None:
    assert Settings.load(environ={}).seed == 1
    assert Settings.load(environ={"CINT_NB_SEED": "23"}).seed == 23
    assert Settings.load(environ={"CINT_NB_SEED": "23"}, seed=5).seed == 5
    assert Settings.load(environ={**LIVE, "CINT_NB_SEED": "none of yours"}).seed == 1


def test_a_seed_that_is_no_number_is_refused_by_the_name_of_its_variable() -> None:
    assert "CINT_NB_SEED" in str(refused(environ={"CINT_NB_SEED": "lucky"}))


def test_manners_come_from_the_environment_too() -> None:
    settings = Settings.load(environ={**LIVE, "CINT_NB_IN_FLIGHT": "32", "CINT_NB_REQUESTS_PER_SECOND": "25"})
    assert (settings.in_flight, settings.requests_per_second) == (32, 25.0)
    assert (Settings.load(environ=LIVE).in_flight, Settings.load(environ=LIVE).requests_per_second) == (8, 10.0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("in_flight", 0),
        ("in_flight", 257),
        ("in_flight", "many"),
        ("requests_per_second", 0),
        ("requests_per_second", "nan"),
    ],
)
def test_manners_that_make_no_sense_are_refused(name: str, value: int | str) -> None:
    assert name in str(refused("live", LIVE, **{name: value}))
