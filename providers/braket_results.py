"""Braket's results.json -> counts in our bit order.

`measuredQubits` names the qubit of each column, leftmost first. Programs are written so that
ascending qubits are the program's own measured qubits in ascending order (`providers.braket_text`),
so the result is read without knowing on which physical qubits the task ran.

Some machines (IonQ) return `measurementProbabilities` instead of shots: shares of the shots, whose
counts are found again by rounding, and which say `probabilities`.

A file may have millions of bits (84 qubits x 50,000 shots), so they are checked as one array, and
reading still takes a part of a second: not a thing for an event loop.

Source: `braket.task_result.gate_model_task_result_v1` of amazon-braket-schemas 1.32.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from circuits.counts import Counts
from circuits.emitters.braket import braket_rows
from providers.base import ProgramResult, ResultKind
from providers.braket_text import measured_qubits
from providers.errors import AdapterFault

if TYPE_CHECKING:
    from circuits.counts import Bits
    from circuits.program import Program
    from providers.base import Json

PROCESSING = ("counts are the backend's shares times its shots, rounded",)

_Share = Annotated[float, Field(ge=0, le=1)]


class _Told(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True
    )


class _Metadata(_Told):
    shots: int = Field(ge=0)


class _Result(_Told):
    measurements: Any = None  # see `_bits`
    measurement_probabilities: dict[str, _Share] | None = None
    measured_qubits: tuple[int, ...]
    task_metadata: _Metadata


def read_result(
    data: bytes, program: Program, *, memory: bool, shots: int | None = None
) -> tuple[ProgramResult, dict[str, Json]]:
    """Read a task's results.

    Args:
        data: The bytes of results.json.
        program: What was run.
        memory: Keep the shots in order, where there are any.
        shots: How many succeeded, where the service says so; else what the file says.

    Returns:
        The result, and the file's record without the outcomes.

    Raises:
        AdapterFault: The file has a shape that was never published, or does not fit the program.
    """
    try:
        whole = json.loads(data)
        told = _Result.model_validate(whole)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise AdapterFault(f"Braket's results.json: {where}: {first['msg']}") from None
    except (ValueError, RecursionError) as error:
        raise AdapterFault(f"Braket's results.json is no JSON: {error}") from None
    outcomes = ("measurements", "measurementProbabilities", "resultTypes")
    record = {word: value for word, value in whole.items() if word not in outcomes}
    columns = _columns(told.measured_qubits, program)
    if told.measurements:
        rows = _rows(_bits(told.measurements), columns, program)
        kept = _keys(rows) if memory else None
        return ProgramResult(Counts.from_rows(rows), ResultKind.SHOTS, (), kept), record
    if told.measurement_probabilities:
        count = told.task_metadata.shots if shots is None else shots
        counts = _shared(told.measurement_probabilities, count, columns, program)
        return ProgramResult(counts, ResultKind.PROBABILITIES, PROCESSING), record
    raise AdapterFault("Braket's results.json has neither measurements nor their probabilities")


def _columns(told: tuple[int, ...], program: Program) -> tuple[int, ...]:
    """For each column the program's qubit that it shows."""
    for everything in (False, True):
        ours = measured_qubits(program, measure_all=everything)
        if len(set(told)) == len(told) == len(ours):
            place = dict(zip(sorted(told), ours, strict=True))
            return tuple(place[qubit] for qubit in told)
    raise AdapterFault(
        f"Braket measured {len(told)} qubits, the program {len(measured_qubits(program))}"
    )


def _bits(measurements: object) -> Bits:
    """The shots as an array (shots x columns) of 0 and 1, and of nothing else."""
    try:
        bits = np.array(measurements)
    except (OverflowError, TypeError, ValueError) as error:  # rows of different lengths
        raise AdapterFault(f"Braket's results.json: measurements: {str(error)[:100]}") from None
    if bits.ndim != 2 or (bits.size and (bits.dtype.kind not in "iu" or bits.min() < 0)):
        raise AdapterFault("Braket's results.json: measurements: need rows of whole numbers")
    if bits.size and bits.max() > 1:
        raise AdapterFault(f"Braket's results.json: measurements: need 0 or 1, got {bits.max()}")
    return bits.astype(np.uint8)


def _rows(bits: Bits, columns: tuple[int, ...], program: Program) -> Bits:
    if bits.shape[1] != len(columns):
        raise AdapterFault(
            f"Braket gave rows of {bits.shape[1]} bits for {len(columns)} measured qubits"
        )
    return braket_rows(bits, columns, program)


def _keys(rows: Bits) -> tuple[str, ...]:
    """Each row as a text, bit 0 rightmost."""
    text = (rows[:, ::-1] + np.uint8(ord("0"))).tobytes().decode()
    width = rows.shape[1]
    return tuple(text[at : at + width] for at in range(0, len(text), width))


def _shared(
    shares: dict[str, float], shots: int, columns: tuple[int, ...], program: Program
) -> Counts:
    """Find the counts again: rounded down, and what is left over to the largest remainders."""
    keys = sorted(shares)
    if any(len(key) != len(columns) or key.strip("01") for key in keys):
        raise AdapterFault(f"Braket gave outcomes like {keys[0][:40]!r} of {len(columns)} qubits")
    total = sum(shares.values())
    if not 0.999 < total < 1.001:
        raise AdapterFault(f"Braket's shares add up to {total:.4f}, need 1")
    exact = [shares[key] / total * shots for key in keys]
    whole = [int(value + 1e-6) for value in exact]
    left = shots - sum(whole)
    for index in sorted(range(len(keys)), key=lambda i: (whole[i] - exact[i], i))[:left]:
        whole[index] += 1
    table: dict[str, int] = {}
    outcomes = _rows(_bits([list(map(int, key)) for key in keys]), columns, program)
    for bits, count in zip(_keys(outcomes), whole, strict=True):
        table[bits] = table.get(bits, 0) + count
    return Counts(program.num_bits, table)
