"""Fixtures for chain tests: invented keys, and a ledger in a fresh folder.

An invented key signs with the sha256 of its address and the message. That binds a signature to
both, which is what the ledger relies on; that only the owner can make one is the wire's business.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pytest

from qsubnet.chain.base import Signer, Verify
from qsubnet.chain.genesis import ChainParams, Genesis
from qsubnet.chain.local import LocalChain, create_local, open_local

T = TypeVar("T")


@dataclass(frozen=True)
class InventedKey:
    ss58_address: str

    def sign(self, message: bytes, /) -> bytes:
        return hashlib.sha256(b"invented" + self.ss58_address.encode() + message).digest()


def _verify(address: str, message: bytes, signature: bytes) -> bool:
    return InventedKey(address).sign(message) == signature


class Bench(Protocol):
    """What the `bench` fixture lends."""

    path: Path

    def chain(self, signer: str | None = None) -> LocalChain: ...

    def run(self, work: Coroutine[Any, Any, T]) -> T: ...

    def seat(self, hotkey: str, *, stake: int = 0) -> int: ...


class _Bench:
    def __init__(self, path: Path, genesis: Genesis) -> None:
        self.path = path
        self._open: list[LocalChain] = [create_local(path, genesis, verify=_verify)]

    def chain(self, signer: str | None = None) -> LocalChain:
        key = None if signer is None else InventedKey(signer)
        self._open.append(open_local(self.path, verify=_verify, signer=key))
        return self._open[-1]

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run(work)

    def seat(self, hotkey: str, *, stake: int = 0) -> int:
        """Register a hotkey under the coldkey `cold`, and return its registration block."""
        registrar = self._open[0].registrar(InventedKey("cold"))
        block = self.run(registrar.register(hotkey)).block
        if stake:
            self.run(registrar.add_stake(hotkey, stake))
        return block

    def close(self) -> None:
        for chain in self._open:
            chain.close()


@pytest.fixture
def key() -> Callable[[str], Signer]:
    return InventedKey


@pytest.fixture
def verify() -> Verify:
    return _verify


@pytest.fixture
def make_bench(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    benches: list[_Bench] = []

    def make(name: str = "ledger.db", *, seed: int = 7, **params: Any) -> Bench:
        rules = ChainParams(**({"tempo": 10, "emission_per_epoch_rao": 1001} | params))
        genesis = Genesis(seed=seed, params=rules, balances=(("cold", 10**12), ("other", 10**6)))
        benches.append(_Bench(tmp_path / name, genesis))
        return benches[-1]

    yield make
    for bench in benches:
        bench.close()


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    return make_bench()
