"""Noise: where errors strike in a circuit that a stand-in runs, independent of the engine.

`place` lays a program out in moments, as control electronics do (as soon as possible, barriers
respected, rz for free, final measurements together), and puts Pauli channels after each moment:

- every pulse: depolarising, at the qubit's actual rate;
- every two-qubit gate: a Pauli channel biased towards Z, at the pair's actual rate, raised when
  gates run on coupled pairs at the same time; such neighbours also suffer a joint ZZ error;
- every waiting qubit: relaxation and dephasing for the moment's length, more beside a gate.

Readout is classical and comes last: asymmetric flips per bit and joint flips of coupled qubits.

Assumes: Markovian noise. Blind spot: amplitude damping is no Pauli channel; it enters twirled (so
the populations of idle qubits do not lean towards 0, the 1 -> 0 asymmetry is all in the readout),
and coherent errors and leakage are absent.
Source: Pauli twirl of T1, T2: Geller & Zhou, Phys. Rev. A 88, 012314 (2013); rates are average
infidelities r, so a depolarising channel errs with r (d + 1)/d: Magesan et al., PRL 106, 180504.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from circuits.errors import ProgramError
from circuits.gates import GATES
from circuits.program import BARRIER, MEASURE, RESET, Operation, Program, final_measurements

if TYPE_CHECKING:
    from circuits.topology import Edge, Topology

Pauli1 = tuple[int, tuple[float, float, float]]
"""Qubit; probabilities of X, Y, Z."""

Pauli2 = tuple[int, int, tuple[float, ...]]
"""First and second qubit; probabilities of IX IY IZ XI XX ... ZZ, first letter on the first."""

VIRTUAL = frozenset({"rz"})
"""Gates that control electronics do by turning a frame: no time, no error."""

_Z_ONLY = {2: 1 / 3, 11: 1 / 3, 14: 1 / 3}  # IZ, ZI, ZZ


@dataclass(frozen=True, slots=True)
class Law:
    """How errors depend on what else runs. All are shares, free of units, unless named.

    Together with `providers.drift` they make a 20-qubit layer err 1.5 to 2 times as often as the
    sheet says; layers of 20 simultaneous qubits are published at 2 to 3 times theirs.

    Attributes:
        bias: Share of a two-qubit gate's errors that are IZ, ZI or ZZ, the rest is uniform.
        crosstalk: A gate's error rises by this share per gate on a coupled pair in the same
            moment (at most `crosstalk_most` of them count).
        crosstalk_most: See `crosstalk`.
        joint: Joint ZZ error on the coupled qubits of two such gates, as a share of the mean
            error of the gates.
        spectator: Z error of a waiting qubit beside a gate, as a share of the gate's error.
        joint_read: Joint flip of two coupled measured qubits, as a share of the geometric mean
            of their flips.
        read_s: Length of a measurement or reset inside a circuit, in seconds.

    Source:
        Simultaneous layers against isolated gates: McKay et al., arXiv:2311.05933. ZZ and
        spectators: Sarovar et al., Quantum 4, 321 (2020). Joint readout: Bravyi et al., Phys.
        Rev. A 103, 042605 (2021). The numbers are choices inside what these report.
    """

    bias: float = 0.5
    crosstalk: float = 0.15
    crosstalk_most: int = 2
    joint: float = 0.1
    spectator: float = 0.05
    joint_read: float = 0.05
    read_s: float = 1e-6


LAW = Law()


@dataclass(frozen=True, slots=True)
class Rates:
    """What a device really does at one time; probabilities of any Pauli error, not infidelities.

    Attributes:
        one_qubit: Per qubit, for one pulse.
        two_qubit: Per pair (lower qubit first), for one gate running alone.
        read_0_given_1: Per qubit.
        read_1_given_0: Per qubit.
        relax_hz: 1/T1 per qubit.
        dephase_hz: 1/T2 per qubit.
        one_qubit_s: Length of a pulse.
        two_qubit_s: Length of a two-qubit gate, per pair (lower qubit first).
    """

    one_qubit: tuple[float, ...]
    two_qubit: Mapping[Edge, float]
    read_0_given_1: tuple[float, ...]
    read_1_given_0: tuple[float, ...]
    relax_hz: tuple[float, ...]
    dephase_hz: tuple[float, ...]
    one_qubit_s: float
    two_qubit_s: Mapping[Edge, float]


@dataclass(slots=True)
class Moment:
    """Operations at the same time, in this order: `frames`, `operations`, then both channels."""

    frames: list[Operation] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)
    one: list[Pauli1] = field(default_factory=list)
    two: list[Pauli2] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Readout:
    """Classical flips per measured bit and per pair of bits; {} and () for a perfect readout.

    Attributes:
        flips: Bit -> (P(1|0), P(0|1)).
        joint: (bit, other bit, probability that both flip).
    """

    flips: Mapping[int, tuple[float, float]] = field(default_factory=dict)
    joint: tuple[tuple[int, int, float], ...] = ()


@dataclass(frozen=True, slots=True)
class NoisyCircuit:
    """A program laid out in moments with its errors.

    Attributes:
        program: What was laid out.
        moments: In order.
        readout: What befalls the bits afterwards.
        final: Every measurement is the last operation on its qubit.
    """

    program: Program
    moments: tuple[Moment, ...]
    readout: Readout
    final: bool

    @property
    def num_bits(self) -> int:
        """As in the program."""
        return self.program.num_bits


def place(
    program: Program, topology: Topology, rates: Rates | None, law: Law = LAW
) -> NoisyCircuit:
    """Lay `program` out and put the errors where they strike; none where `rates` is None.

    The program is native: one-qubit gates, and two-qubit gates on the topology's edges.

    Example:
        >>> from circuits.program import measure
        >>> from circuits.topology import complete
        >>> operations = (Operation("sx", (0,)), Operation("cz", (0, 1)), measure(1, 0))
        >>> circuit = place(Program(2, 1, operations), complete(2, ["cz"]), None)
        >>> [[op.name for op in moment.operations] for moment in circuit.moments]
        [['sx'], ['cz'], ['measure']]
    """
    moments, final = _moments(program)
    readout = Readout()
    if rates is not None:
        live = _Live(moments)
        before = Moment()
        going: set[int] = set()
        for index, moment in enumerate(moments):
            now = live.after(index)
            if moment.operations == before.operations and now == going:
                # The same layer again, as in rows of one gate: so the same channels.
                moment.one, moment.two = before.one, before.two
            else:
                _strike(moment, now, topology, rates, law)
                before, going = moment, set(now)
        readout = _readout(program, topology, rates, law)
    return NoisyCircuit(program, tuple(moments), readout, final)


def _moments(program: Program) -> tuple[list[Moment], bool]:
    """Schedule as soon as possible; measurements that end their qubit all come last."""
    try:
        final_measurements(program)
        final = True
    except ProgramError:
        final = False
    clock = _Clock(program.num_qubits)
    moments: list[Moment] = [Moment()]
    last = []
    for op in program.operations:
        if op.bit is not None and final:
            last.append(op)
            continue
        start = clock.start(op)
        if op.name == BARRIER:
            continue
        while len(moments) <= start:
            moments.append(Moment())
        virtual = op.name in VIRTUAL
        (moments[start].frames if virtual else moments[start].operations).append(op)
    if moments[-1].operations:
        moments.append(Moment())
    moments[-1].operations += last
    return [m for m in moments if m.frames or m.operations], final


class _Clock:
    """When every qubit and bit is free again."""

    def __init__(self, num_qubits: int) -> None:
        self._qubits = [0] * num_qubits
        self._bits: dict[int, int] = {}

    def start(self, op: Operation) -> int:
        """Give an operation its moment, and keep what it uses busy; barriers only align."""
        qubits = self._qubits
        start = max([qubits[q] for q in op.qubits])
        if op.bit is not None:
            start = max(start, self._bits.get(op.bit, 0))
            self._bits[op.bit] = start + 1
        if op.name not in VIRTUAL:
            end = start if op.name == BARRIER else start + 1
            for q in op.qubits:
                qubits[q] = end
        return start


class _Live:
    """Which qubits go on: outside its first and last operation a qubit is left in peace."""

    def __init__(self, moments: list[Moment]) -> None:
        ends: dict[int, int] = {}
        begins: dict[int, list[int]] = {}
        for index, moment in enumerate(moments):
            for op in moment.operations:
                for q in op.qubits:
                    if q not in ends:
                        begins.setdefault(index, []).append(q)
                    ends[q] = index
        self._begins = begins
        self._ends: dict[int, list[int]] = {}
        for q, index in ends.items():
            self._ends.setdefault(index, []).append(q)
        self._now: set[int] = set()

    def after(self, index: int) -> set[int]:
        """Qubits that have begun by moment `index` and not ended; ask for moments in order."""
        self._now.update(self._begins.get(index, ()))
        self._now.difference_update(self._ends.get(index, ()))
        return self._now


def _strike(moment: Moment, live: set[int], topology: Topology, rates: Rates, law: Law) -> None:
    """Fill in the two channels of a moment; `live` are the qubits that go on afterwards."""
    pairs = [op for op in moment.operations if _is_pair(op)]
    busy = {q: _pair(op) for op in pairs for q in op.qubits}
    strength = {pair: _strength(pair, busy, topology, rates, law) for pair in busy.values()}
    spent = dict.fromkeys(live, 0.0)
    for op in moment.operations:
        duration = _duration(op, rates, law)
        for q in op.qubits:
            spent[q] = duration
        if len(op.qubits) == 2:
            a, b = op.qubits
            moment.two.append((a, b, _biased(strength[_pair(op)], law.bias)))
        elif op.name in GATES:
            third = min(rates.one_qubit[op.qubits[0]], 0.75) / 3
            moment.one.append((op.qubits[0], (third, third, third)))
    for (u, first), (v, second) in _coupled(busy, topology):
        shared = law.joint * (strength[first] + strength[second]) / 2
        moment.two.append((u, v, _only_zz(shared)))
    length = max(spent.values(), default=0.0)
    for q in sorted(live):
        extra = 0.0
        if busy and q not in busy:
            beside = [strength[busy[p]] for p in topology.neighbours(q) if p in busy]
            extra = law.spectator * sum(beside)
        if extra or spent[q] < length:
            channel = _idle(length - spent[q], rates.relax_hz[q], rates.dephase_hz[q], extra)
            if any(channel):
                moment.one.append((q, channel))


def _is_pair(op: Operation) -> bool:
    return len(op.qubits) == 2 and op.name in GATES


def _pair(op: Operation) -> Edge:
    a, b = op.qubits
    return (a, b) if a < b else (b, a)


def _duration(op: Operation, rates: Rates, law: Law) -> float:
    if op.name in (MEASURE, RESET):
        return law.read_s
    return rates.two_qubit_s[_pair(op)] if len(op.qubits) == 2 else rates.one_qubit_s


def _strength(
    pair: Edge, busy: Mapping[int, Edge], topology: Topology, rates: Rates, law: Law
) -> float:
    """Error probability of a gate, given the gates at the same time."""
    near = [busy[p] for q in pair for p in topology.neighbours(q) if p in busy and p not in pair]
    raised = rates.two_qubit[pair] * (1 + law.crosstalk * min(len({*near}), law.crosstalk_most))
    return min(raised, 15 / 16)


def _coupled(
    busy: Mapping[int, Edge], topology: Topology
) -> list[tuple[tuple[int, Edge], tuple[int, Edge]]]:
    """Coupled qubits of two different simultaneous gates, each couple once, each with its gate."""
    return [
        ((q, busy[q]), (p, busy[p]))
        for q in sorted(busy)
        for p in topology.neighbours(q)
        if p > q and p in busy and busy[p] != busy[q]
    ]


@lru_cache(maxsize=4096)
def _biased(total: float, bias: float) -> tuple[float, ...]:
    return tuple(total * ((1 - bias) / 15 + bias * _Z_ONLY.get(k, 0.0)) for k in range(15))


def _only_zz(total: float) -> tuple[float, ...]:
    return (*(0.0,) * 14, total)


@lru_cache(maxsize=4096)
def _idle(
    time_s: float, relax_hz: float, dephase_hz: float, extra: float
) -> tuple[float, float, float]:
    """Twirl T1 and T2 over a wait; `extra` more Z errors."""
    flip = -math.expm1(-time_s * relax_hz) / 4
    phase = max(0.0, -math.expm1(-time_s * dephase_hz) / 2 - flip)
    return flip, flip, min(phase + extra, 0.5)


def _readout(program: Program, topology: Topology, rates: Rates, law: Law) -> Readout:
    """Collect the flips of the bits, each by the qubit that it was last read from."""
    source = {op.bit: op.qubits[0] for op in program.operations if op.bit is not None}
    flips = {
        bit: (rates.read_1_given_0[q], rates.read_0_given_1[q]) for bit, q in sorted(source.items())
    }
    where = {q: bit for bit, q in sorted(source.items())}
    joint = []
    for q, bit in sorted(where.items()):
        for p in topology.neighbours(q):
            if p > q and p in where:
                mean = math.sqrt(sum(flips[bit]) / 2 * sum(flips[where[p]]) / 2)
                joint.append((bit, where[p], law.joint_read * mean))
    return Readout(flips, tuple(joint))
