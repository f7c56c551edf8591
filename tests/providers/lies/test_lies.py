"""What each lie gives away, or does not: known shares, symmetries and equalities."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from circuits.case import Case
from circuits.counts import Counts
from circuits.draws import Draws
from circuits.program import Operation, Program, barrier, measure
from providers.base import Context, Json
from providers.cheats import CHEATS, Fake, build
from providers.errors import JobFailed, Rejected
from providers.lies.promise import sheet_fidelity, sheet_flips
from providers.lies.recognising import is_fenced, is_palindrome
from providers.lies.tampering import apportioned
from providers.lies.twins import averaged
from providers.snapshots import load
from providers.standin import StandIn

Bits = NDArray[np.uint8]
Made = Callable[..., Fake]
Ran = Callable[..., Bits]
Wrong = Callable[[Case, Bits], NDArray[np.bool_]]
Xeb = Callable[[Case, Bits], float]

ONES = Program(
    27,
    27,
    (*(Operation("x", (q,)) for q in range(27)), *(measure(q, q) for q in range(27))),
)
ZEROS = Program(27, 27, tuple(measure(q, q) for q in range(27)))


def test_independent_flips_come_at_the_sheets_rates_and_alone(
    made: Made, ran: Ran, machine: StandIn, mirror: Case, wrong: Wrong
) -> None:
    errors = wrong(mirror, ran(made("independent_flips"), mirror.program, shots=40_000))
    for bit, due in sheet_flips(machine.device, mirror.program).items():
        assert stats.binomtest(int(errors[:, bit].sum()), len(errors), due).pvalue > 1e-6
    # Independent: no pair of bits errs together more often than chance (5 sigma of 15 pairs).
    links = np.corrcoef(errors.T) - np.eye(6)
    assert np.abs(links).max() < 5 / np.sqrt(len(errors))
    honest = wrong(mirror, machine.run(mirror.program, shots=40_000, draws=Draws(b"h")))
    assert (np.corrcoef(honest.T) - np.eye(6)).max() > 10 / np.sqrt(len(errors))


def test_independent_flips_keep_about_what_the_sheet_promises(
    machine: StandIn, mirror: Case
) -> None:
    # For hits a readout counts 1 - e, not 1 - 3e/2.
    assert machine.device.errors is not None
    read = [machine.device.errors.readout[q] for q in mirror.qubits]
    promised = sheet_fidelity(machine.device, mirror.program) * np.prod(
        [(1 - e) / (1 - 1.5 * e) for e in read]
    )
    flips = sheet_flips(machine.device, mirror.program)
    right = np.prod([1 - flip for flip in flips.values()])
    assert right == pytest.approx(promised, abs=0.03)


def test_an_average_twin_reads_ones_and_zeros_and_all_qubits_alike(
    made: Made, ran: Ran, machine: StandIn
) -> None:
    rates = averaged(machine)
    pulse = 2 / 3 * rates.one_qubit[0]
    read = rates.read_0_given_1[0]
    fake = made("average_twin")
    low = ran(fake, ZEROS, shots=20_000).sum(axis=0)
    high = 20_000 - ran(fake, ONES, shots=20_000).sum(axis=0, dtype=np.int64)
    for seen, due in ((low, read), (high, read * (1 - pulse) + (1 - read) * pulse)):
        score = np.sum((seen - 20_000 * due) ** 2) / (20_000 * due * (1 - due))
        assert stats.chi2.sf(score, 27) > 1e-6


def test_a_calibrated_twin_has_the_true_rates_of_epoch_0_and_keeps_them(
    made: Made, ran: Ran, machine: StandIn
) -> None:
    due = np.array(machine.rates(0).read_1_given_0)
    assert ran(made("calibrated_twin", epoch=0), ZEROS).tolist() == (
        ran(made("calibrated_twin", epoch=50), ZEROS).tolist()
    )
    seen = ran(made("calibrated_twin", epoch=50), ZEROS, shots=50_000).sum(axis=0)
    score = np.sum((seen - 50_000 * due) ** 2 / (50_000 * due * (1 - due)))
    assert stats.chi2.sf(score, 27) > 1e-6


def test_a_drifting_twin_starts_at_the_truth_and_walks_elsewhere(
    made: Made, ran: Ran, machine: StandIn
) -> None:
    def logs(epoch: int) -> NDArray[np.float64]:
        ones = ran(made("drifting_twin", epoch=epoch), ONES, shots=100_000)
        return np.asarray(np.log(1 - ones.mean(axis=0)), dtype=np.float64)

    def truth(epoch: int) -> NDArray[np.float64]:
        return np.asarray(np.log(machine.rates(epoch).read_0_given_1), dtype=np.float64)

    assert np.abs(logs(0) - truth(0)).max() < 0.15  # a pulse's error, and shots
    # Both forget epoch 0 (.9 ** 60 = .002), so that later steps have nothing in common.
    walked, real = logs(100) - logs(60), truth(100) - truth(60)
    assert 0.5 < walked.std() / real.std() < 2
    assert abs(np.corrcoef(walked, real)[0, 1]) < 0.6  # 27 qubits: 3 sigma


def test_twins_have_crosstalk_only_where_it_is_asked_for(made: Made, ran: Ran) -> None:
    def together(**own: Json) -> float:
        errors = ran(made("calibrated_twin", world="crosstalk", **own), ZEROS, shots=100_000)
        links = np.corrcoef(errors.T) - np.eye(27)
        return float(links.max())

    assert together() < 5 / np.sqrt(100_000) < together(crosstalk=1)


def test_a_substitute_is_worse_than_the_machine_it_names(
    made: Made, ran: Ran, machine: StandIn, mirror: Case, wrong: Wrong
) -> None:
    honest = wrong(mirror, machine.run(mirror.program, shots=4_000, draws=Draws(b"h"))).any(axis=1)
    worse = wrong(mirror, ran(made("substituted"), mirror.program)).any(axis=1)
    twice = wrong(mirror, ran(made("substituted", factor=2.0), mirror.program)).any(axis=1)
    assert worse.mean() > twice.mean() > 1.3 * honest.mean()


def test_a_smaller_device_makes_up_the_qubits_that_it_has_not(made: Made, ran: Ran) -> None:
    program = Program(
        27,
        4,
        (
            Operation("x", (1,)),
            Operation("x", (20,)),
            measure(1, 0),
            measure(20, 1),
            measure(2, 2),
            measure(22, 3),
        ),
    )
    means = ran(made("smaller_device", width=20), program).mean(axis=0)
    assert means[0] > 0.8
    assert means[2] < 0.2
    assert means[[1, 3]] == pytest.approx(0.5, abs=0.05)
    rows = ran(made("smaller_device", width=20, beyond="repeated"), program)
    assert np.array_equal(rows[:, 3], rows[:, 2])  # 22 mod 20
    assert rows[:, 1].mean() == pytest.approx(0.5, abs=0.05)  # 0 is not measured


def test_heavy_strings_score_what_the_sheet_promises_and_collide_too_often(
    made: Made, ran: Ran, machine: StandIn, brickwork: Case, xeb: Xeb
) -> None:
    rows = ran(made("heavy_strings"), brickwork.program, shots=20_000)
    promised = sheet_fidelity(machine.device, brickwork.program)
    assert xeb(brickwork, rows) == pytest.approx(promised, abs=0.05)
    table = np.array(list(Counts.from_rows(rows).table.values()))
    collisions = 64 * np.sum(table * (table - 1)) / (20_000 * 19_999) - 1
    honest = machine.run(brickwork.program, shots=20_000, draws=Draws(b"h"))
    fair = np.array(list(Counts.from_rows(honest).table.values()))
    ratio = collisions / (64 * np.sum(fair * (fair - 1)) / (20_000 * 19_999) - 1)
    assert ratio > 1.1


def test_a_clifford_engine_is_right_on_cliffords_and_wrong_on_others(
    made: Made, ran: Ran, mirror: Case, brickwork: Case, wrong: Wrong, xeb: Xeb
) -> None:
    assert wrong(mirror, ran(made("clifford_only"), mirror.program)).any(axis=1).mean() < 0.5
    assert xeb(brickwork, ran(made("clifford_only"), brickwork.program)) < 0.4
    assert not wrong(mirror, ran(made("clifford_simulator"), mirror.program)).any()
    assert xeb(brickwork, ran(made("clifford_simulator"), brickwork.program)) < 0.5


def test_a_selective_cheat_is_honest_where_it_feels_watched(
    made: Made, ran: Ran, mirror: Case, brickwork: Case, wrong: Wrong, xeb: Xeb
) -> None:
    fake = made("selective")
    assert wrong(mirror, ran(fake, mirror.program)).any(axis=1).mean() < 0.5
    assert abs(xeb(brickwork, ran(fake, brickwork.program))) < 0.1
    fenced = made("selective", recognises="fences")
    assert xeb(brickwork, ran(fenced, brickwork.program)) > 0.4


def test_a_mirror_solver_knows_mirrors_only(
    made: Made, ran: Ran, mirror: Case, brickwork: Case, wrong: Wrong, xeb: Xeb
) -> None:
    assert wrong(mirror, ran(made("mirror_solver"), mirror.program)).any(axis=1).mean() < 0.5
    assert abs(xeb(brickwork, ran(made("mirror_solver"), brickwork.program))) < 0.1


def test_palindromes_and_fences_are_recognised(mirror: Case, brickwork: Case, probe: Case) -> None:
    cases = (mirror, brickwork, probe)
    assert [is_palindrome(case.program) for case in cases] == [True, False, True]
    assert all(is_fenced(case.program) for case in cases)
    loose = Program(27, 1, (Operation("x", (0,)), barrier([1]), measure(0, 0)))
    assert not is_fenced(loose)


def test_rounded_counts_never_change_and_spread_less_than_shots(
    made: Made, ran: Ran, brickwork: Case
) -> None:
    one, other = (ran(made("rounded", epoch=e), brickwork.program, shots=1_000) for e in (1, 2))
    assert Counts.from_rows(one) == Counts.from_rows(other)
    # Against the law (many shots): chi2 / df is 1 for shots, 1/16 here but for rounding.
    law = ran(made("average_twin"), brickwork.program, shots=30_000)
    due = Counts.from_rows(law).table
    seen = Counts.from_rows(one).table
    common = [key for key, n in due.items() if n >= 300]
    score = sum((seen.get(k, 0) - due[k] / 30) ** 2 / (due[k] / 30) for k in common) / len(common)
    assert score < 0.3


@pytest.mark.parametrize("shots", [1, 7, 100])
def test_apportioned_counts_are_within_one_of_their_due_and_sum_up(shots: int) -> None:
    shares = np.random.default_rng(shots).dirichlet(np.ones(30)) * shots
    counts = apportioned(shares, shots, Draws(b"key"))
    assert counts.sum() == shots
    assert np.all(np.abs(counts - shares) < 1)


def test_scaled_counts_are_multiples_of_ten(made: Made, ran: Ran, mirror: Case) -> None:
    table = Counts.from_rows(ran(made("scaled"), mirror.program, shots=500)).table
    assert len(table) > 1
    assert {n % 10 for n in table.values()} == {0}
    assert ran(made("scaled"), mirror.program, shots=37).shape == (37, 6)


def test_picked_shots_are_better_than_the_machine(
    made: Made, ran: Ran, machine: StandIn, mirror: Case, brickwork: Case, wrong: Wrong, xeb: Xeb
) -> None:
    honest = machine.run(mirror.program, shots=4_000, draws=Draws(b"h"))
    picked = ran(made("post_selected"), mirror.program)
    assert wrong(mirror, picked).sum() < wrong(mirror, honest).sum() / 4
    fair = machine.run(brickwork.program, shots=4_000, draws=Draws(b"h"))
    assert (
        xeb(brickwork, ran(made("post_selected"), brickwork.program)) > xeb(brickwork, fair) + 0.3
    )


@pytest.mark.parametrize("fake", ["noiseless", "uniform", "white_noise"])
def test_honesty_ends_at_its_epoch(fake: str, made: Made, ran: Ran, mirror: Case) -> None:
    def at(epoch: int) -> list[list[int]]:
        own: dict[str, Json] = {"turns_at": 5, "fake": fake}
        rows = ran(made("honest_then_fake", epoch=epoch, **own), mirror.program, shots=200)
        return [[int(bit) for bit in row] for row in rows]

    before = StandIn(load("hanoi"), "hanoi", Context(b"seed", lambda: 4))
    honest = before.run(mirror.program, shots=200, draws=Draws(b"job"))
    assert at(4) == honest.tolist()
    assert at(5) == ran(made(fake, epoch=5), mirror.program, shots=200).tolist()


def test_colluders_give_one_program_one_answer_and_share_a_machine(
    made: Made, mirror: Case, probe: Case
) -> None:
    def shots(kind: str, seed: bytes, job: bytes, program: Program, ring: str = "a") -> Bits:
        fake = made(kind, seed=seed, ring=ring)
        return fake.run(program, shots=3_000, draws=Draws(job))

    one, other, stranger = (
        shots("colluders", seed, seed, mirror.program, ring)
        for seed, ring in ((b"1", "a"), (b"2", "a"), (b"1", "b"))
    )
    assert np.array_equal(one, other)
    assert not np.array_equal(one, stranger)
    first, second = (shots("one_device", seed, seed, probe.program) for seed in (b"1", b"2"))
    assert not np.array_equal(first, second)
    spread = np.sqrt(2 * np.maximum(first.mean(axis=0) * (1 - first.mean(axis=0)), 1e-3) / 3_000)
    assert np.abs((first.mean(axis=0) - second.mean(axis=0)) / spread).max() < 5


def test_mistakes_are_re_orderings_of_honest_shots(
    made: Made, ran: Ran, machine: StandIn, probe: Case
) -> None:
    honest = machine.run(probe.program, shots=200, draws=Draws(b"job"))
    assert np.array_equal(ran(made("reversed"), probe.program, shots=200), honest[:, ::-1])
    moved = ran(made("permuted"), probe.program, shots=200)
    assert sorted(map(bytes, moved.T)) == sorted(map(bytes, honest.T))
    assert not np.array_equal(moved, honest)
    halves = ran(made("swapped_registers"), probe.program, shots=200)
    assert np.array_equal(halves, np.hstack([honest[:, 13:], honest[:, :13]]))
    assert np.array_equal(ran(made("truncated"), probe.program, shots=200), honest[:150])
    wide = ran(made("wrong_width"), probe.program, shots=200)
    assert np.array_equal(wide[:, :27], honest)
    assert wide.shape == (200, 28)


def test_one_permutation_holds_for_every_program_of_a_width(made: Made, ran: Ran) -> None:
    # A lone 1 on each qubit in turn: where it shows is where that bit goes.
    places = []
    for qubit in range(5):
        program = Program(27, 5, (Operation("x", (qubit,)), *(measure(q, q) for q in range(5))))
        places.append(int(ran(made("permuted"), program, shots=300).mean(axis=0).argmax()))
    assert sorted(places) == list(range(5))
    assert places != list(range(5))


def test_a_flaky_device_fails_at_its_rate_with_the_backends_error(made: Made) -> None:
    fake, failed = made("slow_flaky"), 0
    for job in range(300):
        try:
            fake.run(Program(27, 1, (measure(0, 0),)), shots=1, draws=Draws(b"flaky", job))
        except JobFailed:
            failed += 1
    assert stats.binomtest(failed, 300, 0.2).pvalue > 1e-6
    with pytest.raises(JobFailed, match="lost their connection"):
        made("slow_flaky", share=1.0).run(ZEROS, shots=1, draws=Draws(b"x"))


def test_half_broken_means_a_fixed_share_of_the_qubits(made: Made, ran: Ran) -> None:
    broken = [
        set(np.flatnonzero(ran(made("half_broken", epoch=e), ZEROS).mean(axis=0) > 0.25).tolist())
        for e in (1, 9)
    ]
    assert broken[0] == broken[1]
    assert len(broken[0]) == round(0.25 * 27)


def test_mistakes_and_honest_devices_are_marked_and_never_both() -> None:
    mistakes = {kind for kind, cheat in CHEATS.items() if cheat.mistake}
    honest = {kind for kind, cheat in CHEATS.items() if cheat.honest}
    assert mistakes == {"permuted", "reversed", "swapped_registers", "truncated", "wrong_width"}
    assert honest == {"half_broken", "slow_flaky"}


def test_an_option_of_another_kind_is_refused() -> None:
    context = Context(b"seed", lambda: 0)
    with pytest.raises(Rejected, match="no option 'bond'"):
        build({"kind": "uniform", "bond": 3}, context)
    with pytest.raises(Rejected, match="no option 'machine'"):
        build({"kind": "low_bond_mps", "machine": "hanoi"}, context)
