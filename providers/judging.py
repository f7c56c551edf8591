"""Is the answer to a probe right? Every shot on an exact device, the likelier value on a noisy one.

An entangled probe is right on a noisy device when its counts lie closer to the ideal distribution
than to every reordering of its bits; on an exact one when they lie within what shots alone
explain, which fails for one in 10^9 right devices at most.

Source: the bound is T. Weissman et al., Inequalities for the L1 deviation of the empirical
distribution, HPL-2003-97R1 (2003): Pr(L1 >= e) <= 2^K exp(-N e^2 / 2) over K outcomes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import permutations

from circuits.counts import Counts
from circuits.program import MEASURE
from providers.base import Device
from providers.dense import probabilities
from providers.findings import Aspect, Finding
from providers.probes import Probe

BROKEN_READOUT, BROKEN_GATE = 0.25, 0.1
"""Published error rates from which a qubit counts as broken, and no promise is made for it."""

_FALSE_ALARM = 1e-9


def judge(device: Device, probe: Probe, counts: Counts) -> Finding:
    """Compare counts with what `probe` must give on `device`.

    Example:
        >>> from circuits.topology import complete
        >>> from providers.base import DeviceClass
        >>> from providers.probes import probe_set
        >>> two = Device("two", DeviceClass.SIMULATOR, complete(2, ["cx"]), None, "aer")
        >>> probe = probe_set(two)[0]
        >>> judge(two, probe, Counts(2, {"01": 10})).ok, judge(two, probe, Counts(2, {"10": 10})).ok
        (True, False)
    """
    if counts.num_bits != probe.program.num_bits or not counts.shots:
        got = f"{counts.shots} shots of {counts.num_bits} bits"
        expected = f"shots of {probe.program.num_bits} bits"
        return Finding(Aspect.PROBE, probe.name, expected, got, ok=False)
    if not probe.expected:
        return _distribution(device, probe, counts)
    if device.errors is None:
        got = ", ".join(f"{bits}: {n}" for bits, n in list(counts.table.items())[:4])
        ok = set(counts.table) == {probe.expected}
        return Finding(Aspect.PROBE, probe.name, probe.expected, got, ok=ok)
    got = _likelier(counts)
    trusted = _trusted(device, probe)
    ok = all(got[-1 - bit] == probe.expected[-1 - bit] for bit in trusted)
    return Finding(Aspect.PROBE, probe.name, probe.expected, got, ok=ok)


def deviation(counts: Counts, ideal: Mapping[str, float]) -> float:
    """Total variation distance between the counts' shares and `ideal`, 0 .. 1.

    Example:
        >>> deviation(Counts(1, {"0": 3, "1": 1}), {"0": 0.5, "1": 0.5})
        0.25
    """
    keys = sorted({*counts.table, *ideal})
    shots = counts.shots
    return sum(abs(counts.table.get(k, 0) / shots - ideal.get(k, 0.0)) for k in keys) / 2


def explained_by_shots(num_bits: int, shots: int) -> float:
    """The total variation distance that a right device exceeds once in 10^9 times at most."""
    outcomes = 2**num_bits
    return math.sqrt(2 * (outcomes * math.log(2) - math.log(_FALSE_ALARM)) / shots) / 2


def _distribution(device: Device, probe: Probe, counts: Counts) -> Finding:
    ideal = probabilities(probe.program)
    distance = deviation(counts, ideal)
    if device.errors is None:
        bound = explained_by_shots(counts.num_bits, counts.shots)
        expected = f"a distance of at most {bound:.3f}"
        got = f"a distance of {distance:.3f}"
        return Finding(Aspect.PROBE, probe.name, expected, got, ok=distance <= bound)
    order = tuple(range(counts.num_bits))
    other, nearest = min(
        (deviation(counts, _reordered(ideal, turned)), turned)
        for turned in permutations(order)
        if turned != order
    )
    expected = "counts nearest to the ideal order of bits"
    got = f"a distance of {distance:.3f}, and {other:.3f} to the order {list(nearest)}"
    return Finding(Aspect.PROBE, probe.name, expected, got, ok=distance < other)


def _reordered(ideal: Mapping[str, float], order: tuple[int, ...]) -> dict[str, float]:
    """The distribution with character `order[i]` of each bitstring put at place i."""
    return {"".join(key[place] for place in order): p for key, p in ideal.items()}


def _likelier(counts: Counts) -> str:
    """Each bit's more frequent value, as a bitstring."""
    outcomes, shots = counts.distinct()
    ones = outcomes.T.astype(int) @ shots
    return "".join("1" if 2 * int(one) > counts.shots else "0" for one in reversed(ones))


def _trusted(device: Device, probe: Probe) -> tuple[int, ...]:
    """The probe's bits, less those that read a qubit which its own sheet calls broken."""
    broken = set()
    if device.errors is not None:
        for qubit, (gate, readout) in enumerate(
            zip(device.errors.one_qubit, device.errors.readout, strict=True)
        ):
            if gate >= BROKEN_GATE or readout >= BROKEN_READOUT:
                broken.add(qubit)
    skipped = {
        operation.bit
        for operation in probe.program.operations
        if operation.name == MEASURE and operation.qubits[0] in broken
    }
    return tuple(bit for bit in range(probe.program.num_bits) if bit not in skipped)
