"""The GPU benchmark: its whole course on a processor, and what it writes from scripted numbers.

Lines of `nvidia-smi` have the form that its manual gives for `--format=csv,noheader,nounits`.
"""

from __future__ import annotations

import ctypes
import doctest
import importlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from benchmarks.gpu.__main__ import MARKS, main, put
from benchmarks.gpu.machine import cards_of, this_machine, why_not
from benchmarks.gpu.states import Simulator, state_rows
from benchmarks.gpu.stubs import _stub
from benchmarks.gpu.table import page, table
from benchmarks.gpu.timing import Cell, Growth, measured, too_much
from benchmarks.gpu.validating import _agree
from circuits.program import Program

PAGE = Path(__file__).parents[2] / "docs" / "gpu.md"
TWO_CARDS = "NVIDIA A100-SXM4-80GB, 550.54.15, 81000\nTesla T4, 550.54.15, [N/A]\n"


def test_a_quick_run_times_every_table_on_the_processor_and_writes_the_page(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    copy = tmp_path / "gpu.md"
    copy.write_text(PAGE.read_text())
    assert main(["--quick", "--json", "--write", str(copy)], works=lambda: False) == 0
    told = json.loads(capsys.readouterr().out)
    assert not told["machine"]["gpu"]
    assert told["machine"]["software"]["qiskit"]
    assert [row["qubits"] for row in told["states"]] == [12, 14]
    assert [row["qubits"] for row in told["references"]] == [13]
    assert [row["qubits"] for row in told["banks"]] == [12]
    for name in ("states", "references", "banks"):
        for row in told[name]:
            assert row["seconds"]
            assert all(seconds > 0 for seconds in row["seconds"].values()), row["why"]
    assert told["machine"]["processor"] in copy.read_text()
    assert "| 14 | " in copy.read_text()


def test_without_a_gpu_it_says_so_and_leaves_the_page_alone(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    copy = tmp_path / "gpu.md"
    copy.write_text(PAGE.read_text())
    assert main(["--write", str(copy)], works=lambda: False) == 1
    assert "--cpu-only" in capsys.readouterr().err
    assert copy.read_text() == PAGE.read_text()


@pytest.mark.parametrize("wrong", ["--qubits=40", "--qubits=a-b", "--references=25", "--bank=1"])
def test_widths_that_nothing_can_run_are_refused(
    wrong: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([wrong], works=lambda: True)
    assert "need widths" in capsys.readouterr().err


def test_a_page_without_its_marks_is_not_overwritten(tmp_path: Path) -> None:
    bare = tmp_path / "bare.md"
    bare.write_text("nothing here")
    with pytest.raises(ValueError, match="one is missing"):
        put(bare, "numbers", marks=MARKS[True])
    assert bare.read_text() == "nothing here"


@pytest.mark.parametrize("marks", MARKS.values())
def test_a_new_measurement_replaces_the_old_one_and_nothing_else(
    marks: tuple[str, str], tmp_path: Path
) -> None:
    copy = tmp_path / "gpu.md"
    copy.write_text(PAGE.read_text())
    put(copy, "first numbers", marks=marks)
    put(copy, "second numbers", marks=marks)
    written = copy.read_text()
    assert "second numbers" in written
    assert "first numbers" not in written
    for mark in (*MARKS[True], *MARKS[False]):
        assert written.count(mark) == 1


def test_a_card_that_hides_its_memory_is_named_and_sets_no_bound() -> None:
    cards = cards_of(TWO_CARDS)
    assert [card.name for card in cards] == ["NVIDIA A100-SXM4-80GB", "Tesla T4"]
    assert [card.free_bytes for card in cards] == [81000 * 2**20, 0]
    machine = this_machine(ask=lambda: TWO_CARDS)
    assert "driver 550.54.15" in machine.title
    assert too_much(1 << 60, machine.gpu_bytes(), where="the GPU") == ""
    assert machine.gpu_bytes(gpus=(0,)) == 81000 * 2**20


def test_a_machine_without_a_card_says_what_is_missing() -> None:
    machine = this_machine(ask=str)
    assert machine.title.startswith("no NVIDIA card; ")
    assert why_not(machine).startswith("nvidia-smi lists no card; ")


def test_the_first_run_of_short_work_is_not_counted() -> None:
    ticks = iter([0.0, 1.5, 2.0, 2.1, 3.0, 3.3])  # 1.5 s while it loads, then .1 and .3
    found = measured(lambda: None, repeats=3, clock=lambda: next(ticks))
    assert found.seconds == pytest.approx(0.2)


def test_long_work_is_done_once() -> None:
    ticks = iter([0.0, 9.0])
    assert measured(lambda: None, repeats=3, clock=lambda: next(ticks)) == Cell(9.0)


def test_an_engine_that_fails_leaves_its_words_in_the_cell() -> None:
    def fails() -> None:
        raise RuntimeError("out of memory on the GPU")

    assert measured(fails, repeats=3) == Cell(None, "out of memory on the GPU")


def test_what_does_not_fit_is_not_begun() -> None:
    ran: list[int] = []

    def run(program: Program, _shots: int) -> None:
        ran.append(program.num_qubits)

    small, large = Simulator("small", 16, "CPU", run), Simulator("large", 16, "GPU", run)
    rows = state_rows(
        [small, large],
        [14, 12],
        memory={"CPU": 1 << 18, "GPU": 0},
        shots=1,
        limit_s=60.0,
        repeats=1,
        say=lambda _: None,
    )
    assert ran == [8, 8, 12, 12, 14]  # both warm up; 16 bytes * 2**14 are the whole memory
    assert [width for width, _ in rows] == [12, 14]
    assert rows[1][1]["small"].why.startswith("needs 0.000244 GiB")


def test_an_engine_that_grows_too_slow_is_not_asked_again() -> None:
    growth = Growth(100.0)
    growth.learn(24, Cell(40.0))
    growth.learn(25, Cell(None, "out of memory"))
    assert growth.too_long(25) == ""
    assert growth.too_long(26) == "about 173 s"  # 40 * 2**2 * 26 / 24


def test_ratios_are_taken_between_engines_of_one_row_alone() -> None:
    lines = table(
        "states",
        [
            (20, {"Aer GPU single": Cell(0.1), "Aer CPU single": Cell(4.0)}),
            (30, {"Aer GPU single": Cell(2.0), "Aer CPU single": Cell(None, "about 900 s")}),
        ],
    )
    assert lines[0] == "| qubits | Aer GPU single | Aer CPU single | Aer CPU / GPU, single |"
    assert lines[2] == "| 20 | 0.100 | 4.00 | 40.0 |"
    assert lines[3] == "| 30 | 2.00 | about 900 s | - |"


def test_references_are_shown_as_batches_a_second() -> None:
    rows = [(20, {"Aer GPU": Cell(0.25), "qsim": Cell(2.0)})]
    assert table("references", rows)[-1] == "| 20 | 4.00 | 0.500 | 8.0 |"


def test_the_page_names_the_machine_and_the_shots() -> None:
    written = page("a card", {"states": [(20, {"qsim single": Cell(1.0)})]}, shots=2_000, batch=8)
    assert written.startswith("Measured on: a card.")
    assert "2,000 shots" in written


def test_engines_that_disagree_stop_the_run() -> None:
    right, wrong = np.array([0.5, 0.5]), np.array([0.6, 0.4])
    _agree([[right], [right]])
    with pytest.raises(ValueError, match="need references within"):
        _agree([[right], [wrong]])


@pytest.mark.skipif(not shutil.which("gcc"), reason="stubs are compiled")
def test_a_stub_has_the_symbols_under_their_versions_and_fails_when_called(tmp_path: Path) -> None:
    stub = _stub(tmp_path, "libcustatevec.so.1", {"libcustatevec.so.0": ["custatevecCreate"]})
    assert [file.name for file in tmp_path.iterdir()] == ["libcustatevec.so.1"]
    library = ctypes.CDLL(str(stub))
    assert library.custatevecCreate() == 1
    with pytest.raises(AttributeError):
        _ = library.custatevecDestroy
    assert b"libcustatevec.so.0" in stub.read_bytes()  # the version that the loader looks for


@pytest.mark.parametrize("name", ["__main__", "machine", "stubs", "table", "timing"])
def test_the_examples_in_the_benchmark_are_true(name: str) -> None:
    outcome = doctest.testmod(importlib.import_module(f"benchmarks.gpu.{name}"))
    assert outcome.attempted > 0
    assert outcome.failed == 0
