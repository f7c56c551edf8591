"""Bank entries: what is kept of one random circuit that was simulated once, offline.

Test T7. A circuit of 26 to 34 qubits is too wide to simulate when an answer arrives, and its law
too large to keep. An entry keeps, for each string of a secret subset (`bank_subset`), two
bits: its level, by how its ideal probability p compares with chance,

    level 0: D p < .05    1: < .4    2: < ln 5    3: the heavy list, about a fifth of all strings

and exactly, for each level, the share of strings u_k and of ideal probability P_k. That makes

- the heavy-list fidelity F = (hit - f)/(P_top - f), f = u_3, P_top = P_3, unbiased for white noise;
- a likelihood of all four levels, u_k (1 + F (P_k/u_k - 1)). Strings that should almost never come
  tell a perfect simulator from a nearly perfect one: at F = .99 the two bits carry 5.6 times the
  Fisher information of the heavy list alone (2.33 against .415 a shot; the whole law has 3.17), so
  they are worth more than a subset twice as large.

An entry serves once: whoever has seen its circuit can prepare for it. The key is secret until the
answer is in or its deadline has passed; then anybody can simulate the circuit and check the levels.

Assumes exponentially distributed probabilities (deep random circuits) only for the figures above,
never in the estimates. Blind spot: white noise is assumed between "holds the state" and "does not".
Source: Arute et al., Nature 574, 505 (2019), supplement IV; Aaronson and Gunn, arXiv:1910.12085.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING

import numpy as np

from circuits.case import Case
from circuits.random_all import RandomAll
from circuits.topology import complete
from validator.estimators.heavy_list import HitCircuit, hit_fidelity
from validator.estimators.xeb import XebCircuit, likelihood_xeb
from validator.references.bank_subset import Subset, draw_subset

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from validator.interval import Interval

    Levels = NDArray[np.uint8]
    State = NDArray[np.complex64] | NDArray[np.complex128]

CUTS = (0.05, 0.4, math.log(5.0))
"""Where levels begin, in D p. The last one leaves a fifth above it if p is exponentially
distributed; the lower two are near the best for F = .9 to .99."""

FORMAT = "qsubnet-bank-entry/1"
_LEVELS = len(CUTS) + 1
_A_BYTE = 4  # levels of two bits
_DIGITS = 12


@dataclass(frozen=True, slots=True)
class BankEntry:
    """One circuit and what is known of its law, without the levels themselves.

    Attributes:
        index: Place in its bank.
        key: Draws the circuit and the subset; secret, left out of the repr.
        qubits: Width.
        depth: Two-qubit layers.
        gates: Native gates that the circuit is written in, on a device that couples every pair.
        program_digest: SHA-256 (hex) of the circuit's text.
        kept_bits: log2 of the number of strings whose level is kept.
        strings: For each level, how many of the kept strings are in it.
        weights: For each level, the ideal probability of a kept string to be in it; they sum to 1.
        levels_digest: SHA-256 (hex) of the levels, four to a byte.
        deadline_s: Seconds from dispatch after which an answer is no evidence.
        engine: What simulated the circuit.

    Raises:
        ValueError: A number contradicts another.
    """

    index: int
    key: bytes = field(repr=False)
    qubits: int
    depth: int
    gates: tuple[str, ...]
    program_digest: str
    kept_bits: int
    strings: tuple[int, ...]
    weights: tuple[float, ...]
    levels_digest: str
    deadline_s: float
    engine: str

    def __post_init__(self) -> None:
        if not 2 <= self.kept_bits <= self.qubits:
            raise ValueError(f"need 2 .. {self.qubits} kept bits, got {self.kept_bits}")
        if len(self.strings) != _LEVELS or sum(self.strings) != 1 << self.kept_bits:
            raise ValueError(f"need 2**{self.kept_bits} strings in 4 levels, got {self.strings}")
        if len(self.weights) != _LEVELS or abs(math.fsum(self.weights) - 1.0) > 1e-9:
            raise ValueError(f"need 4 weights that sum to 1, got {self.weights}")
        if not self.deadline_s > 0:
            raise ValueError(f"need a deadline above 0 s, got {self.deadline_s}")

    @property
    def heavy_share(self) -> float:
        """The fraction f of kept strings that are on the heavy list."""
        return self.strings[-1] / (1 << self.kept_bits)

    def case(self) -> Case:
        """Draw the circuit.

        Raises:
            ValueError: It is not the circuit that the levels were made from.
        """
        topology = complete(self.qubits, self.gates)
        case = RandomAll().generate(
            self.key, width=self.qubits, depth=self.depth, topology=topology
        )
        if self.program_digest not in ("", case.program.digest):
            raise ValueError(
                f"entry {self.index} was made for program {self.program_digest[:16]}, its key now "
                f"draws {case.program.digest[:16]}: the software differs"
            )
        return case

    def subset(self) -> Subset:
        """Draw the strings whose levels are kept."""
        return draw_subset(self.key, bits=self.qubits, kept=self.kept_bits)


@dataclass(frozen=True, slots=True)
class BankAnswer:
    """An answer, sorted into the levels of its entry.

    Attributes:
        shots: Shots that came back.
        hits: Of those inside the subset, how many had each level.
    """

    shots: int
    hits: tuple[int, ...]

    @property
    def counted(self) -> int:
        """Shots inside the subset: the ones that say something."""
        return sum(self.hits)


def levels_of(state: State, subset: Subset) -> tuple[Levels, tuple[int, ...], tuple[float, ...]]:
    """Sort a subset's strings into levels.

    Args:
        state: Amplitudes, index bit k is qubit k, of norm 1 to single precision.
        subset: At least four strings.

    Returns:
        The levels, four to a byte, string 4 j + k of the subset in bits 2 k and 2 k + 1 of byte j;
        how many strings each level has; the weight of each level inside the subset.
    """
    strings = np.zeros(_LEVELS, dtype=np.int64)
    parts: list[list[float]] = [[] for _ in range(_LEVELS)]
    packed = []
    for block in subset.strings():
        seen = state[block]
        ratio = (seen.real.astype(np.float64) ** 2 + seen.imag.astype(np.float64) ** 2) * state.size
        level = np.digitize(ratio, CUTS).astype(np.uint8)
        strings += np.bincount(level, minlength=_LEVELS)
        for k, weight in enumerate(np.bincount(level, weights=ratio, minlength=_LEVELS)):
            parts[k].append(float(weight))
        four = level.reshape(-1, _A_BYTE)
        packed.append(four[:, 0] | four[:, 1] << 2 | four[:, 2] << 4 | four[:, 3] << 6)
    weights = [math.fsum(part) for part in parts]
    total = math.fsum(weights)
    shares = tuple(round(weight / total, _DIGITS) for weight in weights)
    return np.concatenate(packed), tuple(int(n) for n in strings), shares


def sorted_answer(entry: BankEntry, levels: Levels, counts: Mapping[str, int]) -> BankAnswer:
    """Look an answer's strings up.

    Args:
        entry: Whose circuit was run.
        levels: Its levels, 2**kept_bits / 4 bytes; a memory map is fine, few pages are read.
        counts: {bitstring: shots}, bit 0 rightmost.

    Raises:
        ValueError: The levels or a string have the wrong length.
    """
    if levels.size * _A_BYTE != 1 << entry.kept_bits:
        raise ValueError(
            f"need {(1 << entry.kept_bits) // _A_BYTE} bytes of levels, got {levels.size}"
        )
    wrong = [key for key in counts if len(key) != entry.qubits]
    if wrong:
        raise ValueError(f"need strings of {entry.qubits} bits, got {wrong[0][:80]!r}")
    number = entry.subset().numbers(np.array([int(key, 2) for key in counts], dtype=np.int64))
    shots = np.array(list(counts.values()), dtype=np.int64)
    inside = number >= 0
    byte, place = np.divmod(number[inside], _A_BYTE)
    level = levels[byte] >> (2 * place).astype(np.uint8) & 3
    hits = [int(shots[inside][level == k].sum()) for k in range(_LEVELS)]
    return BankAnswer(int(shots.sum()), tuple(hits))


def hit_circuit(entry: BankEntry, answer: BankAnswer) -> HitCircuit:
    """Write an answer as hits of the heavy list, for `heavy_list.hit_fidelity`.

    Only shots inside the subset count. That they are inside depends on the secret key alone, and
    the subset holds its share of the ideal weight to about 2**(-kept_bits / 2).

    Raises:
        ValueError: The ideal law is no heavier on the list than chance: it says nothing.
    """
    return HitCircuit(
        answer.hits[-1], answer.counted, ideal=entry.weights[-1], share=entry.heavy_share
    )


def bank_fidelity(entry: BankEntry, answer: BankAnswer, *, confidence: float = 0.95) -> Interval:
    """Estimate the XEB fidelity of one answer from the heavy list, F = (hit - f)/(P_top - f).

    For this circuit only; unbiased for white noise, may leave [0, 1]. The standard deviation is
    about 1.24/sqrt(shots inside) near F = 0 and 1.55/sqrt(shots inside) near 1.

    Returns:
        The interval (Wilson's, mapped); (0, 0.5, 1) without a shot inside the subset.
    """
    return hit_fidelity([hit_circuit(entry, answer)], confidence=confidence)


def bank_circuit(entry: BankEntry, answer: BankAnswer) -> XebCircuit:
    """Write an answer's levels as outcomes of cross-entropy, for `xeb.likelihood_xeb`.

    Its outcomes are the levels, with w_k = P_k / u_k; its excess is sum of P_k^2 / u_k, minus 1:
    .744 for exponentially distributed probabilities, where that of the whole law is 1.
    """
    share = [count / (1 << entry.kept_bits) for count in entry.strings]
    seen = [k for k, shots in enumerate(answer.hits) if shots and entry.strings[k]]
    ratios = [entry.weights[k] / share[k] for k in seen]
    excess = math.fsum(p * p / u for p, u in zip(entry.weights, share, strict=True) if u) - 1.0
    return XebCircuit(
        ratios=np.array(ratios, dtype=np.float64),
        counts=np.array([answer.hits[k] for k in seen], dtype=np.int64),
        excess=excess,
    )


def bank_exactness(entry: BankEntry, answer: BankAnswer, *, confidence: float = 0.95) -> Interval:
    """Bound the fidelity of one answer by the likelihood of its levels; the sharp one near 1.

    Returns:
        Bounds within [0, 1]; (0, 0.5, 1) without a shot inside the subset. Several answers are
        pooled by `likelihood_xeb([bank_circuit(...), ...])`.
    """
    return likelihood_xeb([bank_circuit(entry, answer)], confidence=confidence)


def levels_digest(levels: Levels) -> str:
    """SHA-256 (hex) of the levels' bytes."""
    return hashlib.sha256(np.ascontiguousarray(levels).data).hexdigest()


def entry_text(entry: BankEntry) -> str:
    """Write an entry as canonical JSON; the key is in it."""
    content = {**asdict(entry), "key": entry.key.hex(), "format": FORMAT}
    return json.dumps(content, sort_keys=True, separators=(",", ":")) + "\n"


def entry_from(text: str) -> BankEntry:
    """Read what `entry_text` wrote.

    Raises:
        ValueError: It is not such a text, or its numbers contradict each other.
    """
    content = json.loads(text)
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(f"need a {FORMAT}, got {text[:40]!r}")
    names = {one.name for one in fields(BankEntry)}
    if set(content) != names | {"format"}:
        raise ValueError(f"need the fields {sorted(names)}, got {sorted(content)}")
    del content["format"]
    content["key"] = bytes.fromhex(content["key"])
    for name in ("gates", "strings", "weights"):
        content[name] = tuple(content[name])
    return BankEntry(**content)
