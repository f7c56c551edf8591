"""Measure Aer's state vector on a GPU against the processor and qsim; write docs/gpu.md's tables.

Run: python -m benchmarks.gpu [--qubits 20-33 | 20,22,24] [--step 1] [--references 13,16,20]
     [--bank 20,24,26,28,30] [--blocking-qubits 28] [--gpus 0,1] [--limit 120] [--cpu-only]
     [--quick] [--json] [--write docs/gpu.md]

Where no one-qubit run on a GPU succeeds it says so and ends with code 1, unless `--cpu-only` or
`--quick` asks for the processor alone. All engines of a table are measured in one run, so that
ratios compare like with like.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.gpu.machine import Machine, gpu_works, this_machine, why_not

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.gpu.table import Rows

MARKS = {
    True: ("<!-- measured on a GPU: begin -->", "<!-- measured on a GPU: end -->"),
    False: ("<!-- measured on a processor: begin -->", "<!-- measured on a processor: end -->"),
}
_QUICK = {"qubits": (12, 14), "references": (13,), "bank": (12,)}
_WIDEST = 34
_WIDEST_REFERENCE = 24


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be measured.

    Attributes:
        qubits: Widths of the first table.
        references: Widths of the second.
        batch: Circuits of a batch there.
        bank: Widths of the third.
        blocking_qubits: Of states on several cards; 0 leaves them whole.
        gpus: Numbers of the cards; () means all.
        shots: Of a program.
        limit_s: Longer work is left out.
        repeats: Of short work.
    """

    qubits: tuple[int, ...]
    references: tuple[int, ...]
    batch: int
    bank: tuple[int, ...]
    blocking_qubits: int
    gpus: tuple[int, ...]
    shots: int
    limit_s: float
    repeats: int


def main(arguments: list[str] | None = None, *, works: Callable[[], bool] = gpu_works) -> int:
    """Do what is asked on the command line, and give the exit code.

    Args:
        arguments: The command line's, unless told.
        works: Tells whether a run on a GPU succeeds.
    """
    given = _parser().parse_args(arguments)
    machine, gpu = this_machine(), not given.cpu_only and works()
    if not (gpu or given.cpu_only or given.quick):
        sys.stderr.write(
            f"No one-qubit run on a GPU succeeds here ({why_not(machine)}), so nothing was "
            "measured. docs/gpu.md says what to install; --cpu-only measures the processor alone.\n"
        )
        return 1
    from benchmarks.gpu.table import page

    wish = _wish(given)
    tables = measure(wish, machine, gpu=gpu)
    text = page(machine.title, tables, shots=wish.shots, batch=wish.batch)
    if given.write:
        put(given.write, text, marks=MARKS[gpu])
    if given.json:
        print(_json(machine, tables, gpu=gpu))
    elif not given.write:
        print(text)
    return 0


def measure(wish: Wish, machine: Machine, *, gpu: bool) -> dict[str, Rows]:
    """Measure all three tables."""
    from benchmarks.gpu.states import simulators, state_rows
    from benchmarks.gpu.validating import bank_rows, engines, reference_rows

    joined = machine.gpu_bytes(gpus=wish.gpus, joined=wish.blocking_qubits > 0)
    return {
        "states": state_rows(
            simulators(gpu=gpu, blocking_qubits=wish.blocking_qubits, gpus=wish.gpus),
            wish.qubits,
            memory={"GPU": joined, "CPU": machine.free_bytes},
            shots=wish.shots,
            limit_s=wish.limit_s,
            repeats=wish.repeats,
            say=_say,
        ),
        "references": reference_rows(
            engines(gpu=gpu, single=False),
            wish.references,
            batch=wish.batch,
            limit_s=wish.limit_s,
            repeats=wish.repeats,
            say=_say,
        ),
        "banks": bank_rows(
            engines(gpu=gpu, single=True),
            wish.bank,
            memory={"GPU": machine.gpu_bytes(), "CPU": machine.free_bytes},
            limit_s=wish.limit_s,
            say=_say,
        ),
    }


def numbers(text: str, *, high: int = _WIDEST) -> tuple[int, ...]:
    """Read widths: `20,22` or `20-33`, or both.

    Raises:
        argparse.ArgumentTypeError: It is none of these, or beyond 2 .. `high`.

    Example:
        >>> numbers("13,16-18", high=34)
        (13, 16, 17, 18)
    """
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        if not first.isdecimal() or not (last or first).isdecimal():
            raise argparse.ArgumentTypeError(f"need widths such as 20,22 or 20-33, got {text!r}")
        found |= set(range(int(first), int(last or first) + 1))
    if not found or min(found) < 2 or max(found) > high:
        raise argparse.ArgumentTypeError(f"need widths of 2 .. {high}, got {text!r}")
    return tuple(sorted(found))


def put(path: Path, text: str, *, marks: tuple[str, str]) -> None:
    """Replace what stands between two marks of a page.

    Raises:
        ValueError: The page lacks one of them.
    """
    page = path.read_text(encoding="utf-8")
    begin, end = marks
    before, found, rest = page.partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"need the marks {begin!r} and {end!r} in {path}, one is missing")
    path.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Measure Aer on a GPU against the processor.")
    narrow = partial(numbers, high=_WIDEST_REFERENCE)
    add = parser.add_argument
    add("--qubits", type=numbers, default="20-33", help="widths of programs: 20,22 or 20-33")
    add("--step", type=int, default=1, help="take every so many of --qubits")
    add("--references", type=narrow, default="13,16,18,20,22", help="widths of references")
    add("--batch", type=int, default=8, help="references at once")
    add("--bank", type=numbers, default="20,24,26,28,30", help="widths of banks' circuits")
    add("--blocking-qubits", type=int, default=0, help="blocks of a state on GPUs")
    add("--gpus", default="", help="numbers of the cards, such as 0,1; all")
    add("--shots", type=int, default=1_000, help="of a program")
    add("--limit", type=float, default=120.0, help="leave out what takes longer, s")
    add("--repeats", type=int, default=4, help="of work under two seconds")
    add("--cpu-only", action="store_true", help="measure the processor alone")
    parser.add_argument(
        "--quick", action="store_true", help="12 and 14 qubits, with or without GPU"
    )
    add("--json", action="store_true", help="print JSON")
    add("--write", type=Path, help="put the tables between the marks of this page")
    return parser


def _wish(given: argparse.Namespace) -> Wish:
    quick = given.quick
    gpus = tuple(int(number) for number in given.gpus.split(",") if number)
    return Wish(
        qubits=_QUICK["qubits"] if quick else given.qubits[:: given.step],
        references=_QUICK["references"] if quick else given.references,
        batch=2 if quick else given.batch,
        bank=_QUICK["bank"] if quick else given.bank,
        blocking_qubits=given.blocking_qubits,
        gpus=gpus,
        shots=given.shots,
        limit_s=given.limit,
        repeats=1 if quick else given.repeats,
    )


def _json(machine: Machine, tables: dict[str, Rows], *, gpu: bool) -> str:
    from benchmarks.gpu.table import json_rows

    rows = {name: json_rows(some) for name, some in tables.items()}
    return json.dumps({"machine": {**asdict(machine), "gpu": gpu}, **rows})


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
