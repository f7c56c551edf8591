"""What is sent to a chain, with the bytes that are signed for it.

A call is checked when it is made, so that a chain sees well-formed calls only. Each call knows its
`kind`, and its `arguments` as plain JSON; `decode` reads them back from a stored event.

Assumes that whoever signs is named beside the call, not in it, except for weights, whose validator
is part of what an auditor recomputes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, TypeAlias
from urllib.parse import urlsplit

from qsubnet.chain.canonical import canonical, check_address, digest

SIGNING_DOMAIN: Final = "qsubnet/chain/1"
MAX_URL: Final = 200
MAX_TARGETS: Final = 4096

_TOPIC: Final = re.compile(r"[a-z0-9][a-z0-9/-]{0,63}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")

Json: TypeAlias = dict[str, object]


def signing_bytes(*, genesis: str, kind: str, arguments: Json, signer: str, nonce: int) -> bytes:
    """Spell out what an account signs for one call.

    Args:
        genesis: Digest of the ledger's genesis, so that a signature holds on one ledger only.
        kind: The call's kind.
        arguments: The call's arguments.
        signer: Address of the account.
        nonce: Number of calls that the account has on that ledger, so that none can be repeated.

    Example:
        >>> signing_bytes(genesis="00", kind="k", arguments={}, signer="A", nonce=2)
        b'{"arguments":{},"domain":"qsubnet/chain/1","genesis":"00","kind":"k","nonce":2,"signer":"A"}'
    """
    text = {"domain": SIGNING_DOMAIN, "genesis": genesis, "kind": kind, "arguments": arguments}
    return canonical(text | {"signer": signer, "nonce": nonce}).encode()


@dataclass(frozen=True, slots=True)
class Announcement:
    """A hotkey's endpoint: `http://host:port` or `https://host:port`, with nothing after it."""

    kind: ClassVar[str] = "announce"
    url: str

    def __post_init__(self) -> None:
        """Refuse an endpoint that is more than a scheme, a host and a port."""
        allowed = f"http(s)://host:port, at most {MAX_URL} characters"
        if len(self.url) > MAX_URL or not self.url.isascii():
            raise ValueError(f"an endpoint is {allowed}, got {self.url[:MAX_URL]!r}")
        try:
            parts = urlsplit(self.url)
            port = parts.port
        except ValueError as error:
            raise ValueError(f"an endpoint is {allowed}, got {self.url!r}") from error
        plain = f"{parts.scheme}://{parts.netloc}" == self.url and "@" not in parts.netloc
        if not (plain and parts.scheme in {"http", "https"} and parts.hostname and port):
            raise ValueError(f"an endpoint is {allowed}, got {self.url!r}")

    def arguments(self) -> Json:
        """Spell the call as JSON."""
        return {"url": self.url}


@dataclass(frozen=True, slots=True)
class Commitment:
    """A sha256 made public before what it binds: one digest for each hotkey and topic, for good.

    Attributes:
        topic: 1 to 64 of a-z, 0-9, '/' and '-', such as `case-keys/12` or `evidence/12`.
        digest: 64 lower-case hexadecimal characters.
    """

    kind: ClassVar[str] = "commit"
    topic: str
    digest: str

    def __post_init__(self) -> None:
        """Refuse a topic or digest in another spelling."""
        if not _TOPIC.fullmatch(self.topic):
            raise ValueError(f"a topic is 1 to 64 of a-z 0-9 / -, got {self.topic[:80]!r}")
        if not _SHA256.fullmatch(self.digest):
            raise ValueError(f"a digest is 64 of 0-9 a-f, got {self.digest[:80]!r}")

    def arguments(self) -> Json:
        """Spell the call as JSON."""
        return {"topic": self.topic, "digest": self.digest}


@dataclass(frozen=True, slots=True)
class Target:
    """One miner in a weight intent.

    Attributes:
        hotkey: Whom the weight is for.
        weight: Finite, 0 or more, in any unit that the intent uses throughout.
        registered_block: Registration of the neuron that was judged; a later one gets nothing.
    """

    hotkey: str
    weight: float
    registered_block: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightIntent:
    """One validator's weights for one mechanism in one epoch, as it means them.

    Two intents are the same if their `digest` is; the order of targets does not matter. No positive
    weight at all is a vote for nobody.
    """

    kind: ClassVar[str] = "weights"
    validator: str
    mechanism: int
    epoch: int
    targets: tuple[Target, ...]

    def __post_init__(self) -> None:
        """Refuse weights that no rounding can make sense of."""
        check_address(self.validator, role="validator")
        if self.mechanism < 0 or self.epoch < 0:
            raise ValueError(f"need mechanism, epoch >= 0, got {self.mechanism}, {self.epoch}")
        if len(self.targets) > MAX_TARGETS:
            raise ValueError(f"at most {MAX_TARGETS} targets, got {len(self.targets)}")
        if len({target.hotkey for target in self.targets}) != len(self.targets):
            raise ValueError("each hotkey may stand in an intent once")
        for target in self.targets:
            check_address(target.hotkey, role="hotkey")
            if not (math.isfinite(target.weight) and target.weight >= 0):
                raise ValueError(f"need a finite weight >= 0, got {target}")
            if target.registered_block < 0:
                raise ValueError(f"need registered_block >= 0, got {target}")

    def arguments(self) -> Json:
        """Spell the call as JSON."""
        rows = sorted((t.hotkey, float(t.weight), t.registered_block) for t in self.targets)
        return {
            "validator": self.validator,
            "mechanism": self.mechanism,
            "epoch": self.epoch,
            "targets": [list(row) for row in rows],
        }

    @property
    def digest(self) -> str:
        """Name the intent by what it says."""
        return digest(self.arguments())


@dataclass(frozen=True, slots=True)
class _HotkeyCall:
    hotkey: str

    def __post_init__(self) -> None:
        check_address(self.hotkey, role="hotkey")

    def arguments(self) -> Json:
        """Spell the call as JSON."""
        return {"hotkey": self.hotkey}


@dataclass(frozen=True, slots=True)
class Register(_HotkeyCall):
    """The signing coldkey takes a seat for a hotkey."""

    kind: ClassVar[str] = "register"


@dataclass(frozen=True, slots=True)
class Deregister(_HotkeyCall):
    """The signing coldkey gives up its hotkey's seat. The stake stays with the hotkey."""

    kind: ClassVar[str] = "deregister"


@dataclass(frozen=True, slots=True)
class _StakeCall:
    hotkey: str
    amount_rao: int

    def __post_init__(self) -> None:
        check_address(self.hotkey, role="hotkey")
        if self.amount_rao <= 0:
            raise ValueError(f"need amount_rao > 0, got {self.amount_rao}")

    def arguments(self) -> Json:
        """Spell the call as JSON."""
        return {"hotkey": self.hotkey, "amount_rao": self.amount_rao}


@dataclass(frozen=True, slots=True)
class AddStake(_StakeCall):
    """The signing coldkey moves free balance into its hotkey's stake."""

    kind: ClassVar[str] = "add-stake"


@dataclass(frozen=True, slots=True)
class RemoveStake(_StakeCall):
    """The signing coldkey moves its hotkey's stake back into free balance."""

    kind: ClassVar[str] = "remove-stake"


Call: TypeAlias = (
    Announcement | Commitment | WeightIntent | Register | Deregister | AddStake | RemoveStake
)


def decode(kind: str, arguments: Mapping[str, object]) -> Call:
    """Read a call back from a stored event.

    Raises:
        ValueError: Unknown kind, or arguments that no call of that kind has.

    Example:
        >>> decode("announce", {"url": "http://127.0.0.1:9"})
        Announcement(url='http://127.0.0.1:9')
    """
    match (kind, dict(arguments)):
        case ("announce", {"url": str(url)}):
            return Announcement(url)
        case ("commit", {"topic": str(topic), "digest": str(text)}):
            return Commitment(topic, text)
        case ("register", {"hotkey": str(hotkey)}):
            return Register(hotkey)
        case ("deregister", {"hotkey": str(hotkey)}):
            return Deregister(hotkey)
        case ("add-stake", {"hotkey": str(hotkey), "amount_rao": int(rao)}):
            return AddStake(hotkey, rao)
        case ("remove-stake", {"hotkey": str(hotkey), "amount_rao": int(rao)}):
            return RemoveStake(hotkey, rao)
        case (
            "weights",
            {
                "validator": str(validator),
                "mechanism": int(mechanism),
                "epoch": int(epoch),
                "targets": list(rows),
            },
        ):
            targets = tuple(_target(row) for row in rows)
            return WeightIntent(
                validator=validator, mechanism=mechanism, epoch=epoch, targets=targets
            )
    raise ValueError(f"no call {kind!r} has arguments {sorted(arguments)}")


def _target(row: object) -> Target:
    match row:
        case [str(hotkey), float(weight), int(registered_block)]:
            return Target(hotkey, weight, registered_block)
    raise ValueError(f"a target is [hotkey, weight, registered block], got {row!r}")
