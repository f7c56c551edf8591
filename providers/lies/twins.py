"""Lies that simulate a noisy machine: the one that is claimed, or another under its sheet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from circuits.program import Program
from providers.drift import Ageing
from providers.engines import run_circuit
from providers.lies.answer import Answer, coins, written
from providers.noise import LAW, Law, Rates, place
from providers.standin import StandIn

if TYPE_CHECKING:
    from circuits.counts import Bits
    from circuits.draws import Draws
    from circuits.program import Operation
    from providers.options import Options

ALONE = replace(LAW, crosstalk=0.0, joint=0.0, spectator=0.0, joint_read=0.0)
"""No element knows of another."""

EVEN = replace(ALONE, bias=0.0)
"""Depolarising errors only."""


def average_twin(claimed: StandIn, _read: Options) -> Answer:
    """The sheet's mean rates everywhere, depolarising; one readout error for 0 and 1."""
    rates = averaged(claimed)
    return _twin(claimed, lambda _epoch: rates, EVEN)


def calibrated_twin(claimed: StandIn, read: Options) -> Answer:
    """The machine's true rates of epoch 0, element by element, for ever.

    Option `crosstalk` (0 or 1, 0): 1 also imitates what elements do to each other.
    """
    law = _law(claimed, read)
    return _twin(claimed, lambda _epoch: claimed.rates(0), law)


def drifting_twin(claimed: StandIn, read: Options) -> Answer:
    """The calibrated twin, with a walk of the machine's own size and memory from epoch 0 on."""
    law = _law(claimed, read)
    made_up = Ageing(
        claimed.snapshot,
        claimed.history,
        drift=claimed.world.drift,
        fork=claimed.history.child("made up"),
    )
    return _twin(claimed, lru_cache(maxsize=8)(made_up.rates), law)


def substituted(claimed: StandIn, read: Options) -> Answer:
    """Another machine with the same couplings and `factor` (4) times the errors."""
    factor = read.real("factor", 4.0, low=1.0, high=100.0)
    drift = replace(claimed.world.drift, worse=factor * claimed.world.drift.worse)
    other = Ageing(claimed.snapshot, claimed.history.child("other"), drift=drift)
    return _twin(claimed, lru_cache(maxsize=8)(other.rates), claimed.world.law)


def smaller_device(claimed: StandIn, read: Options) -> Answer:
    """An honest machine of `width` qubits (half); what lies `beyond` is "noise" or "repeated".

    Gates that reach beyond are left out; a repeated qubit q answers like qubit q modulo width.
    """
    most = claimed.device.topology.num_qubits
    width = read.whole("width", max(1, most // 2), low=1, high=most)
    repeated = read.word("beyond", "noise", ("noise", "repeated")) == "repeated"

    def answer(program: Program, shots: int, draws: Draws) -> Bits:
        source = {op.bit: op.qubits[0] for op in program.operations if op.bit is not None}
        kept = (op for op in program.operations if op.bit is not None or _inside(op, width))
        smaller = Program(program.num_qubits, program.num_bits, tuple(kept))
        rows = claimed.run(smaller, shots=shots, draws=draws.child("real"))
        made_up = coins(program, shots, draws.child("beyond"))
        reads = {qubit: bit for bit, qubit in source.items()}
        for bit in written(program):
            if source[bit] >= width:
                twin = reads.get(source[bit] % width) if repeated else None
                rows[:, bit] = made_up[:, bit] if twin is None else rows[:, twin]
        return rows

    return answer


def averaged(claimed: StandIn) -> Rates:
    """Read the mean rates off the public sheet, over qubits that have a coupling.

    Example:
        >>> from providers.base import Context
        >>> from providers.snapshots import load
        >>> rates = averaged(StandIn(load("hanoi"), "q", Context(b"seed", lambda: 0)))
        >>> len({*rates.read_0_given_1, *rates.read_1_given_0, *rates.two_qubit.values()})
        2
    """
    sheet, snapshot = claimed.snapshot.errors, claimed.snapshot
    size = len(sheet.readout)
    used = sorted({q for edge in snapshot.topology.edges for q in edge}) or list(range(size))
    read = float(np.mean([sheet.readout[q] for q in used]))
    pulse = 1.5 * float(np.mean([sheet.one_qubit[q] for q in used]))
    pairs = [(min(edge), max(edge)) for edge in snapshot.topology.edges]
    gate = 1.25 * float(np.mean(sheet.two_qubit)) if pairs else 0.0
    return Rates(
        one_qubit=(pulse,) * size,
        two_qubit=dict.fromkeys(pairs, gate),
        read_0_given_1=(read,) * size,
        read_1_given_0=(read,) * size,
        relax_hz=(0.0,) * size,
        dephase_hz=(0.0,) * size,
        one_qubit_s=snapshot.one_qubit_s,
        two_qubit_s=dict(zip(pairs, snapshot.two_qubit_s, strict=True)),
    )


def _twin(claimed: StandIn, rates: Callable[[int], Rates], law: Law) -> Answer:
    def answer(program: Program, shots: int, draws: Draws) -> Bits:
        circuit = place(program, claimed.snapshot.topology, rates(claimed.epoch()), law)
        return run_circuit(circuit, shots=shots, draws=draws)

    return answer


def _law(claimed: StandIn, read: Options) -> Law:
    return claimed.world.law if read.whole("crosstalk", 0, low=0, high=1) else ALONE


def _inside(op: Operation, width: int) -> bool:
    return all(qubit < width for qubit in op.qubits)
