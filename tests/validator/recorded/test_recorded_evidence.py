"""Recorded executions judged end to end: honest ones, every lie that records can show, mistakes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pytest

from circuits.program import Operation, Program, measure
from circuits.topology import Topology, complete
from providers.base import Device, DeviceClass, ErrorRates, ResultKind
from validator.hardware import SimulatorClass
from validator.recorded.evidence import recorded_evidence
from validator.recorded.execution import Execution
from validator.recorded.laws import DenseLaw, ideal_law
from validator.recorded.verdict import judge_recorded
from validator.references.reference import Reference
from validator.sequential import Accusation
from validator.verdict import Outcome, Verdict

WIDTH = 6
FLIPS = {"up": 0.02, "down": 0.06}
LIAR = Device(
    "lab",
    DeviceClass.QPU,
    complete(WIDTH, ["u", "cz"]),
    ErrorRates((0.001,) * WIDTH, (0.005,) * 15, (0.02,) * WIDTH),
    "records",
)
EXACT = Device("sim", DeviceClass.SIMULATOR, complete(WIDTH, ["u", "cz"]), None, "records")

Answerer = Callable[[np.random.Generator, DenseLaw], Mapping[str, float]]
Judge = Callable[..., Verdict]


@pytest.fixture
def judged(
    reference: Reference,
    random_program: Callable[..., Program],
    executed: Callable[..., Execution],
) -> Judge:
    """Judge what `answer` makes of the laws of twelve random circuits."""

    def run(answer: Answerer, *, runs: int = 1, **words: object) -> Verdict:
        rng = np.random.default_rng(99)
        records: list[Execution] = []
        for seed in range(12):
            program = random_program(seed, WIDTH)
            law = ideal_law(program, reference)
            assert isinstance(law, DenseLaw)
            for _ in range(runs):
                counts = answer(rng, law)
                records.append(executed(len(records), program, counts, **words))
        return judge_recorded(recorded_evidence(records, reference=reference))

    return run


@pytest.fixture
def sample(sampled: Callable[..., dict[str, int]]) -> Callable[..., Answerer]:
    def make(**noise: float) -> Answerer:
        return lambda rng, law: sampled(rng, law.values, shots=2000, **noise)

    return make


def _reversed(answer: Answerer) -> Answerer:
    return lambda rng, law: {key[::-1]: n for key, n in answer(rng, law).items()}


def test_a_noisy_device_without_a_sheet_is_measured_and_accused_of_nothing(
    judged: Judge, sample: Callable[..., Answerer]
) -> None:
    verdict = judged(sample(**FLIPS))
    assert verdict.outcome is Outcome.UNVERIFIED
    assert verdict.reason.startswith("judged as a qpu, for no record has a sheet")
    assert "no data on independent_flips, average_twin" in verdict.reason
    found = verdict.evidence
    assert found.hardware[SimulatorClass.WHITE_NOISE] > 6.0
    assert max(found.accusations.values()) < 1.0
    # (1 - .02)^3 (1 - .06)^3 is a shot without an error; XEB of local errors lies above it.
    assert 0.75 < found.fidelity.low < found.fidelity.estimate < found.fidelity.high < 0.95


def test_white_noise_is_not_ruled_out_by_its_own_records(
    judged: Judge, sample: Callable[..., Answerer]
) -> None:
    verdict = judged(sample(fidelity=0.6))
    assert verdict.evidence.hardware[SimulatorClass.WHITE_NOISE] < 2.0
    assert verdict.evidence.fidelity.estimate == pytest.approx(0.6, abs=0.05)


def test_an_exact_simulator_is_verified_at_its_width_and_at_no_other(
    judged: Judge, sample: Callable[..., Answerer]
) -> None:
    verdict = judged(sample(), device=EXACT)
    assert (verdict.outcome, verdict.grade) == (Outcome.VERIFIED, "S1")
    wider = Device("sim", DeviceClass.SIMULATOR, complete(9, ["u", "cz"]), None, "records")
    narrow = judged(sample(), device=wider)
    assert narrow.outcome is Outcome.UNVERIFIED
    assert narrow.reason == "no recorded circuit uses all 9 qubits that the sheet claims"
    assert narrow.score == 0.0


def test_a_device_below_its_sheet_is_fraud_only_with_that_sheet(
    judged: Judge, sample: Callable[..., Answerer]
) -> None:
    assert judged(sample(fidelity=0.0)).outcome is Outcome.UNVERIFIED
    verdict = judged(sample(fidelity=0.0), device=LIAR)
    assert verdict.outcome is Outcome.FRAUD
    assert "succeed less often than its own error sheet" in verdict.reason
    # Half of the errors that the floor allows: an honest day, far worse than the sheet.
    assert judged(sample(fidelity=0.6, **FLIPS), device=LIAR).outcome is Outcome.UNVERIFIED


def test_reversed_bits_are_named_with_and_without_a_sheet(
    judged: Judge, sample: Callable[..., Answerer]
) -> None:
    for device in (None, LIAR):
        verdict = judged(_reversed(sample(**FLIPS)), device=device)
        assert verdict.outcome is Outcome.MISCONFIGURED
        assert "reversed" in verdict.reason


def test_bits_reversed_inside_registers_are_named(
    judged: Judge, sample: Callable[..., Answerer]
) -> None:
    inner = sample(**FLIPS)

    def answer(rng: np.random.Generator, law: DenseLaw) -> dict[str, float]:
        counts = inner(rng, law)
        return {key[:4][::-1] + key[4:][::-1]: n for key, n in counts.items()}

    verdict = judged(answer, registers=(2, 4))
    assert verdict.outcome is Outcome.MISCONFIGURED
    assert "the bits of each classical register in reversed order" in verdict.reason


def test_counts_replayed_for_other_circuits_are_fraud(
    judged: Judge, sample: Callable[..., Answerer]
) -> None:
    kept: list[Mapping[str, float]] = []

    def answer(rng: np.random.Generator, law: DenseLaw) -> Mapping[str, float]:
        kept.append(sample()(rng, law))
        return kept[0]

    verdict = judged(answer)
    assert verdict.outcome is Outcome.FRAUD
    assert "the same counts came back" in verdict.reason


def test_a_seeded_simulator_may_repeat_itself_where_no_sheet_calls_it_a_qpu(
    judged: Judge, sample: Callable[..., Answerer]
) -> None:
    def answer(_: np.random.Generator, law: DenseLaw) -> Mapping[str, float]:
        return sample()(np.random.default_rng(1), law)

    assert judged(answer, runs=2).evidence.accusations[Accusation.REPLAYED] == 0.0
    replayed = judged(answer, runs=2, device=LIAR)
    assert replayed.outcome is Outcome.FRAUD


def test_scaled_counts_are_fraud(judged: Judge, sample: Callable[..., Answerer]) -> None:
    def answer(rng: np.random.Generator, law: DenseLaw) -> dict[str, float]:
        return {key: 10 * n for key, n in sample()(rng, law).items()}

    verdict = judged(answer)
    assert verdict.outcome is Outcome.FRAUD
    assert "share a divisor" in verdict.reason


def test_one_even_draw_of_a_seeded_simulator_is_no_common_divisor_however_often_it_comes(
    executed: Callable[..., Execution], reference: Reference
) -> None:
    bell = Program(
        2,
        2,
        (Operation("h", (0,)), Operation("cx", (0, 1)), measure(0, 0), measure(1, 1)),
    )
    counts = {"00": 32, "11": 32}
    records = [executed(number, bell, counts) for number in range(30)]
    verdict = judge_recorded(recorded_evidence(records, reference=reference))
    assert verdict.outcome is not Outcome.FRAUD
    assert verdict.evidence.accusations[Accusation.SCALED] < 2


def test_rounded_probabilities_are_fraud_unless_they_say_what_they_are(judged: Judge) -> None:
    def rounded(_: np.random.Generator, law: DenseLaw) -> dict[str, float]:
        pairs = enumerate(np.rint(2000 * law.values))
        return {format(i, f"0{WIDTH}b"): int(n) for i, n in pairs if n}

    assert judged(rounded).outcome is Outcome.FRAUD

    def shares(rng: np.random.Generator, law: DenseLaw) -> dict[str, float]:
        counts = rounded(rng, law)
        return {key: n / sum(counts.values()) for key, n in counts.items()}

    verdict = judged(shares, kind=ResultKind.PROBABILITIES, shots=2000)
    assert verdict.outcome is Outcome.UNVERIFIED
    assert verdict.evidence.fidelity.estimate == pytest.approx(1.0, abs=0.01)
    assert max(verdict.evidence.accusations.values()) == 0.0


@pytest.mark.parametrize(
    ("change", "words", "sentence"),
    [
        (lambda key: "0" + key, {}, "a wrong width"),
        (lambda key: key, {"shots": 1999}, "more shots than were asked for"),
        (lambda key: key, {"shots": 5000}, "too few shots"),
    ],
)
def test_wrong_shapes_are_named(
    judged: Judge,
    sample: Callable[..., Answerer],
    change: Callable[[str], str],
    words: dict[str, object],
    sentence: str,
) -> None:
    def answer(rng: np.random.Generator, law: DenseLaw) -> dict[str, float]:
        return {change(key): n for key, n in sample()(rng, law).items()}

    verdict = judged(answer, **words)
    assert verdict.outcome is Outcome.MISCONFIGURED
    assert sentence in verdict.reason


def _probes() -> list[Program]:
    """Three product states of five qubits, written in native gates."""
    reads = tuple(measure(q, q) for q in range(5))
    return [
        Program(5, 5, (*(Operation("x", (q,)) for q in range(5) if pattern >> q & 1), *reads))
        for pattern in (0b11111, 0b01101, 0b10110)
    ]


def _answers(
    executed: Callable[..., Execution],
    sampled: Callable[..., dict[str, int]],
    programs: Sequence[Program],
    *,
    device: Device | None,
    seed: int,
    **noise: object,
) -> list[Execution]:
    rng = np.random.default_rng(seed)
    records: list[Execution] = []
    for program in programs:
        flips = sum(1 << op.qubits[0] for op in program.operations if op.name == "x")
        counts = sampled(rng, np.eye(32)[flips], shots=3000, **noise)
        records.append(executed(len(records), program, counts, device=device))
    return records


def test_readout_probes_test_average_twins_and_too_good_claims(
    reference: Reference,
    executed: Callable[..., Execution],
    sampled: Callable[..., dict[str, int]],
) -> None:
    chain = Topology(5, tuple((q, q + 1) for q in range(4)), ("cz", "rz", "sx", "x"))
    sheet = ErrorRates((0.001,) * 5, (0.01,) * 4, (0.04,) * 5)
    device = Device("lab", DeviceClass.QPU, chain, sheet, "records")
    down = [0.02, 0.1, 0.05, 0.15, 0.03]
    noisy = _answers(executed, sampled, _probes() * 6, device=device, seed=1, up=0.01, down=down)
    found = recorded_evidence(noisy, reference=reference)
    assert found.classes["average_twin"] > 6.0
    assert judge_recorded(found).outcome is not Outcome.FRAUD
    clean = _answers(executed, sampled, _probes() * 6, device=device, seed=1)
    verdict = judge_recorded(recorded_evidence(clean, reference=reference))
    assert verdict.outcome is Outcome.FRAUD


def test_circuits_without_a_law_are_counted_and_tested_for_integrity_alone(
    reference: Reference, executed: Callable[..., Execution]
) -> None:
    middle = Program(1, 2, (measure(0, 0), Operation("h", (0,)), measure(0, 1)))
    unknown = Execution(1, "text", 2, {"00": 7, "10": 3}, 10)
    records = [executed(0, middle, {"00": 5, "10": 5}), unknown]
    found = recorded_evidence(records, reference=reference)
    assert (found.without_reference, found.fidelities, found.classes) == (2, (None, None), {})
    verdict = judge_recorded(found)
    assert verdict.outcome is Outcome.UNVERIFIED
    assert verdict.evidence.estimator.startswith("none: no circuit")


def test_work_that_would_take_too_long_is_left_out(
    reference: Reference, random_program: Callable[..., Program], executed: Callable[..., Execution]
) -> None:
    programs = [random_program(seed, 4) for seed in range(3)]
    records = [executed(i, program, {"0000": 9, "0110": 9}) for i, program in enumerate(programs)]
    cost = len(programs[0].operations) << 4
    found = recorded_evidence(records, reference=reference, most_work=2 * cost)
    assert found.without_reference == 1
    assert found.fidelities[2] is None


def test_the_same_records_give_the_same_evidence(
    reference: Reference, random_program: Callable[..., Program], executed: Callable[..., Execution]
) -> None:
    def run() -> object:
        counts = {"0000": 90, "0110": 9, "1111": 1}
        records = [executed(i, random_program(i % 2, 4), counts) for i in range(4)]
        return recorded_evidence(records, reference=reference)

    assert run() == run()


def test_no_records_are_refused(reference: Reference) -> None:
    with pytest.raises(ValueError, match="at least one record"):
        recorded_evidence([], reference=reference)
