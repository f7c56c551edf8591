"""Keys: sr25519 signing and verifying with Bittensor's own key pairs, and their files.

A hotkey is its SS58 address in Bittensor's format 42; the same key in another chain's format
is refused, so that one key is one identity. Assumes that the file system honours modes.
Blind spot: a seed in memory is not protected from its own process, and a key file is not
encrypted. Bittensor's SDK takes a second to import, so it is imported in functions.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

from qsubnet.errors import ConfigurationError

if TYPE_CHECKING:
    from bittensor.sp_core import Keypair

__all__ = [
    "KeyFileError",
    "Sr25519Signer",
    "Sr25519Verifier",
    "create_key_file",
    "is_hotkey",
    "load_key_file",
    "localnet_seed",
    "new_seed",
]

_SS58_FORMAT: Final = 42
_MAX_ADDRESS_CHARS: Final = 50
_SEED_BYTES: Final = 32
_FORMAT: Final = "qsubnet-key/1"
_MAX_FILE_BYTES: Final = 4096


class KeyFileError(ConfigurationError):
    """A key file is missing, unsafe, damaged, or already there. The operator must act."""


class Sr25519Signer:
    """Signs with one hotkey; the seed never shows in a `repr`.

    Satisfies the signer protocol of `attestations` (`identity`, `sign`) and the one of
    Bittensor's SDK (`ss58_address`, `public_key`, `crypto_type`, `sign`).

    Example:
        >>> Sr25519Signer(localnet_seed(7, role="miner", name="aer")).identity[:1]
        '5'
    """

    __slots__ = ("_keypair",)

    def __init__(self, seed: bytes) -> None:
        """Derive the key pair.

        Args:
            seed: 32 secret bytes.

        Raises:
            ValueError: Another length.
        """
        if len(seed) != _SEED_BYTES:
            raise ValueError(f"a seed has {_SEED_BYTES} bytes, got {len(seed)}")
        from bittensor.sp_core import Keypair

        self._keypair: Keypair = Keypair.create_from_seed(bytes(seed))

    @property
    def identity(self) -> str:
        """The hotkey: SS58 address in format 42."""
        return self.ss58_address

    @property
    def ss58_address(self) -> str:
        """The hotkey, by the name that Bittensor's SDK uses."""
        return str(self._keypair.ss58_address)

    @property
    def public_key(self) -> bytes:
        """32 public bytes."""
        return bytes(self._keypair.public_key)

    @property
    def crypto_type(self) -> int:
        """Bittensor's number of the scheme: 1, sr25519."""
        return int(self._keypair.crypto_type)

    def sign(self, payload: bytes) -> bytes:
        """Return 64 bytes; randomised, so two signatures of one payload differ."""
        return bytes(self._keypair.sign(payload))

    def __repr__(self) -> str:
        """Show who signs, never with what."""
        return f"Sr25519Signer({self.identity})"

    def __reduce__(self) -> str:
        """Refuse to be pickled: a seed does not travel by accident."""
        raise TypeError("a signer is not serialised; load it from its key file")


class Sr25519Verifier:
    """Verifies signatures of hotkeys. Stateless; satisfies the protocol of `attestations`.

    Example:
        >>> signer = Sr25519Signer(bytes(32))
        >>> Sr25519Verifier().verify(signer.identity, b"a", signer.sign(b"a"))
        True
    """

    __slots__ = ()

    def verify(self, identity: str, payload: bytes, signature: bytes) -> bool:
        """Say whether `identity` signed exactly `payload`.

        Malformed identities and signatures are False, like any other forgery.
        """
        if not is_hotkey(identity):
            return False
        from bittensor.sp_core import CRYPTO_SR25519, verify

        try:
            return bool(verify(payload, signature, identity, CRYPTO_SR25519))
        except ValueError:
            return False


def is_hotkey(text: str) -> bool:
    """Say whether a text is an address in Bittensor's one format.

    The SDK also accepts the same key written for other chains; as an identity that would
    be a second name.

    Example:
        >>> is_hotkey("5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY")
        True
        >>> is_hotkey("15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5")
        False
    """
    if len(text) > _MAX_ADDRESS_CHARS:
        # Decoding base 58 takes quadratic time: seconds for a long header.
        return False
    from bittensor.sp_core import ss58_decode, ss58_encode

    try:
        return bool(ss58_encode(ss58_decode(text), _SS58_FORMAT) == text)
    except ValueError:
        return False


def new_seed() -> bytes:
    """Draw 32 secret bytes from the operating system."""
    return secrets.token_bytes(_SEED_BYTES)


def localnet_seed(seed: int, *, role: str, name: str) -> bytes:
    """Derive a seed that everybody can derive: for a network on one machine only.

    Hashes the whole path, so that no two (seed, role, name) share a key.

    Example:
        >>> localnet_seed(7, role="miner", name="aer").hex()[:16]
        'c048e2196f428163'
    """
    path = json.dumps(["qsubnet-localnet-key/1", seed, role, name], separators=(",", ":"))
    return hashlib.sha256(path.encode("ascii")).digest()


def create_key_file(path: Path, *, seed: bytes) -> Sr25519Signer:
    """Write a seed to a new file that only its owner can read, and return its signer.

    The file appears whole or not at all, also when the process is killed meanwhile, and
    an existing file is never replaced.

    Raises:
        KeyFileError: The file exists, or its folder can not be written.
        ValueError: `seed` has not 32 bytes.
    """
    signer = Sr25519Signer(seed)
    content = {"format": _FORMAT, "hotkey": signer.identity, "seed": seed.hex()}
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        _write_private(draft, (json.dumps(content) + "\n").encode("ascii"))
        try:
            os.link(draft, path)
        finally:
            draft.unlink()
    except FileExistsError:
        raise KeyFileError(f"{path} exists already, a key file is never replaced") from None
    except OSError as error:
        raise KeyFileError(f"can not write the key file {path}: {error.strerror}") from None
    return signer


def load_key_file(path: Path) -> Sr25519Signer:
    """Read a key file that nobody else can read.

    Raises:
        KeyFileError: It is missing, no plain file, readable by others, or damaged. The message
            never has its content.
    """
    raw = _read_private(path)
    try:
        content = json.loads(raw)
        if not isinstance(content, dict) or content.keys() != {"format", "hotkey", "seed"}:
            raise KeyFileError(f"{path} is damaged: need exactly format, hotkey and seed")
        if content["format"] != _FORMAT:
            raise KeyFileError(f"{path} has an unknown format, {_FORMAT} is allowed")
        signer = Sr25519Signer(bytes.fromhex(content["seed"]))
    except (ValueError, TypeError, RecursionError):
        # No cause: the parser's error would quote the seed.
        raise KeyFileError(f"{path} is damaged: its content is no key") from None
    if signer.identity != content["hotkey"]:
        raise KeyFileError(f"{path} is damaged: its hotkey does not belong to its seed")
    return signer


def _write_private(path: Path, data: bytes) -> None:
    """Create a file with mode 0600 and put it on the disk."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _read_private(path: Path) -> bytes:
    """Read a small plain file after checking, on the open file, who else may read it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise KeyFileError(f"can not open the key file {path}: {error.strerror}") from None
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise KeyFileError(f"{path} is not a plain file")
        if stat.S_IMODE(mode) & 0o077:
            raise KeyFileError(
                f"{path} has mode {stat.S_IMODE(mode):04o}, 0600 is allowed: run chmod 600"
            )
        data = os.read(descriptor, _MAX_FILE_BYTES + 1)
    finally:
        os.close(descriptor)
    if len(data) > _MAX_FILE_BYTES:
        raise KeyFileError(f"{path} is larger than {_MAX_FILE_BYTES} bytes, it is no key file")
    return data
