"""The token kept on disk between processes, for those who ask for it: readable by its owner only."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

import platformdirs
from pydantic import SecretStr

from cint_nb.domain import limits
from cint_nb.wire.auth import Token
from cint_nb.wire.settings import Settings, is_token

_OWNER_ONLY = 0o600


class TokenFile:
    """Keep one token in the user's cache folder.

    The file name is a digest of token address and client id, so that accounts do not mix. A file that others can
    read, that is a link, or that is damaged counts as no file.

    Args:
        settings: Whose token it is.
        folder: Another folder than the user's cache folder.
    """

    def __init__(self, settings: Settings, folder: Path | None = None) -> None:
        whose = "\n".join((settings.token_url, settings.client_id, limits.TOKEN_AUDIENCE, limits.TOKEN_SCOPES))
        self._folder = folder or platformdirs.user_cache_path("cint_nb", appauthor=False)
        self.path = self._folder / f"token-{hashlib.sha256(whose.encode()).hexdigest()[:16]}.json"

    def load(self) -> Token | None:
        """Return the kept token, or None."""
        try:
            handle = os.open(self.path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        except OSError:
            return None
        with open(handle, encoding="utf-8") as file:  # noqa: PTH123 - opened by descriptor, checked and read as one
            if os.name == "posix" and not _private(os.fstat(handle)):
                return None
            with contextlib.suppress(ValueError, KeyError, TypeError, OverflowError):
                kept = json.load(file)
                expires_at = datetime.fromisoformat(kept["expires_at"])
                secret = SecretStr(kept.pop("access_token"))
                if expires_at.tzinfo is not None and is_token(secret):
                    return Token(secret, expires_at, timedelta(seconds=kept["life"]))
        return None

    def store(self, token: Token) -> None:
        """Keep a token; a disk that refuses is no reason to fail, since the token can be fetched again."""
        if token.expires_at is None or token.life is None:
            return
        with contextlib.suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # mkstemp makes the file 0600 from its first byte; the rename then replaces the old one as a whole.
            handle, name = tempfile.mkstemp(dir=self._folder, prefix=".token-")
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(
                    {
                        "access_token": token.secret.get_secret_value(),
                        "expires_at": token.expires_at.isoformat(),
                        "life": token.life.total_seconds(),
                    },
                    file,
                )
            Path(name).replace(self.path)

    def forget(self) -> None:
        """Remove the kept token."""
        with contextlib.suppress(OSError):
            self.path.unlink()

    def __repr__(self) -> str:
        """Name the kind only."""
        return "<TokenFile>"


def _private(status: os.stat_result) -> bool:
    return stat.S_ISREG(status.st_mode) and stat.S_IMODE(status.st_mode) & 0o077 == 0 and status.st_uid == os.getuid()
