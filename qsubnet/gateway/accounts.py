"""Accounts: who may use the gateway. Only digests of API keys are kept, never the keys.

Assumes that keys are random (`new_api_key`), so that a plain SHA-256 is safe to keep.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping

from qsubnet.errors import ConfigurationError
from qsubnet.gateway.errors import UnknownKey

_MAX_KEY_CHARS = 512


def new_api_key() -> str:
    """Make a key of 256 random bits."""
    return secrets.token_urlsafe(32)


def key_digest(api_key: str) -> str:
    """Give what a gateway keeps of a key: its SHA-256, 64 hex digits.

    Example:
        >>> key_digest("")[:8]
        'e3b0c442'
    """
    return hashlib.sha256(api_key.encode()).hexdigest()


class Accounts:
    """Finds the account of a key.

    Args:
        by_digest: `key_digest` of each key -> name of its account, 1 .. 64 characters.

    Raises:
        ConfigurationError: There is no key, or an entry is malformed.

    Example:
        >>> Accounts({key_digest("secret"): "ada"}).account_of("secret")
        'ada'
    """

    def __init__(self, by_digest: Mapping[str, str]) -> None:
        for digest, account in by_digest.items():
            if len(digest) != 64 or digest.strip("0123456789abcdef"):
                raise ConfigurationError("an API key is given by its SHA-256, 64 hex digits")
            if not 1 <= len(account) <= 64:
                raise ConfigurationError(f"an account has 1 .. 64 characters, got {account[:80]!r}")
        if not by_digest:
            raise ConfigurationError("a gateway needs at least one API key")
        self._entries = tuple(by_digest.items())

    def account_of(self, api_key: str | None) -> str:
        """Name the account, in a time that does not tell how much of a key was right.

        Raises:
            UnknownKey: The key is missing or unknown.
        """
        if api_key is None:
            raise UnknownKey("need an API key: Authorization: Bearer <key>")
        digest = key_digest(api_key[:_MAX_KEY_CHARS])
        found = None
        for known, account in self._entries:
            if hmac.compare_digest(known, digest):
                found = account
        if found is None:
            raise UnknownKey("the API key is unknown here")
        return found
