"""What a validator does: references by the batch and one by one, and banks.

A batch is what one epoch draws for an exact simulator: 8 brickwork circuits of depth 16
(`validator.plan`). Each engine answers through `Reference`, cold; what it answers is compared with
the first engine's, within `TOLERANCE`. Up to 12 qubits all three are the dense engine, whatever
there is beside it, so those widths say nothing here.

A bank's entry is made by `qsubnet.banks`, as `qsubnet bank make` does.

Blind spot: `QsimEngine` runs on two threads on every machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.gpu.timing import Cell, Growth, measured, too_much
from circuits.brickwork import Brickwork
from circuits.program import Program
from circuits.topology import complete
from qsubnet.bank_spec import MOST_KEPT, BankSpec, bytes_needed
from qsubnet.banks import create
from validator.references.engines import AerEngine, ByWidth, QsimEngine, gpu_engine
from validator.references.reference import TOLERANCE, Reference

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from validator.references.bank import BankEntry
    from validator.references.engines import Engine

    Laws = list[NDArray[np.float64]]

BATCH = 8
DEPTH = 16
ALONE = ", one by one"
_SECRET = hashlib.sha256(b"bench gpu").digest()
_WARM = 6
_LEVEL_TOLERANCE = 1e-4
"""Between the levels' shares of two engines: strings beside a cut change their level."""


def engines(*, gpu: bool, single: bool) -> dict[str, Engine]:
    """Make the engines that are here: the GPU's, qsim, Aer on the processor.

    Args:
        gpu: With the GPU's.
        single: Aer computes in single precision, as for a bank.
    """
    found: dict[str, Engine] = {}
    on_gpu = gpu_engine(single=single) if gpu else None
    if on_gpu is not None:
        found["Aer GPU"] = on_gpu
    if find_spec("qsimcirq"):
        found["qsim"] = QsimEngine()
    found["Aer CPU"] = AerEngine(single=single)
    return found


def reference_rows(
    some: dict[str, Engine],
    widths: Sequence[int],
    *,
    batch: int = BATCH,
    limit_s: float,
    repeats: int,
    say: Callable[[str], None],
) -> list[tuple[int, dict[str, Cell]]]:
    """Time a batch of references and the same circuits one by one, by engine and width.

    Args:
        some: Engines, in double precision.
        widths: Qubits.
        batch: Circuits at once.
        limit_s: What would take longer is left out.
        repeats: Of short work.
        say: Is told what is being done.

    Returns:
        (width, cells), ascending; cells "<engine>" and "<engine>, one by one", seconds a batch.

    Raises:
        ValueError: Two engines disagree.
    """
    growth = {name: Growth(limit_s) for name in some}
    rows = []
    for engine in some.values():
        Reference(engine).probabilities_of(_batch(_WARM, 1))
    for width in sorted(widths):
        cells: dict[str, Cell] = {}
        laws: list[Laws] = []
        for name, engine in some.items():
            why = growth[name].too_long(width)
            if not why:
                say(f"references of {width} qubits, {name}")
                cells |= _both(name, engine, _batch(width, batch), repeats, laws)
            else:
                cells[name] = Cell(None, why)
            growth[name].learn(width, cells[name])
        _agree(laws)
        rows.append((width, cells))
    return rows


def _batch(width: int, circuits: int) -> list[Program]:
    topology = complete(width, ("cx", "u"))
    return [
        Brickwork()
        .generate(b"bench gpu %d" % k, width=width, depth=DEPTH, topology=topology)
        .program
        for k in range(circuits)
    ]


def _both(
    name: str, engine: Engine, programs: list[Program], repeats: int, laws: list[Laws]
) -> dict[str, Cell]:
    wide = ByWidth(engine)
    last: Laws = []

    def together() -> None:
        last[:] = Reference(wide).probabilities_of(programs)

    def alone() -> None:
        reference = Reference(wide)
        for program in programs:
            reference.probabilities(program)

    cells = {name: measured(together, repeats=repeats)}
    if last:
        laws.append(last)
    return cells | {f"{name}{ALONE}": measured(alone, repeats=repeats)}


def _agree(laws: list[Laws]) -> None:
    for others in laws[1:]:
        for ours, theirs in zip(laws[0], others, strict=True):
            worst = float(np.abs(ours - theirs).max() / ours.max())
            if worst > TOLERANCE:
                raise ValueError(f"need references within {TOLERANCE}, got {worst}")


def bank_rows(
    some: dict[str, Engine],
    widths: Sequence[int],
    *,
    memory: Mapping[str, int],
    limit_s: float,
    say: Callable[[str], None],
) -> list[tuple[int, dict[str, Cell]]]:
    """Time one entry of a bank, by engine and width.

    Args:
        some: Engines, in single precision.
        widths: Qubits.
        memory: Bytes that can be had on "GPU" and "CPU"; 0 where nobody knows.
        limit_s: What would take longer is left out.
        say: Is told what is being done.

    Returns:
        (width, cells by engine's name), ascending.

    Raises:
        ValueError: Two engines sort the strings differently.
    """
    growth = {name: Growth(limit_s) for name in some}
    rows = []
    for width in sorted(widths):
        cells: dict[str, Cell] = {}
        entries: list[BankEntry] = []
        for name, engine in some.items():
            needed = bytes_needed(_spec(width), engine)
            why = too_much(needed, memory["CPU"], where="the CPU")
            if name == "Aer GPU":
                why = why or too_much(8 << width, memory["GPU"], where="the GPU")
            why = why or growth[name].too_long(width)
            if not why:
                say(f"a bank's entry of {width} qubits, {name}")
            cells[name] = Cell(None, why) if why else _entry(width, engine, entries)
            growth[name].learn(width, cells[name])
        for other in entries[1:]:
            apart = max(abs(a - b) for a, b in zip(entries[0].weights, other.weights, strict=True))
            if apart > _LEVEL_TOLERANCE:
                raise ValueError(f"need levels within {_LEVEL_TOLERANCE}, got {apart}")
        rows.append((width, cells))
    return rows


def _spec(width: int) -> BankSpec:
    digest = hashlib.sha256(_SECRET).hexdigest()
    kept = min(width, MOST_KEPT)
    return BankSpec("trial-gpu", width, DEPTH, ("cx", "u"), 1, kept, 60.0, digest)


def _entry(width: int, engine: Engine, entries: list[BankEntry]) -> Cell:
    with TemporaryDirectory() as folder:
        bank = create(Path(folder) / "bank", _spec(width), secret=_SECRET)
        cell = measured(lambda: list(bank.make(engine)), repeats=1)
        if bank.made():
            entries.append(bank.entry(0))
    return cell
