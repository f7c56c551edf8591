"""Each cheat's tell is in its counts, and nothing else tells it from the honest stand-in."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from scipy import stats

from circuits.case import KnownAnswer
from circuits.counts import Counts
from circuits.draws import Draws
from circuits.mirror import Mirror
from circuits.program import Operation, Program, measure
from providers import aer, cheats, standin
from providers.base import Context, Device, DeviceClass, Job, Json
from providers.cheats import CHEATS, sheet_fidelity
from providers.errors import Rejected
from providers.local import LocalProvider
from providers.snapshots import load

TOPOLOGY = load("hanoi").topology
CASE = Mirror().generate(b"cheats", width=8, depth=6, topology=TOPOLOGY)
ANSWER = CASE.answer.bits if isinstance(CASE.answer, KnownAnswer) else ""
READS = tuple(measure(q, q) for q in range(4))
QPUS = [kind for kind, entry in CHEATS.items() if entry.device_class is DeviceClass.QPU]
SIMULATORS = [kind for kind in CHEATS if kind not in QPUS]
SHAPELESS = {"slow_flaky", "truncated", "wrong_width"}


def ask(provider: LocalProvider, *programs: Program, shots: int, number: int = 1) -> list[Counts]:
    async def through() -> list[Counts]:
        handle = await provider.submit(Job(f"{number:064x}", "q", programs, shots))
        await provider.wait(handle)
        return [result.counts for result in (await provider.result(handle)).programs]

    try:
        return asyncio.run(through())
    finally:
        provider.close()


def cheat(kind: str, *, seed: bytes = b"seed") -> LocalProvider:
    return cheats.create({"kind": kind, "device": "q"}, Context(seed, lambda: 3))


def honest() -> LocalProvider:
    return standin.create({"device": "q"}, Context(b"seed", lambda: 3))


def described(provider: LocalProvider) -> Device:
    (device,) = asyncio.run(provider.devices())
    provider.close()
    return device


@pytest.mark.parametrize("kind", QPUS)
def test_a_cheat_claims_what_the_honest_standin_claims(kind: str) -> None:
    assert described(cheat(kind)) == described(honest())


@pytest.mark.parametrize("kind", SIMULATORS)
def test_a_cheating_simulator_claims_what_an_honest_one_claims(kind: str) -> None:
    options: dict[str, Json] = {"num_qubits": 9, "device": "q"}
    context = Context(b"seed", lambda: 3)
    fake = cheats.create({"kind": kind, **options}, context)
    assert described(fake) == described(aer.create(options, context))


@pytest.mark.parametrize("kind", CHEATS)
def test_every_cheat_says_its_lie_in_one_sentence(kind: str) -> None:
    assert CHEATS[kind].lie.startswith("It ")
    assert CHEATS[kind].lie.count(".") == 1


@pytest.mark.parametrize("kind", sorted(set(QPUS) - SHAPELESS))
def test_a_cheat_answers_every_shot(kind: str) -> None:
    (counts,) = ask(cheat(kind), CASE.program, shots=300)
    assert (counts.num_bits, counts.shots) == (8, 300)


@pytest.mark.parametrize("kind", sorted(set(QPUS) - {"slow_flaky"}))
def test_a_cheat_gives_one_job_the_same_counts_again(kind: str) -> None:
    assert ask(cheat(kind), CASE.program, shots=100) == ask(cheat(kind), CASE.program, shots=100)


def test_driven_directly_a_cheat_answers_as_through_a_job() -> None:
    direct = cheats.build({"kind": "white_noise", "device": "q"}, Context(b"seed", lambda: 3))
    draws = Draws(b"seed", "q", f"{1:064x}", 0)
    rows = direct.run(CASE.program, shots=100, draws=draws)
    assert ask(cheat("white_noise"), CASE.program, shots=100) == [Counts.from_rows(rows)]


def test_uniform_is_uniform() -> None:
    (counts,) = ask(cheat("uniform"), Program(27, 4, READS), shots=8_000)
    table = [counts.table.get(f"{k:04b}", 0) for k in range(16)]
    assert stats.chisquare(table).pvalue > 1e-6


def test_uniform_leaves_bits_that_nothing_writes_at_zero() -> None:
    (counts,) = ask(cheat("uniform"), Program(27, 4, READS[1:2]), shots=100)
    assert set(counts.table) == {"0000", "0010"}


def test_zeros_are_zeros() -> None:
    (counts,) = ask(cheat("zeros"), CASE.program, shots=50)
    assert counts.table == {"0" * 8: 50}


def test_replay_repeats_itself_whatever_is_asked_and_in_whatever_order() -> None:
    other = Program(27, 8, (Operation("x", (0,)), measure(0, 0)))
    narrow = Program(27, 4, READS)
    first = ask(cheat("replay"), CASE.program, narrow, other, shots=200)
    later = ask(cheat("replay"), other, narrow, CASE.program, shots=200, number=2)
    assert first[0] == first[2] == later[0] == later[2]
    assert first[1] == later[1] != first[0]
    assert len(first[0].table) > 1
    assert ask(cheat("replay", seed=b"other"), other, shots=200)[0] != first[0]


def test_replay_with_fewer_shots_is_the_beginning_of_the_recording() -> None:
    few, many = (ask(cheat("replay"), CASE.program, shots=n)[0] for n in (100, 200))
    assert all(many.table[bits] >= n for bits, n in few.table.items())


def test_noiseless_never_errs() -> None:
    (counts,) = ask(cheat("noiseless"), CASE.program, shots=2_000)
    assert counts.table == {ANSWER: 2_000}


def test_white_noise_is_right_at_the_promised_share_and_else_uniform() -> None:
    shots = 8_000
    (counts,) = ask(cheat("white_noise"), CASE.program, shots=shots)
    promised = sheet_fidelity(described(honest()), CASE.program)
    assert 0.3 < promised < 0.95
    right = counts.table[ANSWER]
    due = promised + (1 - promised) / 256
    assert stats.binomtest(right, shots, due).pvalue > 1e-6
    wrong = [counts.table.get(f"{k:08b}", 0) for k in range(256) if f"{k:08b}" != ANSWER]
    assert stats.chisquare(wrong).pvalue > 1e-6


def test_the_honest_standin_is_not_uniform_where_it_errs() -> None:
    (counts,) = ask(honest(), CASE.program, shots=8_000)
    wrong = [counts.table.get(f"{k:08b}", 0) for k in range(256) if f"{k:08b}" != ANSWER]
    assert stats.chisquare(wrong).pvalue < 1e-12


def test_reversed_returns_the_honest_shots_the_wrong_way_round() -> None:
    (wrong,) = ask(cheat("reversed"), CASE.program, shots=500)
    (right,) = ask(honest(), CASE.program, shots=500)
    assert wrong == right.reversed() != right


def test_the_sheet_promises_the_product_of_its_factors() -> None:
    device = described(honest())
    assert device.errors is not None
    edge = device.topology.edges[0]
    a, b = edge
    program = Program(
        27,
        1,
        (
            Operation("sx", (a,)),
            Operation("rz", (a,), (0.3,)),
            Operation("cx", edge),
            measure(b, 0),
        ),
    )
    product = (
        (1 - 1.5 * device.errors.one_qubit[a])
        * (1 - 1.25 * device.errors.two_qubit[0])
        * (1 - 1.5 * device.errors.readout[b])
    )
    assert sheet_fidelity(device, program) == pytest.approx(product, rel=1e-12)


def test_cheats_refuse_what_the_honest_standin_refuses() -> None:
    foreign = Program(27, 1, (Operation("h", (0,)), measure(0, 0)))
    for provider in (cheat("zeros"), honest()):
        with pytest.raises(Rejected):
            ask(provider, foreign, shots=10)


def test_an_unknown_kind_is_refused_with_the_known_ones() -> None:
    with pytest.raises(Rejected, match=r"average_twin, calibrated_twin, .* wrong_width, zeros"):
        cheats.create({"kind": "clever"}, Context(b"seed", lambda: 0))


def test_errors_of_a_reversal_are_those_of_the_machine() -> None:
    (wrong,) = ask(cheat("reversed"), CASE.program, shots=2_000)
    target = np.array([c == "1" for c in ANSWER])
    assert np.mean(wrong.rows() != target) < 0.2
