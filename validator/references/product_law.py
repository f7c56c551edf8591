"""The joint law of circuits that run side by side and do not interact.

A chip full of patches has 2**n outcomes and is still cheap: its law is the product of the patches'
laws, and the ratio of a string to chance is the product of the patches' ratios.

Assumes the ideal circuit couples no two patches. What the device's crosstalk couples is then seen
as a loss of the joint fidelity beyond the patches' own.
Source: Arute et al., Nature 574, 505 (2019), supplement, "patch circuits".
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class ProductLaw:
    """Independent laws on disjoint sets of bits.

    Attributes:
        laws: One vector a patch; index bit k is the patch's own bit k.
        places: For each patch, the joint string's bit (0 = rightmost) of its bits 0, 1, ...

    Raises:
        ValueError: A law's length is no power of two of its bits, or two patches share a bit.

    Example:
        >>> import numpy as np
        >>> coin, one = np.array([0.5, 0.5]), np.array([0.0, 1.0])
        >>> law = ProductLaw((coin, one), ((1,), (0,)))
        >>> law.probability("11"), law.probability("10"), law.ratio("01")
        (0.5, 0.0, 2.0)
    """

    laws: tuple[NDArray[np.float64], ...]
    places: tuple[tuple[int, ...], ...]

    def __post_init__(self) -> None:
        if [len(law) for law in self.laws] != [1 << len(bits) for bits in self.places]:
            raise ValueError(
                f"need 2**k values for k bits, got {[len(law) for law in self.laws]} for "
                f"{[len(bits) for bits in self.places]} bits"
            )
        if len(self.bits) != len(set(self.bits)):
            raise ValueError(f"need patches on bits of their own, got {list(self.bits)}")

    @cached_property
    def bits(self) -> tuple[int, ...]:
        """All bits of all patches, in the patches' order."""
        return tuple(bit for bits in self.places for bit in bits)

    def probability(self, key: str) -> float:
        """Give the probability of a joint string, bit 0 rightmost; bits of no patch are ignored."""
        value = 1.0
        for law, bits in zip(self.laws, self.places, strict=True):
            value *= float(law[_index(key, bits)])
        return value

    def ratio(self, key: str) -> float:
        """Give w = D p of a joint string; no power of two leaves the range of a float here."""
        value = 1.0
        for law, bits in zip(self.laws, self.places, strict=True):
            value *= len(law) * float(law[_index(key, bits)])
        return value

    @property
    def excess(self) -> float:
        """D * sum over all strings of p^2, minus 1, as cross-entropy needs it."""
        value = 1.0
        for law in self.laws:
            value *= len(law) * math.fsum((law * law).tolist())
        return value - 1.0

    def patch_counts(self, table: Mapping[str, int], patch: int) -> dict[str, int]:
        """Sum joint counts over everything but one patch.

        Returns:
            {the patch's own string, bit 0 rightmost: shots}, ascending.

        Example:
            >>> import numpy as np
            >>> law = ProductLaw((np.array([0.5, 0.5]), np.array([0.0, 1.0])), ((1,), (0,)))
            >>> law.patch_counts({"01": 3, "11": 4}, 0)
            {'0': 3, '1': 4}
        """
        own: dict[str, int] = {}
        for key in sorted(table):
            short = "".join(key[-1 - bit] for bit in reversed(self.places[patch]))
            own[short] = own.get(short, 0) + table[key]
        return dict(sorted(own.items()))


def _index(key: str, bits: tuple[int, ...]) -> int:
    return sum((key[-1 - bit] == "1") << k for k, bit in enumerate(bits))
