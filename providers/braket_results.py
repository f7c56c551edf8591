"""Braket's results.json -> counts in our bit order.

`measuredQubits` names the qubit of each column, leftmost first. Programs are written so that
ascending qubits are the program's own measured qubits in ascending order (`providers.braket_text`),
so the result is read without knowing on which physical qubits the task ran.

Some machines (IonQ) return `measurementProbabilities` instead of shots: shares of the shots, whose
counts are found again by rounding, and which say `probabilities`.

Source: `braket.task_result.gate_model_task_result_v1` of amazon-braket-schemas 1.32.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from circuits.counts import Counts
from circuits.emitters.braket import braket_rows
from providers.base import ProgramResult, ResultKind
from providers.braket_text import measured_qubits
from providers.errors import AdapterFault

if TYPE_CHECKING:
    from circuits.program import Program
    from providers.base import Json

PROCESSING = ("counts are the backend's shares times its shots, rounded",)

_Bit = Annotated[int, Field(ge=0, le=1)]
_Share = Annotated[float, Field(ge=0, le=1)]


class _Told(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True
    )


class _Metadata(_Told):
    shots: int = Field(ge=0)


class _Result(_Told):
    measurements: tuple[tuple[_Bit, ...], ...] | None = None
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
        rows = _rows(told.measurements, columns, program)
        kept = tuple("".join(map(str, row[::-1].tolist())) for row in rows) if memory else None
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


def _rows(
    shots: tuple[tuple[int, ...], ...], columns: tuple[int, ...], program: Program
) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    widths = {len(shot) for shot in shots}
    if widths != {len(columns)}:
        raise AdapterFault(
            f"Braket gave rows of {sorted(widths)} bits for {len(columns)} measured qubits"
        )
    rows: np.ndarray[tuple[int, int], np.dtype[np.uint8]] = braket_rows(
        np.array(shots, dtype=np.uint8), columns, program
    )
    return rows


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
    outcomes = _rows(tuple(tuple(map(int, key)) for key in keys), columns, program)
    for row, count in zip(outcomes, whole, strict=True):
        bits = "".join(map(str, row[::-1].tolist()))
        table[bits] = table.get(bits, 0) + count
    return Counts(program.num_bits, table)
