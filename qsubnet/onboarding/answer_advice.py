"""What is wrong with the answers themselves: order, width, number of shots, kind, failures.

Each finding names the line to write. Where that line is, depends on the adapter: `where_of`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

import providers
from providers.base import DeviceClass, ResultKind
from qsubnet.onboarding.finding import Finding, Level
from qsubnet.onboarding.order import BitOrder, OrderWord, flips, in_words

if TYPE_CHECKING:
    from providers.base import Device
    from qsubnet.onboarding.watched import Answered

_MOST_LISTED = 40


def where_of(adapter: str) -> str:
    """Say where an adapter builds its counts.

    Example:
        >>> where_of("exec")
        'in the program that `command` starts, where it builds "counts"'
        >>> where_of("aer")
        'in the module providers.aer, where it builds Counts'
    """
    if adapter == "exec":
        return 'in the program that `command` starts, where it builds "counts"'
    known = providers.ADAPTERS.get(adapter)
    points = {point.name: point.value for point in entry_points(group=providers.ENTRY_POINTS)}
    target = known.target if known else points.get(adapter, adapter)
    return f"in the module {target.partition(':')[0]}, where it builds Counts"


def answer_advice(
    device: Device,
    answered: Sequence[Answered],
    *,
    order: BitOrder,
    failures: Mapping[str, int],
    adapter: str,
) -> list[Finding]:
    """List what is wrong with what came back.

    Args:
        device: The claim.
        answered: Everything that came back.
        order: See `qsubnet.onboarding.order.bit_order`.
        failures: Number of tests without an answer, by what the backend said.
        adapter: Its name.
    """
    where = where_of(adapter)
    found = [
        _order(order, where),
        _width(answered, where),
        *_shots(answered, where),
        _kind(device, answered),
        _scatter(scatter(device, order, answered)),
    ]
    found.extend(_failure(sentence, times) for sentence, times in sorted(failures.items()))
    return [finding for finding in found if finding is not None]


def _order(order: BitOrder, where: str) -> Finding | None:
    if order.word is OrderWord.REVERSED:
        return Finding(
            Level.ERROR,
            "the bits come in reversed order: what is flipped on qubit 0 shows in the leftmost "
            "character; classical bit 0 has to be the rightmost",
            f"{where}: counts = {{bits[::-1]: n for bits, n in counts.items()}}",
        )
    if order.word is OrderWord.PERMUTED:
        return Finding(
            Level.ERROR,
            f"the bits come in a wrong fixed order: {in_words(order)}",
            f"{where}: {_mending(order)}",
        )
    if order.word is OrderWord.UNCLEAR and 2 * len(order.moved) > len(order.sources) > 0:
        return Finding(
            Level.ERROR,
            f"the answers do not follow the circuits: of {len(order.sources)} qubits that are "
            f"flipped in turn, {len(order.moved)} do not show it",
            "make sure that the program that came is the one that runs, on a backend that is up, "
            "and that its own answer is returned, not an earlier one",
        )
    if order.word is OrderWord.UNCLEAR and order.sources:
        return Finding(
            Level.ERROR,
            f"flipping every qubit in turn does not show where it should: {in_words(order)}",
            "if these qubits are broken, leave them out of the device or publish their true "
            f"readout errors; else mend the order of bits {where}",
        )
    return None


def _mending(order: BitOrder) -> str:
    """Write the lines that put every bit back in its place."""
    places = [0] * len(order.sources)
    for bit, source in enumerate(order.sources):
        places[source] = bit
    if len(places) > _MOST_LISTED:
        return "move " + ", ".join(
            f"bit {bit} to place {order.sources[bit]}" for bit in order.moved[:_MOST_LISTED]
        )
    return (
        f"place = {places}; counts = {{''.join(bits[-1 - i] for i in reversed(place)): n "
        f"for bits, n in counts.items()}}"
    )


def _width(answered: Sequence[Answered], where: str) -> Finding | None:
    wrong = [one for one in answered if one.counts.num_bits != one.program.num_bits]
    if not wrong:
        return None
    first = wrong[0]
    got, asked = first.counts.num_bits, first.program.num_bits
    cause = (
        "every declared bit has a character, and a bit that nothing measures reads 0: "
        "counts = {bits.zfill(num_bits): n ...}, if only leading zeros are missing"
        if got < asked
        else "only the declared classical bits have a character: drop ancillas, spaces and "
        "registers of the compiler's own"
    )
    return Finding(
        Level.ERROR,
        f"{len(wrong)} of {len(answered)} answers have bitstrings of a wrong width, such as "
        f"{got} bits where the program declares {asked}",
        f"{where}: {cause}",
    )


def _shots(answered: Sequence[Answered], where: str) -> list[Finding]:
    found = []
    fewer = [one for one in answered if one.counts.shots < one.shots_asked]
    more = [one for one in answered if one.counts.shots > one.shots_asked]
    if fewer:
        worst = min(fewer, key=lambda one: one.counts.shots / one.shots_asked)
        found.append(
            Finding(
                Level.ERROR if 2 * len(fewer) > len(answered) else Level.WARNING,
                f"{len(fewer)} of {len(answered)} answers hold too few shots, such as "
                f"{worst.counts.shots} of {worst.shots_asked}",
                "return every shot that was asked for, also those that post-selection would drop; "
                "if the backend caps them, claim the cap as max_shots; only whole answers are paid",
            )
        )
    if more:
        found.append(
            Finding(
                Level.ERROR,
                f"{len(more)} of {len(answered)} answers hold more shots than were asked for, such "
                f"as {more[0].counts.shots} of {more[0].shots_asked}",
                f"{where}: the sum over counts is exactly the job's shots",
            )
        )
    return found


def scatter(device: Device | None, order: BitOrder, answered: Sequence[Answered]) -> float | None:
    """Give the share of wrong bits of the flips of a device that claims to be exact.

    Returns:
        0 .. 1; None where nothing is wrong, where errors are published, or where the order of bits
        is, so that the share would say nothing.
    """
    if device is None or device.errors is not None or order.word is not OrderWord.RIGHT:
        return None
    expected = {probe.program.digest: probe.expected for probe in flips(device)}
    wrong = total = 0
    for one in answered:
        bits = expected.get(one.program.digest)
        if bits is None or one.counts.num_bits != len(bits):
            continue
        total += one.counts.shots * len(bits)
        wrong += sum(
            shots * sum(a != b for a, b in zip(key, bits, strict=True))
            for key, shots in one.counts.table.items()
        )
    return wrong / total if wrong else None


def _scatter(share: float | None) -> Finding | None:
    if share is None:
        return None
    return Finding(
        Level.ERROR,
        f"it claims to be exact, but {share:.2%} of all bits come back wrong where qubits are only "
        f"flipped and read",
        "a simulator is paid for exact answers: switch its noise off; a real machine is claimed "
        "with class qpu and its error rates",
    )


def _kind(device: Device, answered: Sequence[Answered]) -> Finding | None:
    kinds = Counter(one.kind for one in answered)
    if not kinds[ResultKind.PROBABILITIES]:
        return None
    is_qpu = device.device_class is DeviceClass.QPU
    return Finding(
        Level.WARNING if is_qpu else Level.NOTE,
        f"{kinds[ResultKind.PROBABILITIES]} of {len(answered)} results came as probabilities, "
        f"and counts were drawn from them",
        "ask the backend for shots or counts: rounded or redrawn probabilities cannot show the "
        "machine's own chance, and identical ones are taken for replayed answers",
    )


def _failure(sentence: str, times: int) -> Finding:
    return Finding(
        Level.WARNING,
        f"{times} tests had no answer: {sentence}",
        "see the backend's own words; a kind of test with less than half of its answers whole is "
        "not paid for",
    )
