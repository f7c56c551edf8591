"""The history of a local ledger: events, each bound to the one before by sha256.

Three kinds of event: `genesis` (the first), `blocks` (the open block and maybe more were made; at
the end of an epoch with its report), and one for each call, named by the call's kind and carrying
its signer, nonce and signature.

Assumes canonical JSON payloads. Nothing in an event tells the time of day or the machine.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Final

from qsubnet.chain.base import Verify
from qsubnet.chain.calls import Call, Json, decode, signing_bytes
from qsubnet.chain.canonical import canonical, digest
from qsubnet.chain.errors import BadProof, LedgerCorrupt
from qsubnet.chain.genesis import ChainParams, Genesis, Mechanism
from qsubnet.chain.model import EpochReport, Event
from qsubnet.chain.state import genesis_digest

GENESIS: Final = "genesis"
BLOCKS: Final = "blocks"
NO_HASH: Final = "0" * 64


@dataclass(frozen=True, slots=True)
class Signed:
    """A call with what its signer vouched for it."""

    call: Call
    signer: str
    nonce: int
    signature: str

    def check(self, *, genesis: str, verify: Verify) -> None:
        """Check that the signer signed this call, for this ledger, at this place in its calls.

        Raises:
            BadProof: It did not.
        """
        message = signing_bytes(
            genesis=genesis,
            kind=self.call.kind,
            arguments=self.call.arguments(),
            signer=self.signer,
            nonce=self.nonce,
        )
        if not verify(self.signer, message, bytes.fromhex(self.signature)):
            raise BadProof(f"{self.signature[:16]}... is not {self.signer}'s over {message!r}")


def follow(last: Event | None, *, block: int, kind: str, payload: Json) -> Event:
    """Make the event that comes after `last`.

    Example:
        >>> follow(None, block=0, kind="genesis", payload={}).sequence
        0
    """
    sequence = 0 if last is None else last.sequence + 1
    index = last.index + 1 if last is not None and last.block == block else 0
    text = canonical(payload)
    previous = NO_HASH if last is None else last.hash
    return Event(sequence, block, index, kind, text, _hash(previous, block, index, kind, text))


def check_link(last: Event | None, event: Event) -> None:
    """Check that `event` comes after `last` and was not changed.

    Raises:
        LedgerCorrupt: It does not, or was.
    """
    previous = NO_HASH if last is None else last.hash
    same_block = last is not None and last.block == event.block
    expected = (
        0 if last is None else last.sequence + 1,
        last.index + 1 if last is not None and same_block else 0,
        _hash(previous, event.block, event.index, event.kind, event.payload),
    )
    if (event.sequence, event.index, event.hash) != expected:
        raise LedgerCorrupt(f"expected sequence, index, hash {expected}, got {event}")


def read(event: Event) -> Json:
    """Parse an event's payload.

    Raises:
        LedgerCorrupt: It is no JSON object.
    """
    try:
        payload = json.loads(event.payload)
    except ValueError as error:
        raise LedgerCorrupt(f"event {event.sequence} is no JSON: {error}") from error
    if not isinstance(payload, dict):
        raise LedgerCorrupt(f"event {event.sequence} is no JSON object")
    return payload


def genesis_payload(genesis: Genesis) -> Json:
    """Spell a genesis as the payload of the first event."""
    return asdict(genesis)


def read_genesis(event: Event) -> Genesis:
    """Read the first event.

    Raises:
        LedgerCorrupt: It is no genesis.
    """
    try:
        match event.kind, read(event):
            case "genesis", {
                "seed": int(seed),
                "params": {"mechanisms": list(mechanisms), **rules},
                "balances": list(balances),
            }:
                return Genesis(
                    seed=seed,
                    params=_params(mechanisms, dict(rules)),
                    balances=tuple((str(name), int(rao)) for name, rao in balances),
                )
    except (TypeError, ValueError) as error:
        raise LedgerCorrupt(f"event {event.sequence} is no genesis: {error}") from error
    raise LedgerCorrupt(f"expected a genesis, got event {event.sequence} of kind {event.kind!r}")


def _params(mechanisms: list[dict[str, Any]], rules: dict[Any, Any]) -> ChainParams:
    chosen = tuple(Mechanism(**mechanism) for mechanism in mechanisms)
    return ChainParams(mechanisms=chosen, **rules)


def blocks_payload(report: EpochReport | None) -> Json:
    """Spell what making blocks did, as the payload of a `blocks` event."""
    return {"epoch": None if report is None else asdict(report)}


def signed_payload(signed: Signed) -> Json:
    """Spell a signed call as the payload of its event."""
    return {
        "arguments": signed.call.arguments(),
        "signer": signed.signer,
        "nonce": signed.nonce,
        "signature": signed.signature,
    }


def read_signed(event: Event) -> Signed:
    """Read a signed call back.

    Raises:
        LedgerCorrupt: The event carries none.
    """
    match read(event):
        case {
            "arguments": dict(arguments),
            "signer": str(signer),
            "nonce": int(nonce),
            "signature": str(signature),
        }:
            try:
                bytes.fromhex(signature)
                return Signed(decode(event.kind, arguments), signer, nonce, signature)
            except ValueError as error:
                raise LedgerCorrupt(f"event {event.sequence}: {error}") from error
    raise LedgerCorrupt(f"event {event.sequence} of kind {event.kind!r} carries no signed call")


def check_signatures(events: Iterable[Event], *, verify: Verify) -> int:
    """Check every signature of a history, as a stranger would.

    Args:
        events: The whole history, from the genesis on.
        verify: Checks one signature.

    Returns:
        How many were checked.

    Raises:
        BadProof: One is not its signer's.
        LedgerCorrupt: An event can not be read.
    """
    checked = 0
    genesis = NO_HASH
    for event in events:
        if event.kind == GENESIS:
            genesis = genesis_digest(read_genesis(event))
        elif event.kind != BLOCKS:
            read_signed(event).check(genesis=genesis, verify=verify)
            checked += 1
    return checked


def _hash(previous: str, block: int, index: int, kind: str, payload: str) -> str:
    return digest([previous, block, index, kind, payload])
