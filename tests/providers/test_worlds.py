"""Worlds: each does to an honest device what its sentence says."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from circuits.draws import Draws
from circuits.mirror import Mirror
from circuits.program import Program, measure
from providers.base import Context
from providers.errors import JobFailed
from providers.noise import place
from providers.snapshots import load
from providers.standin import StandIn, build
from providers.worlds import WORLDS, World

TORINO = load("torino")
FINE = np.array(TORINO.errors.readout) < 0.03
ZEROS = Program(27, 27, tuple(measure(q, q) for q in range(27)))


def device(world: str, *, machine: str = "torino", epoch: int = 0) -> StandIn:
    return build({"machine": machine, "world": world}, Context(b"seed", lambda: epoch))


def logs(world: str, epochs: range) -> NDArray[np.float64]:
    machine = device(world)
    both = [(r.read_0_given_1, r.read_1_given_0) for r in map(machine.rates, epochs)]
    return np.asarray(np.log(np.mean(both, axis=1)[:, FINE]), dtype=np.float64)


@pytest.mark.parametrize("world", WORLDS)
def test_every_world_is_said_in_one_sentence(world: str) -> None:
    said = WORLDS[world].said
    assert said[0].isupper()
    assert said.endswith(".")
    assert device(world).world == WORLDS[world]


@pytest.mark.parametrize(
    ("world", "drift"), [("calm", 0.05), ("drifting", 0.10), ("volatile", 0.2)]
)
def test_a_drift_is_the_standard_deviation_of_the_log_readout_rate(
    world: str, drift: float
) -> None:
    # Differences over 60 epochs (memory .9 ** 60 = .002) have twice the variance.
    early, late = logs(world, range(1)), logs(world, range(60, 61))
    assert FINE.sum() > 60
    assert np.std(late - early) == pytest.approx(np.sqrt(2) * drift, rel=0.25)


def test_the_usual_world_is_the_one_without_a_name() -> None:
    named = device("usual")
    unnamed = StandIn(TORINO, "torino", Context(b"seed", lambda: 0))
    assert named.rates(5) == unnamed.rates(5)
    assert World("") == World("", WORLDS["usual"].drift, WORLDS["usual"].law)


def test_two_level_systems_move_few_qubits_far() -> None:
    def kurtosis(world: str) -> float:
        steps = np.diff(logs(world, range(30)), axis=0).ravel()
        return float(np.mean(steps**4) / np.mean(steps**2) ** 2)

    assert kurtosis("drifting") < 4  # normal steps: 3
    assert kurtosis("tls_jumps") > 10


def test_a_stale_sheet_is_far_off_and_stays_so() -> None:
    published = np.log(np.array(TORINO.errors.readout)[FINE])
    off = logs("stale", range(1))[0] - published
    assert np.median(off) > 0.2
    assert off.std() > 0.3
    later = logs("stale", range(5, 6))[0] - published
    assert np.corrcoef(off, later)[0, 1] > 0.8


def test_crosstalk_makes_a_layer_err_two_to_three_times_as_often_as_the_sheet_says() -> None:
    def ratio(world: str) -> float:
        machine = device(world)
        topology, errors = machine.device.topology, TORINO.errors.two_qubit
        sheet = {frozenset(e): 1.25 * r for e, r in zip(topology.edges, errors, strict=True)}
        case = Mirror().generate(b"layer", width=20, depth=8, topology=topology)
        circuit = place(case.program, topology, machine.rates(0), machine.world.law)
        layers = [m for m in circuit.moments if m.two]
        alone = sum(sheet[frozenset(op.qubits)] for m in layers for op in m.operations)
        gates = sum(sum(weights) for m in layers for *_, weights in m.two)
        idle = sum(sum(chances) for m in layers for _, chances in m.one)
        return (gates + idle) / alone

    assert 1.5 < ratio("usual") < 2
    assert 2 < ratio("crosstalk") < 3


def burst(rows: NDArray[np.uint8]) -> tuple[NDArray[np.bool_], set[int]]:
    """The stretch of 80 shots with most ones, if they are too many, and the bits that it spoils."""
    ones = rows.mean(axis=1)
    window = np.convolve(ones, np.ones(80) / 80, mode="valid")
    hit = np.zeros(len(rows), dtype=np.bool_)
    if window.max() < 0.2:
        return hit, set()
    hit[window.argmax() : window.argmax() + 80] = True
    return hit, set(np.flatnonzero(rows[hit].mean(axis=0) > 0.25).tolist())


def test_a_burst_spoils_a_stretch_of_shots_on_part_of_the_chip_and_no_others() -> None:
    machine = device("bursts", machine="hanoi")
    spoilt = []
    for job in range(60):
        rows = machine.run(ZEROS, shots=1_000, draws=Draws(b"burst", job))
        hit, bits = burst(rows)
        assert rows[~hit].mean() < 0.06
        if bits:
            spoilt.append(len(bits))
    assert set(spoilt) == {16}  # 60 % of 27
    assert 1 <= len(spoilt) <= 15  # a tenth of 60: 6, binomial within 4 sigma


def test_bits_in_a_burst_follow_the_qubits_that_they_read() -> None:
    machine = device("bursts", machine="hanoi")
    turned = Program(27, 27, tuple(measure(q, 26 - q) for q in range(27)))
    found = 0
    for job in range(60):
        plain, back = (
            burst(machine.run(program, shots=1_000, draws=Draws(b"burst", job)))[1]
            for program in (ZEROS, turned)
        )
        assert plain == {26 - bit for bit in back}
        found += bool(plain)
        if plain:
            assert plain != back
    assert found


def test_an_outage_ends_every_job_of_its_epoch_and_no_other() -> None:
    now = [0]
    machine = build({"world": "outages"}, Context(b"seed", lambda: now[0]))
    down = []
    for epoch in range(80):
        now[0] = epoch
        try:
            machine.run(ZEROS, shots=1, draws=Draws(b"x"))
        except JobFailed as error:
            assert "down" in str(error)  # noqa: PT017 - some epochs answer
            down.append(epoch)
    assert 2 <= len(down) <= 22  # an eighth of 80: 10, binomial within 4 sigma
    assert down == [epoch for epoch in range(80) if machine.is_down(epoch)]
    assert not any(device("usual").is_down(epoch) for epoch in range(80))


def test_a_lopsided_readout_misreads_ones_seven_times_as_often() -> None:
    rates = device("lopsided").rates(3)
    ratio = np.array(rates.read_0_given_1)[FINE] / np.array(rates.read_1_given_0)[FINE]
    assert np.median(ratio) == pytest.approx(7, rel=0.1)


def test_the_world_of_a_device_does_not_change_what_it_claims() -> None:
    assert len({device(world).device.digest for world in WORLDS}) == 1
