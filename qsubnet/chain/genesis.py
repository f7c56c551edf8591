"""What a chain starts from: the subnet's rules, and for a local ledger its seed and balances.

Assumes that both stay as they are for the ledger's life.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from qsubnet.chain.canonical import check_address


@dataclass(frozen=True, slots=True)
class Mechanism:
    """One of the subnet's separate contests, with its own weights and part of the emission.

    Attributes:
        number: Mechanism number on the chain.
        name: What it rewards.
        share: Integer share of the emission, relative to the other mechanisms' shares.
    """

    number: int
    name: str
    share: int


QPU: Final = Mechanism(0, "qpu", 1)
SIMULATOR: Final = Mechanism(1, "simulator", 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainParams:
    """The subnet's rules.

    Attributes:
        netuid: The subnet's number.
        tempo: Blocks in an epoch, 1 or more.
        max_uids: Seats.
        max_validators: Permits given at the end of each epoch, to the largest stakes.
        min_validator_stake_rao: Smaller stakes get no permit and may not set weights.
        immunity_blocks: A neuron is not replaced within so many blocks of its registration.
        activity_cutoff_blocks: A validator that has set no weights for longer is not counted.
        kappa_percent: Stake, in percent, that must stand behind a weight, 1 .. 100.
        incentive_percent: Part of the emission for miners, 0 .. 100; the rest is for validators.
        emission_per_epoch_rao: Issued at the end of each epoch.
        mechanisms: By ascending number.
    """

    netuid: int = 1
    tempo: int = 20
    max_uids: int = 256
    max_validators: int = 64
    min_validator_stake_rao: int = 1
    immunity_blocks: int = 5000
    activity_cutoff_blocks: int = 5000
    kappa_percent: int = 50
    incentive_percent: int = 50
    emission_per_epoch_rao: int = 1_000_000_000
    mechanisms: tuple[Mechanism, ...] = (QPU, SIMULATOR)

    def __post_init__(self) -> None:
        """Refuse rules that no epoch can follow."""
        least = {
            "netuid": 0,
            "tempo": 1,
            "max_uids": 1,
            "max_validators": 1,
            "min_validator_stake_rao": 1,
            "immunity_blocks": 0,
            "activity_cutoff_blocks": 1,
            "kappa_percent": 1,
            "incentive_percent": 0,
            "emission_per_epoch_rao": 0,
        }
        for name, lowest in least.items():
            value: int = getattr(self, name)
            if value < lowest:
                raise ValueError(f"need {name} >= {lowest}, got {value}")
        for name in ("kappa_percent", "incentive_percent"):
            if getattr(self, name) > 100:
                raise ValueError(f"need {name} <= 100, got {getattr(self, name)}")
        numbers = [mechanism.number for mechanism in self.mechanisms]
        if not numbers or numbers != sorted(set(numbers)):
            raise ValueError(f"need one or more mechanisms by ascending number, got {numbers}")
        if any(m.share < 0 for m in self.mechanisms) or not any(m.share for m in self.mechanisms):
            raise ValueError("mechanisms need shares of 0 or more, and one above 0")

    @property
    def kappa(self) -> Fraction:
        """The fraction of stake that must stand behind a weight."""
        return Fraction(self.kappa_percent, 100)

    def epoch_at(self, head: int) -> int:
        """Number the epoch that is open while block `head` is the newest.

        Example:
            >>> [ChainParams(tempo=20).epoch_at(head) for head in (0, 19, 20)]
            [0, 0, 1]
        """
        return head // self.tempo

    def start_of(self, epoch: int) -> int:
        """Number the block that opens an epoch; its hash keys that epoch's tests.

        Example:
            >>> ChainParams(tempo=20).start_of(3)
            60
        """
        return epoch * self.tempo


@dataclass(frozen=True, slots=True, kw_only=True)
class Genesis:
    """All that a local ledger starts from.

    Attributes:
        seed: 0 or more; fixes every block hash.
        params: The subnet's rules, fixed for the ledger's life.
        balances: Free rao of each coldkey, by ascending coldkey.
    """

    seed: int
    params: ChainParams = ChainParams()
    balances: tuple[tuple[str, int], ...] = ()

    def __post_init__(self) -> None:
        """Refuse what has no single canonical spelling."""
        if self.seed < 0:
            raise ValueError(f"need seed >= 0, got {self.seed}")
        names = [coldkey for coldkey, _ in self.balances]
        if names != sorted(set(names)) or any(rao < 0 for _, rao in self.balances):
            raise ValueError("balances go by ascending coldkey, each once, in rao >= 0")
        for name in names:
            check_address(name, role="coldkey")
