"""Error rates by element, whichever way a maker publishes them at Braket.

A fidelity is the average gate fidelity that randomized benchmarking gives; of two kinds the one of
a qubit by itself is taken, as Braket's own emulator does. Numbers that a maker publishes for the
whole device stand for each of its elements.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from circuits.topology import Edge
    from providers.braket_capabilities import Capabilities, Fidelity

_ALONE = ("RANDOMIZED_BENCHMARKING", "SIMULTANEOUS_RANDOMIZED_BENCHMARKING")
# IQM files "READOUT_ERROR_0_TO_1" and "READOUT_ERROR_1_TO_0" among the fidelities: not these.
_READOUT = ("READOUT",)


class Rates:
    """Error rates by element; None where the maker publishes none.

    Args:
        said: The device's capabilities.
    """

    def __init__(self, said: Capabilities) -> None:
        self._form = said.standardized
        self._maker = said.provider.fidelity if said.provider else {}

    def one_qubit(self, qubit: int) -> float | None:
        """Average infidelity of a gate on a physical qubit."""
        form = self._form
        if form and form.one_qubit_properties:
            return self._of_qubit(qubit, _ALONE)
        return self._of_all("1Q", form.single_qubit_fidelity if form else None)

    def readout(self, qubit: int) -> float | None:
        """Chance that a physical qubit is misread."""
        form = self._form
        own = self._of_qubit(qubit, _READOUT)
        if own is not None or (form and form.two_qubit_properties):
            return own
        return self._of_all("spam", form.readout_fidelity if form else None)

    def two_qubit(
        self, word: str, coupled: Sequence[Edge], *, directed: bool
    ) -> Iterator[tuple[Edge, float]]:
        """Each coupling that has a number for the gate, in its calibrated direction.

        Args:
            word: Braket's name of the gate, in lower case.
            coupled: Pairs of physical qubits, the lower first.
            directed: The gate is calibrated one way only.
        """
        form = self._form
        if form is None or not form.two_qubit_properties:
            rate = self._of_all("2Q", form.two_qubit_gate_fidelity if form else None)
            if rate is not None:
                yield from ((pair, rate) for pair in coupled)
            return
        for key, pair in form.two_qubit_properties.items():
            ends = tuple(map(int, key.split("-")))
            for found in pair.two_qubit_gate_fidelity:
                if found.gate_name.lower() != word or len(ends) != 2:
                    continue
                if (min(ends), max(ends)) in coupled:
                    way = found.direction if directed and found.direction else None
                    edge = (way["control"], way["target"]) if way else (min(ends), max(ends))
                    yield edge, 1.0 - found.fidelity

    def _of_qubit(self, qubit: int, kinds: Sequence[str]) -> float | None:
        form = self._form
        own = (form.one_qubit_properties or {}).get(str(qubit)) if form else None
        for kind in kinds:
            for found in own.one_qubit_fidelity if own else ():
                if found.fidelity_type and found.fidelity_type.name == kind:
                    return 1.0 - found.fidelity
        return None

    def _of_all(self, word: str, published: Sequence[Fidelity] | None) -> float | None:
        mean = self._maker.get(word, {}).get("mean")
        if mean is None and published:
            mean = published[0].fidelity
        return None if mean is None else 1.0 - mean
