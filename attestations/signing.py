"""Signer and Verifier: the only thing attestations know about keys.

Bytes in, bytes out; an identity is an opaque string that names one key. Which scheme signs is
the implementation's business (the network uses sr25519 hotkeys). Assumes that a verifier
accepts one spelling of an identity only, and that signatures can not be altered into others.
"""

from __future__ import annotations

from typing import Protocol

__all__ = ["Signer", "Verifier"]


class Signer(Protocol):
    """Holds one private key."""

    @property
    def identity(self) -> str:
        """The opaque name of the key: 1 .. 128 printable ASCII characters, no space."""
        ...

    def sign(self, payload: bytes, /) -> bytes:
        """Return a signature over exactly `payload`."""
        ...


class Verifier(Protocol):
    """Checks signatures of any identity."""

    def verify(self, identity: str, payload: bytes, signature: bytes, /) -> bool:
        """Say whether `identity` signed exactly `payload`; malformed input is False."""
        ...
