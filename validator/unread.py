"""Qubits that a device claims and that are not shown to read out.

Full-width circuits succeed too seldom to accuse by, and narrow ones may happen to miss the qubits
that are not there; so every claimed qubit has to be seen: in the newest readout probes it must not
be wrong more often than its sheet can explain, neither with 0 nor with 1 prepared. It costs a
device its label only where many qubits fail, and never accuses: real processors lose qubits.

Assumes: `LIMIT` lies midway between a qubit that reads out and a coin; up to three times the
sheet's rate is forgiven, as calibration ages.
Blind spots: qubits that read out and do nothing else; qubits whose sheet says a sixth or more.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from validator.answers import ErrorRates, KnownShots
from validator.interval import clopper_pearson

__all__ = ["LIMIT", "MOST_UNREAD", "unread"]

LIMIT: Final = 0.25
MOST_UNREAD: Final = 0.1
"""Share of a device's qubits that may fail before it loses its label; one always may."""

_SHEETS: Final = 3.0
_CONFIDENCE: Final = 0.999


def unread(answers: Iterable[KnownShots], *, readout: tuple[float, ...]) -> tuple[int, ...]:
    """Return the qubits that are wrong too often, ascending.

    Args:
        answers: To the readout probes of one epoch.
        readout: The sheet's chance of a wrong bit, by qubit.

    Returns:
        Device qubits whose wrong share, with either value prepared, lies with a confidence of .999
        above `LIMIT` and three times the sheet's.

    Example:
        >>> from validator.answers import AnswerKind, known_shots
        >>> coins = known_shots({"01": 50, "11": 50}, target="01", qubits=(0, 1),
        ...                     kind=AnswerKind.READOUT, label="a")
        >>> unread([coins], readout=(0.02, 0.02))
        (1,)
    """
    rates = ErrorRates()
    for shots in answers:
        rates = rates.after(shots, errors=shots.errors, counts=shots.counts)
    found = set()
    for (qubit, _), (wrong, read) in rates.seen.items():
        most = max(LIMIT, _SHEETS * readout[qubit])
        # The bound takes time and lies below the share.
        if wrong > most * read and clopper_pearson(wrong, read, confidence=_CONFIDENCE).low > most:
            found.add(qubit)
    return tuple(sorted(found))
