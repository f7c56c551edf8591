"""The strict parser: it reads back what is written, and refuses all else with its line."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from circuits.errors import LimitError, ProgramError
from circuits.parsing import parse
from circuits.program import Limits, Operation, Program, measure

HEAD = 'OPENQASM 3.0;\ninclude "stdgates.inc";\n'
REGISTERS = HEAD + "qubit[3] q;\nbit[2] c;\n"


@given(data=st.data())
def test_every_program_is_read_back_from_its_text(
    data: st.DataObject, programs: Callable[..., st.SearchStrategy[Program]]
) -> None:
    program = data.draw(programs())
    assert parse(program.text) == program
    assert parse(program.text.encode()).digest == program.digest


def test_comments_blank_lines_free_spacing_and_whole_angles_are_welcome() -> None:
    text = (
        "// made by hand\n\n OPENQASM 3.0;\r\n" + HEAD.split("\n")[1] + "\n"
        "qubit [3]  q ;\nbit[2] c;  // two\n\trz( 2 )  q[1] ;\ncx q[0] ,q[2];\nc[1]=measure q[0];\n"
    )
    assert parse(text).operations == (
        Operation("rz", (1,), (2.0,)),
        Operation("cx", (0, 2)),
        measure(0, 1),
    )


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("OPENQASM 2.0;\n", 1, "need 'OPENQASM 3.0;'"),
        ("OPENQASM 3.0;\nqubit[1] q;\n", 2, "stdgates"),
        ("OPENQASM 3.0;\n", 1, "text ends where 'include"),
        (HEAD, 2, "text ends where 'qubit"),
        (HEAD + "qubit[1] r;\n", 3, r"need 'qubit\[n\] q;'"),
        (HEAD + "bit[1] c;\n", 3, r"need 'qubit\[n\] q;'"),
        (HEAD + "qubit[1] q;\nx q[0];\n", 4, r"need 'bit\[n\] c;'"),
        (HEAD + "qubit[1] q; bit[1] c;\n", 3, "need 'qubit"),
        (REGISTERS + "x q[0]\n", 5, "one operation ending in ';'"),
        (REGISTERS + "x q[0]; x q[1];\n", 5, "one operation"),
        (REGISTERS + "x q;\n", 5, r"operands q\[i\], got 'q'"),
        (REGISTERS + "x r[0];\n", 5, r"got 'r\[0\]'"),
        (REGISTERS + "x q[0:1];\n", 5, r"got 'q\[0:1\]'"),
        (REGISTERS + "x q[-1];\n", 5, "got"),
        (REGISTERS + "\n\nx q[3];\n", 7, "qubit 3 is outside"),
        (REGISTERS + "x q[0];\nfoo q[0];\n", 6, "unknown gate 'foo'"),
        (REGISTERS + "X q[0];\n", 5, "one operation"),
        (REGISTERS + "rz q[0];\n", 5, "rz takes 1 angles, got 0"),
        (REGISTERS + "rz() q[0];\n", 5, "plain decimal, got ''"),
        (REGISTERS + "rz(pi) q[0];\n", 5, "plain decimal, got 'pi'"),
        (REGISTERS + "rz(1e3) q[0];\n", 5, "plain decimal, got '1e3'"),
        (REGISTERS + "rz(1.) q[0];\n", 5, "plain decimal, got '1.'"),
        (REGISTERS + "rz(1-1) q[0];\n", 5, "plain decimal, got '1-1'"),
        (REGISTERS + f"rz({'9' * 400}) q[0];\n", 5, "not finite"),
        (REGISTERS + "cx q[1], q[1];\n", 5, "twice"),
        (REGISTERS + "barrier q;\n", 5, r"a list of q\[i\]"),
        (REGISTERS + "c[2] = measure q[0];\n", 5, "bit 2 is outside"),
        (REGISTERS + "measure q[0];\n", 5, "'measure' writes a bit"),
        (REGISTERS + "c = measure q;\n", 5, "c needs operands"),
        (REGISTERS + "measure q[0] -> c[0];\n", 5, "got"),
        (REGISTERS + "if (c[0]) x q[0];\n", 5, "if needs operands"),
        (REGISTERS + "rzz(1.0) q[0], q[1];\n", 5, "rzz needs its definition: gate rzz"),
        (HEAD + "gate rzz(a) q0, q1 { cx q0, q1; }\n", 3, "need 'qubit"),
        (HEAD + "gate sxdg q0 { h q0; sdg q0; h q0; }\n" * 2, 4, "sxdg is defined twice"),
        (REGISTERS + "x q[\uff10];\n", 5, "got"),
    ],
)
def test_a_line_that_the_profile_lacks_is_refused_by_its_number(
    text: str, line: int, message: str
) -> None:
    with pytest.raises(ProgramError, match=message) as caught:
        parse(text)
    assert caught.value.line == line
    assert str(caught.value).startswith(f"line {line}: ")


@pytest.mark.parametrize("text", ["", "\n \n", "// nothing\n", b""])
def test_a_text_without_a_line_is_empty(text: str | bytes) -> None:
    with pytest.raises(ProgramError, match="program is empty"):
        parse(text)


@pytest.mark.parametrize("text", [b"\xff\xfe", "\ud800"])
def test_a_text_that_is_not_utf_8_is_refused(text: str | bytes) -> None:
    with pytest.raises(ProgramError, match="not UTF-8"):
        parse(text)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (Limits(text_bytes=30), "bytes, allowed are 30"),
        (Limits(lines=4), "lines, allowed are 4"),
        (Limits(num_qubits=2), r"1 \.\. 2 qubits, got 3"),
        (Limits(num_bits=1), r"1 \.\. 1 bits, got 2"),
    ],
)
def test_each_limit_is_named(limits: Limits, message: str) -> None:
    with pytest.raises(LimitError, match=message):
        parse(REGISTERS, limits)
    assert parse(REGISTERS).num_qubits == 3


def test_limits_count_bytes_and_not_characters() -> None:
    with pytest.raises(LimitError, match="program has 40 bytes"):
        parse("//" + "\u20ac" * 12 + "\n\n", Limits(text_bytes=39))


def test_a_register_without_qubits_is_refused() -> None:
    with pytest.raises(LimitError, match="got 0"):
        parse(HEAD + "qubit[0] q;\n")
