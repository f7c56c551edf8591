"""The sheet: a device claim as a JSON object, for devices that no vendor's SDK describes.

    {"name": "lab-5", "class": "qpu", "num_qubits": 3, "native_gates": ["rz", "sx", "x"],
     "two_qubit_gate": "cz", "coupling": [[0, 1], [1, 2]],
     "errors": {"one_qubit": 0.0004, "two_qubit": {"0-1": 0.007, "1-2": 0.009},
                "readout": [0.012, 0.02, 0.015]}}

`coupling` is a list of pairs or "all". An error rate is one number for all, or a list (per qubit;
per pair in the order of `coupling`), and for pairs also {"a-b": x} in either direction. One- and
two-qubit rates are average gate infidelities, readout is the chance of a wrong bit. A `simulator`
may leave `errors` out, and then claims to be exact. Circuits are drawn with `two_qubit_gate`;
other two-qubit gates that `native_gates` lists are not used.

Everything is checked, and a word that is not listed here is refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from circuits.errors import CircuitError
from circuits.gates import GATES
from circuits.topology import Edge, Topology, complete
from providers.base import Device, DeviceClass, ErrorRates
from providers.errors import Rejected

if TYPE_CHECKING:
    from providers.base import Json

MOST_QUBITS = 1_024
MOST_BYTES = 8_000_000

_NEEDED = ("name", "class", "num_qubits", "native_gates", "two_qubit_gate", "coupling")
_RATES = ("one_qubit", "two_qubit", "readout")


def read_sheet(path: str | Path) -> Json:
    """Read a sheet's file, without looking at what it says.

    Raises:
        Rejected: There is no such file, it is too large, or it is no JSON.
    """
    try:
        with Path(path).open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise Rejected(f"cannot read the sheet {str(path)!r}: {error.strerror}") from None
    if len(data) > MOST_BYTES:
        raise Rejected(f"the sheet {str(path)!r} has more than {MOST_BYTES} bytes")
    try:
        content: Json = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Rejected(f"the sheet {str(path)!r} is no JSON: {error}") from None
    return content


def device_from_sheet(content: Json, *, provider: str, name: str = "") -> Device:
    """Turn a sheet into a device claim.

    Args:
        content: The JSON object of the module's text.
        provider: The adapter that offers the device.
        name: Stands in for the sheet's name.

    Raises:
        Rejected: A word is missing, unknown or wrong; the message says which and what is allowed.

    Example:
        >>> sheet = {"name": "lab", "class": "simulator", "num_qubits": 3,
        ...          "native_gates": ["u"], "two_qubit_gate": "cx", "coupling": "all"}
        >>> device_from_sheet(sheet, provider="exec").topology.edges
        ((0, 1), (0, 2), (1, 2))
    """
    if not isinstance(content, Mapping):
        raise Rejected(f"a sheet is a JSON object, got {_shown(content)}")
    _words(content, "a sheet", needed=_NEEDED, allowed=(*_NEEDED, "errors"))
    device_class = _class(content["class"])
    pairs, topology = _topology(content)
    try:
        return Device(
            name or _text(content["name"], "name"),
            device_class,
            topology,
            _errors(content.get("errors"), pairs, topology),
            provider,
        )
    except ValueError as error:
        raise Rejected(f"the sheet: {error}") from None


def _words(
    content: Mapping[str, Json], what: str, *, needed: Sequence[str], allowed: Sequence[str]
) -> None:
    missing = [word for word in needed if word not in content]
    unknown = sorted(set(content) - set(allowed))
    if missing:
        raise Rejected(f"{what} needs {', '.join(needed)}; {missing[0]!r} is missing")
    if unknown:
        raise Rejected(f"{what} has no {unknown[0][:80]!r}, allowed are {', '.join(allowed)}")


def _class(value: Json) -> DeviceClass:
    words = [word.value for word in DeviceClass]
    if not isinstance(value, str) or value not in words:
        raise Rejected(f"the sheet's class is one of {', '.join(words)}, got {_shown(value)}")
    return DeviceClass(value)


def _text(value: Json, word: str) -> str:
    if not isinstance(value, str):
        raise Rejected(f"the sheet's {word} is a text, got {_shown(value)}")
    return value


def _whole(value: Json, word: str, *, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise Rejected(
            f"the sheet's {word} is a whole number in {low} .. {high}, got {_shown(value)}"
        )
    return value


def _list(value: Json, word: str) -> list[Json]:
    if not isinstance(value, list):
        raise Rejected(f"the sheet's {word} is a list, got {_shown(value)}")
    return value


def _topology(content: Mapping[str, Json]) -> tuple[list[Edge], Topology]:
    """Read the couplings as they were written, and the topology, which sorts them."""
    n = _whole(content["num_qubits"], "num_qubits", low=1, high=MOST_QUBITS)
    gates = _gates(content)
    if content["coupling"] == "all":
        whole = complete(n, gates)
        return list(whole.edges), whole
    pairs = [_pair(pair, n) for pair in _list(content["coupling"], 'coupling (or "all")')]
    try:
        return pairs, Topology(n, tuple(pairs), tuple(gates))
    except CircuitError as error:
        raise Rejected(f"the sheet's coupling: {error}") from None


def _gates(content: Mapping[str, Json]) -> list[str]:
    native = [
        _text(gate, "native_gates") for gate in _list(content["native_gates"], "native_gates")
    ]
    unknown = sorted(set(native) - set(GATES))
    if unknown:
        raise Rejected(
            f"the sheet's native_gates are among {', '.join(GATES)}, got {unknown[0][:80]!r}"
        )
    pairing = [name for name, gate in GATES.items() if gate.num_qubits == 2]
    chosen = _text(content["two_qubit_gate"], "two_qubit_gate")
    if chosen not in pairing:
        raise Rejected(
            f"the sheet's two_qubit_gate is one of {', '.join(pairing)}, got {chosen[:80]!r}"
        )
    return [*(gate for gate in native if gate not in pairing), chosen]


def _pair(value: Json, n: int) -> Edge:
    pair = _list(value, "couplings, each of them,")
    if len(pair) != 2:
        raise Rejected(f"the sheet's couplings are pairs [a, b], got {_shown(value)}")
    a, b = (_whole(end, "couplings' qubit", low=0, high=n - 1) for end in pair)
    return a, b


def _errors(value: Json, pairs: list[Edge], topology: Topology) -> ErrorRates | None:
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise Rejected(f"the sheet's errors are a JSON object, got {_shown(value)}")
    _words(value, "the sheet's errors", needed=_RATES, allowed=_RATES)
    n = topology.num_qubits
    by_pair = _pair_rates(value["two_qubit"], pairs)
    return ErrorRates(
        one_qubit=tuple(_rates(value["one_qubit"], "errors.one_qubit", n, "qubits")),
        two_qubit=tuple(by_pair[frozenset(edge)] for edge in topology.edges),
        readout=tuple(_rates(value["readout"], "errors.readout", n, "qubits")),
    )


def _pair_rates(value: Json, pairs: list[Edge]) -> dict[frozenset[int], float]:
    """Read the pairs' rates by unordered pair."""
    word = "errors.two_qubit"
    known = [frozenset(pair) for pair in pairs]
    if not isinstance(value, Mapping):
        return dict(zip(known, _rates(value, word, len(pairs), "couplings"), strict=True))
    rates: dict[frozenset[int], float] = {}
    for key, rate in value.items():
        ends = key.split("-")
        pair = frozenset(int(end) for end in ends if end.isascii() and end.isdigit())
        if len(ends) != 2 or pair not in known or pair in rates:
            raise Rejected(
                f'the sheet\'s {word} has one "a-b" a coupling, got {key[:80]!r} besides'
            )
        rates[pair] = _rate(rate, word)
    missing = [pair for pair in pairs if frozenset(pair) not in rates]
    if missing:
        raise Rejected(f'the sheet\'s {word} has no "{missing[0][0]}-{missing[0][1]}"')
    return rates


def _rates(value: Json, word: str, size: int, elements: str) -> list[float]:
    if isinstance(value, list):
        if len(value) != size:
            raise Rejected(
                f"the sheet's {word} needs {size} rates, one of its {elements} each, "
                f"got {len(value)}"
            )
        return [_rate(rate, word) for rate in value]
    return [_rate(value, word)] * size


def _rate(value: Json, word: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise Rejected(f"the sheet's {word} is a number in 0 .. 1, got {_shown(value)}")
    return float(value)


def _shown(value: Json) -> str:
    return repr(str(value)[:80])
