"""Agreement of two devices whose noise is known."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from circuits.counts import Counts
from circuits.topology import complete
from qsubnet.errors import BadInput
from qsubnet.measuring.measured import Measured
from qsubnet.measuring.subject import Subject

Make = Callable[..., Subject]
Run = Callable[..., Measured]


def test_white_noise_agrees_as_the_product_of_the_fidelities(device: Make, measured: Run) -> None:
    first, second = device(8, floor=0.9), device(8, floor=0.7, seed=b"other", name="second")
    cross, one, two = measured("twins", first, second).figures
    for figure, truth in ((cross, 0.63), (one, 0.9), (two, 0.7)):
        assert figure.bounds is not None
        assert figure.bounds.low < truth < figure.bounds.high
        assert figure.bounds.high - figure.bounds.low < 0.25
    assert cross.about["agreement"] == ["consistent"] * 4
    assert (one.of, two.of) == ("known", "second")


def test_devices_of_different_make_get_the_circuit_compiled(device: Make, measured: Run) -> None:
    other = device(topology=complete(5, ("cx", "u")), seed=b"other", name="second")
    cross, *_ = measured("twins", device(5), other, widths=(5,)).figures
    assert cross.bounds is not None
    assert cross.bounds.low < 1.0 < cross.bounds.high
    assert cross.about["agreement"] == ["consistent"] * 4


def test_a_device_that_reverses_its_bits_is_seen_not_to_agree(device: Make, measured: Run) -> None:
    wrong = device(8, change=lambda counts: counts.reversed(), seed=b"other", name="second")
    cross, _, two = measured("twins", device(8), wrong).figures
    assert cross.bounds is not None
    assert two.bounds is not None
    assert cross.bounds.high < 0.5
    assert two.bounds.high < 0.5


def test_copied_answers_are_called_shared(device: Make, measured: Run) -> None:
    kept: list[Counts] = []

    def keep(counts: Counts) -> Counts:
        kept.append(counts)
        return counts

    def copy(_counts: Counts) -> Counts:
        return kept.pop(0)

    # Another make: the circuit is compiled anew, and no mask hides whose bits are whose.
    first = device(8, change=keep)
    second = device(topology=complete(8, ("cx", "u")), change=copy, name="second")
    cross, *_ = measured("twins", first, second, circuits=2).figures
    assert cross.about["agreement"] == ["shared"] * 2


def test_a_second_device_is_needed(device: Make, measured: Run) -> None:
    with pytest.raises(BadInput, match="twins need a second device: --second-provider"):
        measured("twins", device())


def test_other_kinds_take_no_second_device(device: Make, measured: Run) -> None:
    with pytest.raises(BadInput, match="ghz takes no --second-provider"):
        measured("ghz", device(), device(name="second"))
