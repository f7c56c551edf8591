"""The stabilizer engine: noisy Clifford circuits at full width, by stim.

It runs what `providers.frames` does not: circuits that measure or reset before their end. Tests
hold one against the other. Bits are as the errors of the circuit leave them before readout. The
same seed gives the same bits on one build of stim and one kind of processor, as stim promises, not
beyond.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from circuits.emitters.stim import load_stim, stim_rows, to_stim
from circuits.errors import ProgramError
from circuits.program import Program

if TYPE_CHECKING:
    import stim

    from circuits.counts import Bits
    from circuits.draws import Draws
    from providers.noise import NoisyCircuit


def is_clifford(program: Program) -> bool:
    """Tell whether this engine can run `program`.

    Example:
        >>> from circuits.program import Operation
        >>> [is_clifford(Program(1, 1, (Operation("rz", (0,), (a,)),))) for a in (0.0, 0.5)]
        [True, False]
    """
    try:
        to_stim(program)
    except ProgramError:
        return False
    return True


def sample_stabilizer(circuit: NoisyCircuit, shots: int, draws: Draws) -> Bits:
    """Run a Clifford circuit.

    Returns:
        (shots x num_bits) array, column i = c[i].

    Raises:
        ProgramError: A gate that is not Clifford.

    Example:
        >>> from circuits.draws import Draws
        >>> from circuits.program import Operation, measure
        >>> from circuits.topology import complete
        >>> from providers.noise import place
        >>> program = Program(2, 2, (Operation("x", (0,)), measure(0, 0), measure(1, 1)))
        >>> circuit = place(program, complete(2, ["cz"]), None)
        >>> sample_stabilizer(circuit, 1, Draws(b"")).tolist()
        [[1, 0]]
    """
    sampler = _emit(circuit).compile_sampler(seed=draws.child("stim").integer(2**63))
    operations = tuple(op for moment in circuit.moments for op in moment.operations)
    return stim_rows(
        sampler.sample(shots),
        Program(circuit.program.num_qubits, circuit.num_bits, operations),
    )


def _emit(circuit: NoisyCircuit) -> stim.Circuit:
    noisy: stim.Circuit = load_stim().Circuit()
    for moment in circuit.moments:
        operations = (*moment.frames, *moment.operations)
        noisy += to_stim(Program(circuit.program.num_qubits, circuit.num_bits, operations))
        for qubit, chances in moment.one:
            noisy.append("PAULI_CHANNEL_1", [qubit], chances)
        for first, second, weights in moment.two:
            noisy.append("PAULI_CHANNEL_2", [first, second], weights)
    return noisy
