"""A pytest plugin: secrets are planted in every test, and searched for in everything the test leaves behind.

What is searched: captured stdout and stderr, the records of all loggers down to DEBUG, the text of a failure, every
file under the test's `tmp_path`, and its journal. Searched for are the planted credentials and any token that a
sandbox hands out. Logs and journals are searched for the ids of respondents too. A test that leaves one of them fails,
and the message names the place and never the secret.
"""

from __future__ import annotations

import os
import re
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

TOKEN = "planted-token-5fA1xQ.vL8"
SECRET = "planted-secret-9zR3-kW2m"
ENVIRONMENT = {"CINT_NB_TOKEN": TOKEN, "CINT_NB_CLIENT_ID": "planted-client", "CINT_NB_CLIENT_SECRET": SECRET}

_WHAT = {
    "the planted token": re.compile(re.escape(TOKEN).encode()),
    "the planted secret": re.compile(re.escape(SECRET).encode()),
    "a token of the sandbox": re.compile(rb"eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}", re.ASCII),
}
_RESPONDENT = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-8c17-b5ec-[0-9a-f]{12}", re.IGNORECASE)  # every made-up id
_FILE_MAX = 20_000_000


@pytest.fixture
def canary_environment() -> dict[str, str]:
    """Return the variables with the planted credentials."""
    return dict(ENVIRONMENT)


@pytest.fixture
def without_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the planted credentials away, for a test about missing ones."""
    for name in ENVIRONMENT:
        monkeypatch.delenv(name)


def secrets_in(content: str | bytes) -> list[str]:
    """Return the names of the secrets that a text or the bytes of a file contain."""
    content = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
    return [name for name, pattern in _WHAT.items() if pattern.search(content)]


def holds_respondent(content: str | bytes) -> bool:
    """Return whether a text or the bytes of a file contain the id of a made-up respondent."""
    content = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
    return _RESPONDENT.search(content) is not None


def files_with_secrets(folder: Path) -> list[str]:
    """Return the files under a folder that contain a secret, in their bytes or in their name."""
    found = []
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if path.is_symlink() or not path.is_file() or path.stat().st_size > _FILE_MAX:
            continue
        held = secrets_in(str(path.relative_to(folder))) + secrets_in(path.read_bytes())
        found += [f"{name} in the file {path.name}" for name in held]
    return found


def _left_behind(item: pytest.Item, report: pytest.TestReport) -> Iterator[str]:
    for title, text in report.sections:
        yield from (f"{name} in {title.lower()}" for name in secrets_in(text))
        if "log" in title and holds_respondent(text):
            yield "the id of a respondent in a log"
    yield from (f"{name} in the report of the failure" for name in secrets_in(report.longreprtext))
    if report.when == "call":
        journal = os.environ.get("CINT_NB_JOURNAL", "")
        for folder in (getattr(item, "funcargs", {}).get("tmp_path"), journal and Path(journal).parent):
            yield from files_with_secrets(folder) if folder else ()
        for path in Path(journal).parent.iterdir() if journal and Path(journal).parent.is_dir() else ():
            if path.is_file() and holds_respondent(path.read_bytes()):
                yield f"the id of a respondent in {path.name} beside the journal"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test that passed and left a secret behind."""
    report = yield
    if "may_hold_secrets" not in item.keywords and (found := list(dict.fromkeys(_left_behind(item, report)))):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} left behind: {'; '.join(found)}"
        report.sections = []
    if report.passed:
        report.sections = []  # nobody reads them, and to pass them on between processes takes longer than many a test
    return report
