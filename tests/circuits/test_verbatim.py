"""Expected values: the contract of verbatim programs, written out."""

import pytest

from circuits.errors import ProgramError
from circuits.program import Operation
from circuits.topology import Topology
from circuits.verbatim import on_qubit, verbatim_program

LINE = Topology(4, ((0, 1), (1, 2), (2, 3)), ("cz", "rz", "sx"))


def test_layers_are_fenced_and_bit_i_measures_the_ith_qubit_under_test() -> None:
    layers = [on_qubit([("sx", ()), ("rz", (0.5,))], 3), [Operation("cz", (2, 3))]]
    program = verbatim_program(LINE, (2, 3), layers)
    assert program.num_qubits == 4
    assert program.num_bits == 2
    assert program.text.splitlines()[4:] == [
        "sx q[3];",
        "rz(0.5) q[3];",
        "barrier q[2], q[3];",
        "cz q[2], q[3];",
        "barrier q[2], q[3];",
        "c[0] = measure q[2];",
        "c[1] = measure q[3];",
    ]


def test_a_gate_outside_the_device_is_refused() -> None:
    with pytest.raises(ProgramError, match="outside"):
        verbatim_program(LINE, (2, 3), [on_qubit([("sx", ())], 4)])
