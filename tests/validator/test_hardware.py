"""E_hw: exact expectations under each null, and what each kind of device rejects.

The worlds (an honest stand-in, and each cheap simulator) are those of conftest.py.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from circuits.draws import Draws
from validator.answers import AnswerKind, KnownShots, known_shots
from validator.hardware import (
    CHEAP_CLASSES,
    CIRCUIT_MOST,
    HARDWARE_LOG10,
    HARDWARE_MOST,
    HardwareFold,
    SimulatorClass,
    hardware_evidence,
    not_rejected,
)
from validator.simulators.against_flips import (
    PERMUTATIONS,
    IndependentFlips,
    pair_counts,
    shifted_tables,
)
from validator.simulators.against_noise import Noiseless, Uniform, WhiteNoise
from validator.simulators.against_twin import AverageTwin

Rows = NDArray[np.bool_]
Every = Callable[..., Iterator[tuple[Rows, KnownShots]]]
Epochs = Callable[..., list[KnownShots]]


def _past(kind: AnswerKind, *, target: str) -> KnownShots:
    width = len(target)
    wrong = format(int(target, 2) ^ 1, f"0{width}b")
    return known_shots(
        {target: 700, wrong: 300}, target=target, qubits=tuple(range(width)), kind=kind, label="p"
    )


@pytest.mark.parametrize("kept", [0.0, 0.4, 1.0])
def test_white_noise_of_any_strength_earns_at_most_1(kept: float, every_answer: Every) -> None:
    before = WhiteNoise().after(_past(AnswerKind.MIRROR, target="011"))
    mean = 0.0
    for wrong, job in every_answer(width=3, shots=2, kind=AnswerKind.MIRROR, target="110"):
        chances = np.where(wrong.any(axis=1), (1 - kept) / 8, kept + (1 - kept) / 8)
        mean += float(chances.prod()) * 10 ** (before.after(job).log10_e - before.log10_e)
    assert mean == pytest.approx(1.0, abs=1e-6)


def test_uniform_bits_earn_exactly_1(every_answer: Every) -> None:
    before = Uniform().after(_past(AnswerKind.MIRROR, target="01"))
    answers = every_answer(width=2, shots=3, kind=AnswerKind.MIRROR, target="10")
    gains = [10 ** (before.after(job).log10_e - before.log10_e) for _, job in answers]
    assert math.fsum(gains) / 64 == pytest.approx(1.0, abs=1e-6)


def test_a_noiseless_simulator_earns_at_most_1() -> None:
    state = Noiseless()
    for _ in range(5):
        perfect = {"0101": 100}
        job = known_shots(
            perfect, target="0101", qubits=(0, 1, 2, 3), kind=AnswerKind.READOUT, label="x"
        )
        assert state.after(job).log10_e <= state.log10_e
        state = state.after(job)


@pytest.mark.parametrize("rates", [(0.05, 0.05), (0.3, 0.1), (0.0, 0.5), (1.0, 0.0)])
def test_the_average_twin_earns_at_most_1(rates: tuple[float, float], every_answer: Every) -> None:
    before = AverageTwin().after(_past(AnswerKind.READOUT, target="011"))
    bits = np.array([1, 1, 0])
    flips = np.where(bits == 1, rates[1], rates[0])
    mean = 0.0
    for wrong, job in every_answer(width=3, shots=3, kind=AnswerKind.READOUT, target="011"):
        chance = float(np.where(wrong, flips, 1 - flips).prod())
        mean += chance * 10 ** (before.after(job).log10_e - before.log10_e)
    assert mean <= 1.0 + 1e-6


@pytest.mark.parametrize("better", [2, 4])
def test_a_machine_whose_readout_got_better_stays_told_from_the_average_twin(better: int) -> None:
    rng = np.random.default_rng([95, better])
    rates = rng.lognormal(math.log(0.02), 0.6, 16)
    fold = HardwareFold.start(Draws(b"key"))
    for epoch in range(120):
        now = rates if epoch < 60 else rates / better
        for target, shots in (("01" * 8, 150), ("10" * 8, 150), ("1" * 15 + "0", 600)):
            wrong = rng.random((shots, 16)) < now
            keys = Counter("".join("01"[bit] for bit in row[::-1]) for row in wrong.astype(int))
            turned = {format(int(key, 2) ^ int(target, 2), "016b"): n for key, n in keys.items()}
            fold = fold.after(
                known_shots(
                    turned,
                    target=target,
                    qubits=tuple(range(16)),
                    kind=AnswerKind.READOUT,
                    label=f"{epoch} {target}",
                )
            )
        if epoch >= 10:
            assert fold.log10_e[SimulatorClass.AVERAGE_TWIN] >= 6


def _flipped(rng: np.random.Generator, *, label: str) -> KnownShots:
    rows = rng.random((40, 4)) < np.array([0.3, 0.5, 0.4, 0.2])
    keys = ["".join("1" if bit else "0" for bit in row[::-1]) for row in rows]
    return known_shots(
        {key: keys.count(key) for key in set(keys)},
        target="0000",
        qubits=(0, 1, 2, 3),
        kind=AnswerKind.MIRROR,
        label=label,
    )


def test_independent_flips_earn_at_most_1_on_average() -> None:
    rng, draws = np.random.default_rng(91), Draws(b"key")
    past = IndependentFlips(draws).after(_flipped(rng, label="past"))
    gains = np.array(
        [10 ** (past.after(_flipped(rng, label=f"{i}")).log10_e - past.log10_e) for i in range(300)]
    )
    # The gain is bounded by 90; its own spread bounds the mean's error.
    assert gains.mean() <= 1.0 + 5 * gains.std() / math.sqrt(len(gains))
    assert gains.std() > 0.3


def test_shifted_tables_keep_every_column_and_break_every_tie() -> None:
    rng = np.random.default_rng(92)
    shared = rng.random(400) < 0.3
    errors = np.repeat(shared[:, None], 3, axis=1).astype(np.uint8)
    expected = 400 * shared.mean() ** 2
    tables = np.concatenate(list(shifted_tables(errors, draws=Draws(b"k"), times=50)))
    assert len(tables) == 50
    assert all((table.sum(axis=0) == errors.sum(axis=0)).all() for table in tables)
    pairs = [int(pair_counts(table)[0, 1]) for table in tables]
    assert int(pair_counts(errors)[0, 1]) == shared.sum()
    assert np.mean(pairs) == pytest.approx(expected, rel=0.1)


def test_shifted_tables_are_the_same_on_every_machine() -> None:
    errors = (np.arange(60).reshape(20, 3) % 7 == 0).astype(np.uint8)
    tables = shifted_tables(errors, draws=Draws(b"key", "permutations"), times=5)
    digest = hashlib.sha256(b"".join(np.ascontiguousarray(t).tobytes() for t in tables))
    assert digest.hexdigest()[:16] == "c04d1e212416efcc"


@pytest.mark.parametrize("seed", range(4))
def test_an_honest_device_rejects_every_class_in_three_epochs(
    seed: int, three_epochs: Epochs
) -> None:
    evidence = hardware_evidence(three_epochs("honest", seed=seed), draws=Draws(b"key", seed))
    # No deep mirror of many shots is in this world, so the blend alone may take longer to reject.
    assert set(not_rejected(evidence)) <= {SimulatorClass.BLEND}
    assert tuple(evidence) == (*CHEAP_CLASSES, SimulatorClass.STATIC_TWIN)


@pytest.mark.parametrize(
    "kind", ["uniform", "noiseless", "white_noise", "independent_flips", "average_twin"]
)
def test_each_simulator_fails_to_reject_its_own_class(kind: str, three_epochs: Epochs) -> None:
    for seed in range(2):
        evidence = hardware_evidence(three_epochs(kind, seed=seed), draws=Draws(b"key", seed))
        assert SimulatorClass(kind) in not_rejected(evidence)
        assert evidence[SimulatorClass(kind)] < 1.0


def test_white_noise_is_never_rejected_for_ideal_plus_white_noise(three_epochs: Epochs) -> None:
    for seed in range(5):
        state = WhiteNoise()
        for job in three_epochs("white_noise", seed=seed):
            state = state.after(job)
            assert state.log10_e < HARDWARE_LOG10 / 2


def test_one_circuit_weighs_less_than_the_number_of_permutations(three_epochs: Epochs) -> None:
    mirrors = [j for j in three_epochs("honest", seed=1) if j.kind is AnswerKind.MIRROR]
    state = IndependentFlips(Draws(b"key"))
    for job in mirrors[:3]:
        after = state.after(job)
        assert after.log10_e - state.log10_e <= math.log10(PERMUTATIONS + 1)
        state = after


def test_the_same_answers_give_the_same_evidence(three_epochs: Epochs) -> None:
    first = hardware_evidence(three_epochs("honest", seed=5)[:9], draws=Draws(b"key"))
    second = hardware_evidence(three_epochs("honest", seed=5)[:9], draws=Draws(b"key"))
    other = hardware_evidence(three_epochs("honest", seed=5)[:9], draws=Draws(b"other"))
    drawn = {SimulatorClass.INDEPENDENT_FLIPS, SimulatorClass.BLEND}
    assert first == second
    assert {k: v for k, v in first.items() if k not in drawn} == {
        k: v for k, v in other.items() if k not in drawn
    }


def test_a_later_fake_loses_the_label(three_epochs: Epochs) -> None:
    honest, fake = three_epochs("honest", seed=3), three_epochs("white_noise", seed=3)
    fold = HardwareFold.start(Draws(b"key"))
    for job in honest:
        fold = fold.after(job)
    assert set(not_rejected(fold.log10_e)) <= {SimulatorClass.BLEND}
    assert max(fold.log10_e[name] for name in CHEAP_CLASSES) <= HARDWARE_MOST
    for job in [replace(job, label=f"later {job.label} {k}") for k in range(8) for job in fake]:
        fold = fold.after(job)
    assert set(not_rejected(fold.log10_e)) > {SimulatorClass.BLEND}


def test_no_answers_reject_nothing() -> None:
    assert not_rejected(hardware_evidence([], draws=Draws(b"key"))) == CHEAP_CLASSES


def test_one_circuit_rules_out_no_class() -> None:
    # A noiseless simulator's null is broken beyond all doubt by such an answer.
    job = _past(AnswerKind.READOUT, target="0110")
    found = hardware_evidence([job], draws=Draws(b"key"))
    assert max(found[name] for name in CHEAP_CLASSES) == CIRCUIT_MOST < HARDWARE_LOG10


def test_two_circuits_of_one_label_are_refused() -> None:
    job = _past(AnswerKind.READOUT, target="01")
    with pytest.raises(ValueError, match="distinct labels, got 'p' twice"):
        hardware_evidence([job, job], draws=Draws(b"key"))
