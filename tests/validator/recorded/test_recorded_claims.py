"""Claims on recorded circuits: floors that honest devices keep, and that fakes do not."""

from __future__ import annotations

import numpy as np
import pytest

from circuits.program import Operation, Program, measure
from circuits.topology import Topology
from providers.base import Device, DeviceClass, ErrorRates
from validator.recorded.claims import (
    below_claim,
    is_native,
    is_probe,
    readout_too_good,
    worst_misreading,
)
from validator.recorded.laws import CertainLaw, DenseLaw

LINE = Topology(3, ((0, 1), (1, 2)), ("cz", "rz", "sx", "x"))
SHEET = ErrorRates((0.0,) * 3, (0.01, 0.01), (0.03,) * 3)
QPU = Device("lab", DeviceClass.QPU, LINE, SHEET, "records")
READS = tuple(measure(q, q) for q in range(3))
FLIPPED = Program(3, 3, (Operation("x", (0,)), Operation("x", (2,)), *READS))
LAW = CertainLaw((0, 1, 2), (0, 1, 2), "101")


def _with(*operations: Operation, num_qubits: int = 3) -> Program:
    return Program(num_qubits, 3, (*operations, *READS))


def test_only_native_gates_on_couplings_have_a_claim() -> None:
    assert is_native(_with(Operation("cz", (1, 0)), Operation("sx", (2,))), QPU)
    assert not is_native(_with(Operation("cz", (0, 2))), QPU)
    assert not is_native(_with(Operation("h", (0,))), QPU)
    assert not is_native(_with(num_qubits=4), QPU)
    foreign = _with(Operation("h", (0,)))
    assert below_claim(foreign, LAW, {"000": 1000}, device=QPU) is None


def test_uniform_bits_speak_against_a_claim_and_honest_shots_do_not() -> None:
    uniform = {format(i, "03b"): 125 for i in range(8)}
    honest = {"101": 880, "100": 60, "001": 60}
    accusing, speaking = (
        below_claim(FLIPPED, LAW, counts, device=QPU) for counts in (uniform, honest)
    )
    assert accusing is not None
    assert speaking is not None
    # A circuit weighs 25.25 at most: 50/(1 + .02 * 49).
    assert accusing == pytest.approx(np.log10(50 / 1.98), abs=1e-6)
    assert speaking < 0.0


def test_reversed_bits_do_not_speak_against_a_claim() -> None:
    law = CertainLaw((0, 1, 2), (0, 1, 2), "001")
    program = _with(Operation("x", (0,)))
    found = below_claim(program, law, {"100": 900, "000": 100}, device=QPU)
    assert found is not None
    assert found < 0.0


def test_a_claim_below_one_half_never_accuses() -> None:
    poor = Device(
        "poor", DeviceClass.QPU, LINE, ErrorRates((0.0,) * 3, (0.3,) * 2, (0.4,) * 3), "r"
    )
    assert below_claim(FLIPPED, LAW, {"000": 1000}, device=poor) is None


def test_the_worst_misread_bit_is_found_in_closed_form() -> None:
    # GHZ: a flipped bit leaves only strings that the law forbids, -1/(D sum p^2 - 1).
    for width in (2, 3, 5):
        values = np.zeros(2**width)
        values[[0, -1]] = 0.5
        bits = tuple(range(width))
        expected = -1.0 / (2 ** (width - 1) - 1)
        assert worst_misreading(DenseLaw(bits, bits, values)) == pytest.approx(expected)


def test_a_law_that_one_misread_bit_ruins_does_not_accuse() -> None:
    bell = Program(
        2,
        2,
        (Operation("rz", (0,), (0.5,)), Operation("cz", (0, 1)), measure(0, 0), measure(1, 1)),
    )
    law = DenseLaw((0, 1), (0, 1), np.array([0.5, 0.0, 0.0, 0.5]))
    assert below_claim(bell, law, {"01": 500, "10": 500}, device=QPU) is None


def test_readout_errors_far_above_the_sheet_do_not_accuse_on_random_laws() -> None:
    rng = np.random.default_rng(6)
    program = _with(Operation("cz", (0, 1)), Operation("cz", (1, 2)))
    for _ in range(40):
        values = rng.dirichlet(np.ones(8))
        law = DenseLaw((0, 1, 2), (0, 1, 2), values)
        misread = np.exp(law.log_flipped([format(i, "03b") for i in range(8)], up=0.09, down=0.09))
        counts = {format(i, "03b"): int(n) for i, n in enumerate(rng.multinomial(3000, misread))}
        found = below_claim(program, law, counts, device=QPU)
        assert found is None or found < 0.0


def test_a_probe_read_without_error_is_too_good_for_its_sheet() -> None:
    assert is_probe(FLIPPED)
    found = readout_too_good(FLIPPED, LAW, {"101": 3000}, device=QPU)
    assert found is not None
    assert found > 1.3
    honest = readout_too_good(FLIPPED, LAW, {"101": 2800, "001": 200}, device=QPU)
    assert honest is not None
    assert honest < 0.0


@pytest.mark.parametrize(
    ("program", "device"),
    [
        (_with(Operation("cz", (0, 1))), QPU),
        (Program(2, 3, (Operation("x", (0,)), measure(0, 0))), QPU),
        (FLIPPED, Device("sim", DeviceClass.SIMULATOR, LINE, SHEET, "records")),
    ],
)
def test_only_probes_as_wide_as_a_qpu_can_be_too_good(program: Program, device: Device) -> None:
    assert readout_too_good(program, LAW, {"101": 3000}, device=device) is None
