"""Expected addresses: Substrate's published development keys //Alice and //Bob."""

from __future__ import annotations

import copy
import hashlib
import json
import logging
import os
import pickle  # noqa: TID251 - shows that keys refuse it
import stat
import subprocess
import sys
import traceback
from pathlib import Path

import pytest
from bittensor.signing import Signer as BittensorSigner
from bittensor.sp_core import CRYPTO_ED25519, Keypair, ss58_encode

from attestations.signing import Signer, Verifier
from qsubnet.errors import ConfigurationError
from qsubnet.wire.keys import (
    KeyFileError,
    Sr25519Signer,
    Sr25519Verifier,
    create_key_file,
    is_hotkey,
    load_key_file,
    localnet_seed,
    new_seed,
)

# Substrate's development accounts: the mini secret keys behind the phrases //Alice and //Bob.
_ALICE_SEED = bytes.fromhex("e5be9a5092b81bca64be81d212e7f2f9eba183bb7a90954f7b76361f6edb5c0a")
_ALICE = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
_SEED = hashlib.sha256(b"a seed of tests").digest()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hotkey.json"


def test_the_published_seed_gives_the_published_address() -> None:
    assert Sr25519Signer(_ALICE_SEED).identity == _ALICE


def test_the_signer_fits_both_protocols() -> None:
    signer: Signer = Sr25519Signer(_SEED)
    verifier: Verifier = Sr25519Verifier()
    assert isinstance(signer, BittensorSigner)
    assert verifier.verify(signer.identity, b"x", signer.sign(b"x"))


def test_signatures_are_bittensors_own_and_bind_payload_and_signer() -> None:
    signer, other = Sr25519Signer(_ALICE_SEED), Sr25519Signer(_SEED)
    signature = signer.sign(b"payload")
    keypair = Keypair.create_from_uri("//Alice")
    verify = Sr25519Verifier().verify
    assert keypair.verify(b"payload", signature)
    assert verify(_ALICE, b"payload", bytes(keypair.sign(b"payload")))
    assert not verify(_ALICE, b"Payload", signature)
    assert not verify(other.identity, b"payload", signature)


@pytest.mark.parametrize("signature", [b"", bytes(63), bytes(64), bytes(65), b"\xff" * 64])
def test_malformed_signatures_are_false(signature: bytes) -> None:
    assert not Sr25519Verifier().verify(_ALICE, b"x", signature)


def test_the_same_key_in_another_chains_format_is_nobody() -> None:
    signer = Sr25519Signer(_SEED)
    signature = signer.sign(b"x")
    assert ss58_encode(signer.public_key, 42) == signer.identity
    for ss58_format in (0, 2, 13116):
        foreign = ss58_encode(signer.public_key, ss58_format)
        assert not is_hotkey(foreign)
        assert not Sr25519Verifier().verify(foreign, b"x", signature)


@pytest.mark.parametrize(
    "text",
    ["", "5", "x" * 100_000, "é", _ALICE[:-1], _ALICE + " ", _ALICE[:-1] + "Z", "0x" + "00" * 32],
)
def test_what_is_no_address_is_no_hotkey(text: str) -> None:
    assert not is_hotkey(text)


def test_another_scheme_does_not_pass() -> None:
    edward = Keypair.create_from_seed(_SEED, CRYPTO_ED25519)
    assert not Sr25519Verifier().verify(edward.ss58_address, b"x", bytes(edward.sign(b"x")))


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_seed_has_32_bytes(size: int) -> None:
    with pytest.raises(ValueError, match=f"got {size}"):
        Sr25519Signer(bytes(size))


def test_localnet_seeds_are_golden_and_differ_by_every_part() -> None:
    # From the command sha256sum over ["qsubnet-localnet-key/1",7,"miner","aer"]
    golden = hashlib.sha256(b'["qsubnet-localnet-key/1",7,"miner","aer"]').digest()
    assert localnet_seed(7, role="miner", name="aer") == golden
    seeds = {
        localnet_seed(seed, role=role, name=name)
        for seed in (1, 11)
        for role in ("miner", "validator", "")
        for name in ("a", '","', "miner", "")
    }
    assert len(seeds) == 24


def test_new_seeds_differ() -> None:
    assert len({new_seed() for _ in range(100)}) == 100
    assert len(new_seed()) == 32


def test_a_key_file_is_read_back_as_the_same_key(path: Path) -> None:
    created = create_key_file(path, seed=_SEED)
    assert load_key_file(path).identity == created.identity == Sr25519Signer(_SEED).identity


def test_only_the_owner_may_read_whatever_the_umask(path: Path) -> None:
    before = os.umask(0)
    try:
        create_key_file(path, seed=_SEED)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_an_existing_file_is_never_replaced(path: Path) -> None:
    create_key_file(path, seed=_SEED)
    before = path.read_bytes()
    with pytest.raises(KeyFileError, match="exists already"):
        create_key_file(path, seed=_ALICE_SEED)
    assert path.read_bytes() == before
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="No such file"):
        create_key_file(tmp_path / "no" / "key", seed=_SEED)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o777])
def test_a_file_that_others_can_read_is_refused(path: Path, mode: int) -> None:
    create_key_file(path, seed=_SEED)
    path.chmod(mode)
    with pytest.raises(KeyFileError, match=f"mode {mode:04o}, 0600 is allowed"):
        load_key_file(path)


def test_missing_files_links_and_folders_are_refused(path: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="No such file"):
        load_key_file(path)
    create_key_file(path, seed=_SEED)
    link = tmp_path / "link"
    link.symlink_to(path)
    with pytest.raises(KeyFileError, match="can not open"):
        load_key_file(link)
    with pytest.raises(KeyFileError, match="not a plain file"):
        load_key_file(tmp_path)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o600)
    with pytest.raises(KeyFileError, match="not a plain file"):
        load_key_file(pipe)


def _content(**changes: object) -> str:
    identity = Sr25519Signer(_SEED).identity
    content = {"format": "qsubnet-key/1", "hotkey": identity, "seed": _SEED.hex()}
    return json.dumps({**content, **changes})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[" * 4000,
        "[]",
        "7",
        _content(extra=1),
        _content(format="qsubnet-key/2"),
        _content(seed="00"),
        _content(seed="zz" * 32),
        _content(seed=7),
        _content(seed=None),
        _content(hotkey=_ALICE),
        _content() + " " * 5000,
    ],
)
def test_damaged_files_are_refused_without_showing_the_seed(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(KeyFileError) as caught:
        load_key_file(path)
    assert _SEED.hex() not in "".join(traceback.format_exception(caught.value))
    assert isinstance(caught.value, ConfigurationError)


def test_the_seed_shows_nowhere(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    signer = create_key_file(path, seed=_SEED)
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("test").warning("%s %r", signer, signer)
    shown = f"{signer} {signer!r} {caplog.text} {signer.__slots__}"
    assert _SEED.hex() not in shown
    assert signer.identity in repr(signer)


def test_a_signer_does_not_travel() -> None:
    signer = Sr25519Signer(_SEED)
    with pytest.raises(TypeError, match="not serialised"):
        pickle.dumps(signer)
    with pytest.raises(TypeError, match="not serialised"):
        copy.deepcopy(signer)


def test_importing_keys_does_not_import_the_sdk() -> None:
    code = "import sys, qsubnet.wire.keys, qsubnet.wire.auth; print('bittensor' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
