"""Wrong orders of bits: named where the law tells them, silent where it does not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from circuits.program import Program
from validator.mistakes import MISTAKE_THRESHOLD, reordered
from validator.recorded.laws import DenseLaw, IdealLaw, ideal_law
from validator.recorded.order import Order, order_evidence, sources_of
from validator.references.reference import Reference
from validator.sequential import run_mixture

REGISTERS = (1, 3)


@pytest.fixture
def laws(reference: Reference, random_program: Callable[..., Program]) -> list[DenseLaw]:
    found: list[IdealLaw | None] = [ideal_law(random_program(s, 4), reference) for s in range(6)]
    return [law for law in found if isinstance(law, DenseLaw)]


def _evidence(
    laws: list[DenseLaw],
    sampled: Callable[..., dict[str, int]],
    *,
    suspected: Order,
    true: Order | None,
    fidelity: float = 0.8,
) -> float:
    rng = np.random.default_rng(8)
    sources = sources_of(suspected, num_bits=4, registers=REGISTERS)
    turned = sources_of(true, num_bits=4, registers=REGISTERS) if true else [0, 1, 2, 3]
    factors = []
    for law in laws:
        counts = sampled(rng, law.values, fidelity=fidelity)
        seen = {reordered(key, sources=turned): n for key, n in counts.items()}
        factors.append(order_evidence(law, seen, num_bits=4, sources=sources))
    return run_mixture(factors).log10_e


@pytest.mark.parametrize("order", list(Order))
def test_an_order_is_named_where_it_is_true(
    laws: list[DenseLaw], sampled: Callable[..., dict[str, int]], order: Order
) -> None:
    assert _evidence(laws, sampled, suspected=order, true=order) > MISTAKE_THRESHOLD


@pytest.mark.parametrize("order", list(Order))
@pytest.mark.parametrize("fidelity", [1.0, 0.3, 0.0])
def test_the_right_order_is_never_suspected(
    laws: list[DenseLaw], sampled: Callable[..., dict[str, int]], order: Order, fidelity: float
) -> None:
    assert _evidence(laws, sampled, suspected=order, true=None, fidelity=fidelity) < 1.0


def test_uniform_bits_speak_for_an_order_exactly_as_often_as_the_floor_says() -> None:
    # Three strings in a cycle under "registers": by hand, one of three steps goes up.
    law = DenseLaw((0, 1, 2), (0, 1, 2), np.array([0.1, 0.3, 0.2, 0.0, 0.1, 0.1, 0.1, 0.1]))
    sources = sources_of(Order.REGISTERS, num_bits=3, registers=(1, 2))
    uniform = {format(i, "03b"): 1000 for i in range(8)}
    assert order_evidence(law, uniform, num_bits=3, sources=sources) < 0.0


def test_one_register_has_no_order_of_registers() -> None:
    assert sources_of(Order.REGISTERS, num_bits=3, registers=(3,)) == [0, 1, 2]
    assert sources_of(Order.INSIDE_REGISTERS, num_bits=3, registers=()) == [0, 1, 2]


def test_registers_of_one_bit_in_the_opposite_order_are_called_reversed() -> None:
    assert sources_of(Order.REGISTERS, num_bits=2, registers=(1, 1)) == [0, 1]


def test_a_law_that_reads_the_same_both_ways_says_nothing() -> None:
    ghz = DenseLaw((0, 1), (0, 1), np.array([0.5, 0.0, 0.0, 0.5]))
    assert order_evidence(ghz, {"00": 9, "01": 1}, num_bits=2, sources=[1, 0]) == 0.0
