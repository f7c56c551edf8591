"""The order of bits, read off what flipping every qubit shows; and the line that mends it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from circuits.topology import complete
from providers.base import Device, DeviceClass
from qsubnet.onboarding.answer_advice import answer_advice
from qsubnet.onboarding.order import BitOrder, OrderWord, flips, in_words, order_of

permutations = st.integers(2, 9).flatmap(lambda n: st.permutations(range(n)))


def _device(n: int) -> Device:
    return Device("lab", DeviceClass.SIMULATOR, complete(n, ("cx", "u")), None, "lab")


def _moved(bits: str, sources: list[int]) -> str:
    """Output bit i shows bit `sources[i]` of the truth; bit 0 is the rightmost character."""
    return "".join(bits[-1 - sources[i]] for i in reversed(range(len(bits))))


@settings(max_examples=40)
@given(permutations)
def test_any_order_is_read_back_from_the_probes(sources: list[int]) -> None:
    answers = [_moved(probe.expected, sources) for probe in flips(_device(len(sources)))]
    found = order_of(answers)
    assert list(found.sources) == sources
    if sources == sorted(sources):
        assert found.word is OrderWord.RIGHT
    elif sources == sorted(sources, reverse=True):
        assert found.word is OrderWord.REVERSED
    else:
        assert found.word is OrderWord.PERMUTED


@settings(max_examples=40)
@given(permutations, st.data())
def test_the_line_that_is_advised_puts_every_bit_back(
    sources: list[int], data: st.DataObject
) -> None:
    n = len(sources)
    truth = data.draw(st.text("01", min_size=n, max_size=n))
    device = _device(n)
    order = order_of([_moved(probe.expected, sources) for probe in flips(device)])
    found = answer_advice(device, (), order=order, failures={}, adapter="exec")
    if order.word is OrderWord.RIGHT:
        assert found == []
        return
    line = found[0].fix.partition('"counts": ')[2]
    names: dict[str, dict[str, int]] = {"counts": {_moved(truth, sources): 7}}
    exec(line, names)  # noqa: S102 - the advice is a line of Python, and has to work as one
    assert names["counts"] == {truth: 7}


def test_a_qubit_that_never_flips_makes_the_order_unclear_and_is_named() -> None:
    # Qubit 1 of 3 sticks at 0: its number 2 is never spelt.
    order = order_of(["101", "100"])
    assert order.word is OrderWord.UNCLEAR
    assert in_words(order) == "bit 1 shows no qubit"


def test_a_broken_qubit_does_not_hide_reversed_bits() -> None:
    n = 8
    backwards = list(range(n - 1, -1, -1))
    answers = [_moved(probe.expected, backwards) for probe in flips(_device(n))]
    stuck = [bits[:-1] + "0" for bits in answers]
    assert order_of(stuck).word is OrderWord.REVERSED


def test_many_moved_bits_are_cut_short() -> None:
    order = BitOrder(OrderWord.PERMUTED, (*range(1, 20), 0))
    assert in_words(order).endswith(", and 12 more")
