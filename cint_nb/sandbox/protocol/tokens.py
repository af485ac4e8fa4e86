"""Access tokens in the shape of the exchange's own: JSON Web Tokens, signed with a key that is no secret.

The key follows from the seed of a sandbox: whoever knows the seed can make its tokens. They open a simulation only.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import json

from cint_nb.sandbox.protocol.messages import Json

_HEADER: dict[str, Json] = {"alg": "HS256", "typ": "JWT"}


class TokenSigner:
    """What signs and reads the tokens of one sandbox.

    Args:
        seed: What its key is made of.
        audience: The service that the tokens are for.
    """

    def __init__(self, seed: int | str, audience: str) -> None:
        self._key = hashlib.sha256(f"token:{seed}".encode()).digest()
        self._audience = audience
        self._read: tuple[str, float | None] = ("", None)
        """The token that was read last, which nearly every request brings again, and when it expires."""

    def sign(self, issued_at: float, lifetime: int) -> str:
        """Return a token.

        Args:
            issued_at: When it is issued, seconds since 1970.
            lifetime: For how many seconds it is valid.
        """
        claims: dict[str, Json] = {
            "iss": "https://sandbox.invalid/",
            "sub": "sandbox@clients",
            "aud": self._audience,
            "iat": int(issued_at),
            "exp": int(issued_at) + lifetime,
            "gty": "client-credentials",
        }
        signed = f"{_encode(json.dumps(_HEADER).encode())}.{_encode(json.dumps(claims).encode())}"
        return f"{signed}.{self._signature(signed)}"

    def read_expiry(self, token: str) -> float | None:
        """Return when a token expires, seconds since 1970; None for one that this signer has not issued."""
        read, expiry = self._read
        if token != read:
            expiry = self._verified_expiry(token)
            self._read = (token, expiry)
        return expiry

    def _verified_expiry(self, token: str) -> float | None:
        signed, _, signature = token.rpartition(".")
        if not signed or not hmac.compare_digest(signature.encode(), self._signature(signed).encode()):
            return None
        with contextlib.suppress(ValueError, KeyError, TypeError, binascii.Error):
            return float(json.loads(_decode(signed.split(".")[1]))["exp"])
        return None

    def _signature(self, signed: str) -> str:
        return _encode(hmac.new(self._key, signed.encode(), "sha256").digest())


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
