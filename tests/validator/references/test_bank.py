"""Banks: answers injected with a known fidelity; levels against a dense law; lies about a bank."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from circuits.gates import GATES
from circuits.program import Program
from circuits.random_all import RandomAll
from circuits.topology import complete
from validator.estimators.xeb import likelihood_xeb
from validator.references.bank import (
    CUTS,
    BankAnswer,
    BankEntry,
    bank_circuit,
    bank_exactness,
    bank_fidelity,
    entry_from,
    entry_text,
    levels_digest,
    levels_of,
    sorted_answer,
)
from validator.references.bank_subset import draw_subset
from validator.references.statevector import statevector

WIDTH = 12
KEY = b"a bank's own key"


def made(kept: int) -> tuple[BankEntry, NDArray[np.uint8], NDArray[np.float64]]:
    """An entry of 12 qubits, its levels, and the whole law by our own statevector."""
    program = RandomAll().generate(KEY, width=WIDTH, depth=16, topology=complete(WIDTH, GATES_USED))
    gates = tuple(op for op in program.program.operations if op.name in GATES)
    state = statevector(Program(WIDTH, WIDTH, gates))
    levels, strings, weights = levels_of(state, draw_subset(KEY, bits=WIDTH, kept=kept))
    entry = BankEntry(
        index=0,
        key=KEY,
        qubits=WIDTH,
        depth=16,
        gates=GATES_USED,
        program_digest=program.program.digest,
        kept_bits=kept,
        strings=strings,
        weights=weights,
        levels_digest=levels_digest(levels),
        deadline_s=60.0,
        engine="dense",
    )
    return entry, levels, np.abs(state) ** 2


GATES_USED = ("cx", "u")
ENTRY, LEVELS, LAW = made(WIDTH)
HALF, HALF_LEVELS, _ = made(WIDTH - 1)


def answered(law: NDArray[np.float64], *, shots: int, seed: int) -> dict[str, int]:
    seen = np.random.default_rng(seed).multinomial(shots, law / law.sum())
    return {f"{i:0{WIDTH}b}": int(seen[i]) for i in np.flatnonzero(seen)}


def mixed(fidelity: float) -> NDArray[np.float64]:
    return fidelity * LAW + (1 - fidelity) / LAW.size


def test_every_string_has_the_level_of_its_probability() -> None:
    expected = np.digitize(LAW * LAW.size, CUTS)
    for level in range(4):
        strings = np.flatnonzero(expected == level)
        answer = sorted_answer(ENTRY, LEVELS, {f"{index:0{WIDTH}b}": 1 for index in strings})
        assert answer.hits[level] == len(strings) == answer.shots > 0


def test_shares_and_weights_are_those_of_the_levels() -> None:
    level = np.digitize(LAW * LAW.size, CUTS)
    assert ENTRY.strings == tuple(int((level == k).sum()) for k in range(4))
    assert ENTRY.weights == pytest.approx([LAW[level == k].sum() for k in range(4)])
    # A deep random circuit: the heavy list has about a fifth of the strings and f (1 + ln(1/f)) of
    # the weight (Porter-Thomas); 4096 strings spread by .006.
    assert ENTRY.heavy_share == pytest.approx(0.2, abs=0.03)
    assert ENTRY.weights[-1] == pytest.approx(0.2 * (1 + math.log(5)), abs=0.04)


@pytest.mark.parametrize("truth", [0.0, 0.3, 1.0])
def test_the_heavy_list_finds_the_fidelity_that_was_put_in(truth: float) -> None:
    # 100 answers: a nominal 95 % interval covers fewer than 88 of them once in a thousand runs.
    covered, estimates = 0, []
    for seed in range(100):
        answer = sorted_answer(ENTRY, LEVELS, answered(mixed(truth), shots=4000, seed=seed))
        found = bank_fidelity(ENTRY, answer)
        covered += found.low <= truth <= found.high
        estimates.append(found.estimate)
    assert covered >= 88
    deviation = 1.6 / math.sqrt(4000)
    assert np.mean(estimates) == pytest.approx(truth, abs=5 * deviation / math.sqrt(100))
    assert np.std(estimates) < 1.25 * deviation


def test_a_secret_half_of_the_strings_counts_half_of_the_shots() -> None:
    answer = sorted_answer(HALF, HALF_LEVELS, answered(mixed(0.6), shots=40_000, seed=4))
    assert answer.shots == 40_000
    assert answer.counted == pytest.approx(20_000, abs=1500)  # a small law: its halves differ
    assert bank_fidelity(HALF, answer).estimate == pytest.approx(0.6, abs=0.06)


def test_four_levels_bound_exactness_more_sharply_than_the_list_alone() -> None:
    sharp, plain = [], []
    for seed in range(40):
        answer = sorted_answer(ENTRY, LEVELS, answered(LAW, shots=20_000, seed=seed))
        sharp.append(bank_exactness(ENTRY, answer).low)
        plain.append(bank_fidelity(ENTRY, answer).low)
    assert np.median(sharp) > 0.985
    assert 1 - np.median(plain) > 2 * (1 - np.median(sharp))


def test_a_nearly_exact_simulator_is_not_taken_for_an_exact_one() -> None:
    bounds = [
        bank_exactness(
            ENTRY, sorted_answer(ENTRY, LEVELS, answered(mixed(0.95), shots=20_000, seed=seed))
        )
        for seed in range(40)
    ]
    assert sum(bound.low < 0.99 for bound in bounds) >= 39
    assert sum(bound.low <= 0.95 <= bound.high for bound in bounds) >= 35


def test_low_bond_dimension_shows() -> None:
    # A matrix product state that keeps the 8 of 64 largest Schmidt values of the middle cut.
    state = np.sqrt(LAW).reshape(64, 64)
    left, values, right = np.linalg.svd(state)
    cut = np.abs((left[:, :8] * values[:8]) @ right[:8]).reshape(-1) ** 2
    answer = sorted_answer(ENTRY, LEVELS, answered(cut, shots=4000, seed=3))
    assert bank_fidelity(ENTRY, answer).high < 0.9


def test_chance_has_no_fidelity() -> None:
    uniform = np.full(LAW.size, 1 / LAW.size)
    answer = sorted_answer(ENTRY, LEVELS, answered(uniform, shots=4000, seed=5))
    found = bank_fidelity(ENTRY, answer)
    assert found.low <= 0.0 <= found.high
    assert bank_exactness(ENTRY, answer).high < 0.1


def test_entries_of_a_bank_are_pooled_by_their_likelihood() -> None:
    answers = [
        sorted_answer(ENTRY, LEVELS, answered(mixed(0.5), shots=3000, seed=seed))
        for seed in range(4)
    ]
    pooled = likelihood_xeb([bank_circuit(ENTRY, answer) for answer in answers])
    assert pooled.low <= 0.5 <= pooled.high
    assert pooled.high - pooled.low < 0.15


def test_no_shot_says_nothing() -> None:
    nothing = sorted_answer(ENTRY, LEVELS, {})
    assert nothing == BankAnswer(0, (0, 0, 0, 0))
    for interval in (bank_fidelity(ENTRY, nothing), bank_exactness(ENTRY, nothing)):
        assert (interval.low, interval.estimate, interval.high) == (0.0, 0.5, 1.0)


def test_strings_of_another_width_are_refused() -> None:
    with pytest.raises(ValueError, match="need strings of 12 bits, got '01'"):
        sorted_answer(ENTRY, LEVELS, {"01": 1})


def test_levels_of_another_entry_are_refused() -> None:
    with pytest.raises(ValueError, match="need 1024 bytes of levels, got 512"):
        sorted_answer(ENTRY, HALF_LEVELS, {})


def test_an_entry_draws_its_circuit_again_and_knows_if_it_is_another() -> None:
    assert ENTRY.case().program.digest == ENTRY.program_digest
    with pytest.raises(ValueError, match="the software differs"):
        replace(ENTRY, key=b"another").case()


def test_an_entry_is_read_as_it_was_written() -> None:
    assert entry_from(entry_text(ENTRY)) == ENTRY
    assert KEY.hex() not in repr(ENTRY)
    assert str(KEY) not in repr(ENTRY)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"depth":16', '"deep":16'),
        ("qsubnet-bank-entry/1", "qsubnet-bank-entry/2"),
        ('"deadline_s":60.0', '"deadline_s":0.0'),
        ('"kept_bits":12', '"kept_bits":11'),
        ('"weights":[', '"weights":[0.5,'),
    ],
)
def test_a_text_that_is_no_entry_is_refused(old: str, new: str) -> None:
    text = entry_text(ENTRY)
    assert old in text
    with pytest.raises(ValueError, match="need"):
        entry_from(text.replace(old, new))
