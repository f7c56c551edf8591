"""What IonQ gives back: shots or histograms from machines, probabilities from the simulator.

All states are decimal with qubit 0 least significant. Formats of version 2, whose bit order the
vendor does not publish, are not read; the probabilities that stand beside them are.
Source: IonQ's OpenAPI v0.4 (2026-09), `IonqResultShotsJsonV1`, `IonqResultHistogramJsonV1`,
`GetResultsResponse`.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from circuits.counts import Counts
from providers.base import ProgramResult, ResultKind
from providers.errors import AdapterFault
from providers.ionq_gates import bits, width

if TYPE_CHECKING:
    from circuits.draws import Draws
    from circuits.program import Program
    from providers.base import Json

SHOTS, HISTOGRAM = "ionq.result.shots.json.v1", "ionq.result.histogram.json.v1"
_NEARLY = 1e-3  # of a shot: what a decimal of a share of shots may miss a whole number by


def artifact(job: Json) -> tuple[str, str]:
    """Choose the result to read: (format, artifact id), or ('', '') for the probabilities.

    Example:
        >>> artifact({"results": {HISTOGRAM: {"id": "h1"}}})[1], artifact({"results": None})
        ('h1', ('', ''))
    """
    results = job.get("results") if isinstance(job, dict) else None
    for name in (SHOTS, HISTOGRAM):
        entry = results.get(name) if isinstance(results, dict) else None
        if isinstance(entry, dict) and isinstance(entry.get("id"), str):
            return name, str(entry["id"])
    return "", ""


def from_shots(content: Json, program: Program) -> ProgramResult:
    """Read one decimal state a shot, in the order of the shots."""
    if not isinstance(content, list):
        raise AdapterFault(f"ionq: need a list of shots, got {str(content)[:80]}")
    known: dict[Json, str] = {}
    memory = []
    for state in content:
        if not isinstance(state, str | int):
            raise AdapterFault(f"ionq: need decimal states, got {str(state)[:80]}")
        if state not in known:
            known[state] = bits(_state(state, program), program)
        memory.append(known[state])
    counts = Counts(program.num_bits, dict(Counter(memory)))
    return ProgramResult(counts, ResultKind.SHOTS, (), tuple(memory))


def from_histogram(content: Json, program: Program) -> ProgramResult:
    """Read how often each decimal state came."""
    table: dict[str, int] = {}
    for state, number in _numbers(content, program).items():
        if number != int(number):
            raise AdapterFault(f"ionq: need whole numbers of shots, got {number}")
        key = bits(state, program)
        table[key] = table.get(key, 0) + int(number)
    return ProgramResult(Counts(program.num_bits, table), ResultKind.COUNTS)


def from_machine(
    content: Json, program: Program, *, shots: int, debiased: bool = False
) -> ProgramResult:
    """Turn a machine's probabilities back into counts, where they are shares of its shots.

    How many shots came back is not said: shares of all that were asked for look like shares of
    fewer wherever both fit (1/2 of 100, 1/2 of 80), so that all of them are assumed, and the result
    says so.

    Args:
        content: {decimal state: probability}.
        program: As it was sent.
        shots: Asked for.
        debiased: IonQ's error mitigation was on, so that probabilities are no shares of shots.

    Raises:
        AdapterFault: They are no shares of `shots`, though nothing was mitigated: fewer shots came
            back, or something was done to them, and counts would be made up.

    Example:
        >>> from circuits.program import Program, measure
        >>> read = from_machine({"0": 0.25, "1": 0.75}, Program(1, 1, (measure(0, 0),)), shots=8)
        >>> dict(read.counts.table), read.processing
        ({'0': 2, '1': 6}, ('probabilities times the 8 shots asked for, assumed to be all back',))
    """
    shares = {state: p * shots for state, p in _numbers(content, program).items()}
    whole = {state: round(share) for state, share in shares.items()}
    if all(abs(whole[state] - share) < _NEARLY for state, share in shares.items()):
        step = f"probabilities times the {shots} shots asked for, assumed to be all back"
    elif debiased:
        whole = _apportioned(shares, shots)
        step = f"mitigated probabilities times {shots}, rounded: these are no counts of shots"
    else:
        raise AdapterFault(
            f"ionq: need probabilities that are shares of the {shots} shots asked for, got "
            f"{_odd(shares, shots)}: fewer shots came back, or they were processed"
        )
    table: dict[str, int] = {}
    for state, number in whole.items():
        key = bits(state, program)
        table[key] = table.get(key, 0) + number
    return ProgramResult(Counts(program.num_bits, table), ResultKind.PROBABILITIES, (step,))


def from_simulator(content: Json, program: Program, *, shots: int, draws: Draws) -> ProgramResult:
    """Draw shots from the simulator's exact probabilities."""
    import numpy as np

    from providers.sampling import sample

    law = _numbers(content, program)
    keys = [bits(state, program) for state in law]
    rows = np.array([[int(bit) for bit in reversed(key)] for key in keys], dtype=np.uint8)
    if not keys or not math.isclose(sum(law.values()), 1.0, abs_tol=1e-3):
        raise AdapterFault(f"ionq: need probabilities of sum 1, got {sum(law.values()):.6g}")
    counts = sample(rows, np.array(list(law.values())), shots=shots, draws=draws)
    step = "shots drawn from IonQ's exact probabilities"
    return ProgramResult(counts, ResultKind.PROBABILITIES, (step,))


def digest(content: bytes) -> str:
    """Name a raw answer by its SHA-256 (hex)."""
    return hashlib.sha256(content).hexdigest()


def _numbers(content: Json, program: Program) -> dict[int, float]:
    """Read {decimal state: number >= 0}, ascending by state."""
    if not isinstance(content, Mapping):
        raise AdapterFault(f"ionq: need an object of states, got {str(content)[:80]}")
    numbers: dict[int, float] = {}
    for state, number in content.items():
        fits = isinstance(number, int | float) and not isinstance(number, bool)
        if not fits or not 0 <= float(str(number)) < math.inf:
            raise AdapterFault(f"ionq: need numbers >= 0, got {str(number)[:80]}")
        numbers[_state(state, program)] = float(str(number))
    return dict(sorted(numbers.items()))


def _state(word: str | int, program: Program) -> int:
    """Read a decimal state, which must fit the qubits that were sent."""
    qubits, shown = width(program), str(word)
    if not shown.isdecimal() or len(shown) > 1 + qubits or int(shown) >> qubits:
        raise AdapterFault(f"ionq: need states of {qubits} qubits, got {shown[:80]!r}")
    return int(shown)


def _odd(shares: Mapping[int, float], shots: int) -> float:
    """The probability that is furthest from a share of the shots."""
    return max(shares.values(), key=lambda share: abs(share - round(share))) / shots


def _apportioned(shares: Mapping[int, float], shots: int) -> dict[int, int]:
    """Round to whole shots, largest remainders up, never to more shots than the shares have."""
    whole = {state: math.floor(share) for state, share in shares.items()}
    missing = min(shots, round(sum(shares.values()))) - sum(whole.values())
    order = sorted(shares, key=lambda state: (whole[state] - shares[state], state))
    for state in order[: max(missing, 0)]:
        whole[state] += 1
    return whole
