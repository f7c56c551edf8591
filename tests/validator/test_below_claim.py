"""Expected values: exact laws written down here, and the rates that the cap and alpha imply."""

from __future__ import annotations

import numpy as np
import pytest

from circuits.case import Case, SimulatedAnswer
from circuits.counts import Counts
from circuits.program import Program, measure
from circuits.topology import Topology
from providers.base import Device, DeviceClass, ErrorRates, ResultKind
from validator.below_claim import GROUPS, BelowClaim, below_claim, law_wealth
from validator.record import Record
from validator.references.reference import Reference
from validator.sequential import Accusation, accusation_threshold, capped

FLOOR = 0.3
NEEDED = accusation_threshold(Accusation.BELOW_CLAIM, registration=1)


def _law(seed: int, width: int = 3) -> np.ndarray:
    values = np.random.default_rng([seed, width]).exponential(size=2**width)
    return np.asarray(np.round(values / values.sum(), 12))


def _counts(law: np.ndarray, fidelity: float, *, shots: int, seed: int) -> dict[str, int]:
    width = len(law).bit_length() - 1
    mixed = fidelity * law + (1 - fidelity) / len(law)
    seen = np.random.default_rng([1, seed]).multinomial(shots, mixed / mixed.sum())
    return {format(i, f"0{width}b"): int(n) for i, n in enumerate(seen) if n}


def test_a_circuit_at_its_floor_earns_at_most_1_on_average() -> None:
    wealth = [
        10 ** law_wealth(_counts(law, FLOOR, shots=60, seed=k), law=law, fidelity=FLOOR)
        for k in range(4000)
        for law in [_law(k)]
    ]
    # Uncapped wealth is heavy-tailed to the right only: five standard errors above 1.
    assert np.mean(wealth) < 1 + 5 * np.std(wealth) / np.sqrt(len(wealth))


def test_coins_are_accused_within_a_dozen_narrow_random_circuits() -> None:
    needed = []
    for trial in range(40):
        fold, circuits = BelowClaim(), 0
        while fold.highest < NEEDED and circuits < 40:
            law = _law(1000 * trial + circuits)
            counts = _counts(law, 0.0, shots=300, seed=7000 + 41 * trial + circuits)
            fold = fold.after("brickwork", capped(law_wealth(counts, law=law, fidelity=FLOOR)))
            circuits += 1
        needed.append(circuits)
    assert 6 <= np.median(needed) <= 12


def test_reversed_bits_are_read_backwards_on_request() -> None:
    law = np.array([0.9, 0.05, 0.0, 0.05])  # 00 .. 11: asymmetric
    turned = {"00": 450, "10": 25, "11": 25}
    forwards = law_wealth(turned, law=law, fidelity=0.9)
    backwards = law_wealth(turned, law=law, fidelity=0.9, read=lambda key: key[::-1])
    assert backwards < forwards


def test_a_flat_law_says_nothing() -> None:
    assert law_wealth({"00": 9}, law=np.full(4, 0.25), fidelity=0.5) == 0.0


@pytest.mark.parametrize("family", GROUPS)
def test_success_of_one_kind_does_not_win_back_what_another_kind_loses(family: str) -> None:
    alone, mixed = BelowClaim(), BelowClaim()
    other = next(name for name in GROUPS if name != family)
    for _ in range(8):
        alone = alone.after(family, 1.4)
        mixed = mixed.after(other, -20.0).after(family, 1.4)
    assert alone.highest > NEEDED
    assert mixed.highest > NEEDED


def test_the_accusation_stands_at_its_highest_point() -> None:
    fold = BelowClaim()
    for _ in range(8):
        fold = fold.after("trap", 1.4)
    assert fold.after("trap", -30.0).highest == fold.highest


def test_one_group_alone_needs_six_circuits_at_the_cap() -> None:
    fold, circuits = BelowClaim(), 0
    while fold.highest < NEEDED:
        fold, circuits = fold.after("mirror", capped(99.0)), circuits + 1
    assert circuits == 6  # 6 * 1.403 - log10(4 * 2) >= 6.517 > 5 * 1.403 - log10(8)


def _read_out(width: int, counts: dict[str, int], device_class: DeviceClass) -> Record:
    """Nothing but a readout: every string is all zeros where the device is right."""
    edges = tuple((q, q + 1) for q in range(width - 1))
    line = Topology(width, edges, ("cz", "rz", "sx", "x"))
    sheet = ErrorRates((1e-4,) * width, (1e-3,) * len(edges), (0.01,) * width)
    program = Program(width, width, tuple(measure(q, q) for q in range(width)))
    return Record(
        hotkey="hk",
        device=Device("d", device_class, line, sheet, "test"),
        epoch=1,
        job_key="ab" * 32,
        index=0,
        program=program,
        shots_asked=sum(counts.values()),
        counts=Counts(width, counts),
        kind=ResultKind.SHOTS,
        case=Case("brickwork", width, 1, tuple(range(width)), program, SimulatedAnswer()),
        receipt_digest="",
    )


@pytest.mark.parametrize(
    ("width", "device_class", "expected"),
    [
        (6, DeviceClass.QPU, capped(99.0)),
        (7, DeviceClass.QPU, None),
        (7, DeviceClass.SIMULATOR, capped(99.0)),
    ],
)
def test_random_circuits_of_too_many_orders_accuse_no_machine(
    width: int, device_class: DeviceClass, expected: float | None, reference: Reference
) -> None:
    wrong = _read_out(width, {"1" * width: 300}, device_class)
    assert below_claim(wrong, reference=reference) == expected
