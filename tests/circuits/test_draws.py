"""Draws: the same numbers on every machine, by golden values, and uniform by the right law."""

from __future__ import annotations

import hashlib
import hmac
import itertools

import numpy as np
import pytest

from circuits.draws import Draws


def _digest(values: object) -> str:
    return hashlib.sha256(repr(values).encode()).hexdigest()[:16]


def test_the_stream_is_counter_mode_sha256_under_an_hmac_of_the_path() -> None:
    path = b"s" + (6).to_bytes(4, "big") + b"mirror" + b"i" + (2).to_bytes(4, "big") + b"12"
    seed = hmac.new(b"key", path, hashlib.sha256).digest()
    blocks = [hashlib.sha256(seed + n.to_bytes(8, "big")).digest() for n in range(2)]
    assert Draws(b"key", "mirror", 12).take(50) == b"".join(blocks)[:50]


def test_golden_digests_of_every_kind_of_draw() -> None:
    """Frozen when written: a change here changes every circuit that validators agree on."""
    d = Draws(b"golden", "draws", 1)
    assert (
        _digest([d.integer(bound) for bound in (1, 2, 3, 24, 1000, 2**61, 2**200) * 20])
        == "4e94e93f66167873"
    )
    assert _digest(d.permutation(97)) == "58507107de708db7"
    assert _digest(d.bits(1001)) == "bd9db64bcac0ff22"
    assert _digest([d.random() for _ in range(50)]) == "88ad02499dbd9771"
    assert _digest([d.choice("abc") for _ in range(50)]) == "f63b06c5af47f76c"
    assert _digest(d.child("below", 3).integer(10**9)) == "ca17ec80ac10b333"


def test_drawing_in_parts_gives_the_same_bytes_as_drawing_at_once() -> None:
    parts = Draws(b"k")
    assert b"".join(parts.take(n) for n in (0, 1, 31, 32, 33, 100)) == Draws(b"k").take(197)


def test_a_child_does_not_depend_on_what_was_drawn_before() -> None:
    drawn = Draws(b"k", "a")
    drawn.take(77)
    assert drawn.child("b").take(32) == Draws(b"k", "a").child("b").take(32)


def test_paths_that_print_alike_are_different_streams() -> None:
    words: list[tuple[str | int, ...]] = [(), ("",), ("", ""), ("a", "b"), ("ab",), ("a", 1)]
    numbers: list[tuple[str | int, ...]] = [(1,), ("1",), ("a1",), (11,), (1, 1)]
    paths = words + numbers
    streams = {Draws(b"k", *path).take(16) for path in paths}
    streams |= {Draws(b"", "a").take(16), Draws(b"k", "a").child("b").take(16)}
    assert len(streams) == len(paths) + 2


def test_integers_of_numpy_name_the_same_stream_and_other_types_none() -> None:
    step: int = np.int64(7)  # type: ignore[assignment]  # what arrays hand out
    assert Draws(b"k", step).take(8) == Draws(b"k", 7).take(8)
    wrong: int = 7.0  # type: ignore[assignment]  # what a division hands out
    with pytest.raises(TypeError):
        Draws(b"k", wrong)


def test_integers_are_uniform() -> None:
    """Chi-square with 9 degrees of freedom; its 0.9999 quantile is 33.7 (tables)."""
    draws = Draws(b"k", "uniform")
    seen = np.bincount([draws.integer(10) for _ in range(20_000)], minlength=10)
    assert ((seen - 2_000) ** 2 / 2_000).sum() < 33.7


def test_permutations_are_uniform_over_all_orders() -> None:
    """Chi-square with 23 degrees of freedom; its 0.9999 quantile is 56.0 (tables)."""
    draws = Draws(b"k", "orders")
    place = {order: i for i, order in enumerate(itertools.permutations(range(4)))}
    seen = np.bincount([place[tuple(draws.permutation(4))] for _ in range(12_000)], minlength=24)
    assert ((seen - 500) ** 2 / 500).sum() < 56.0


def test_bits_are_fair_and_as_many_as_asked() -> None:
    """Five standard deviations of a binomial around one half."""
    bits = Draws(b"k", "bits").bits(40_001)
    assert len(bits) == 40_001
    assert abs(sum(bits) - 20_000) < 5 * 100
    assert Draws(b"k").bits(0) == ()


def test_floats_lie_in_the_half_open_unit_interval() -> None:
    draws = Draws(b"k", "floats")
    values = [draws.random() for _ in range(2_000)]
    assert min(values) >= 0
    assert max(values) < 1
    assert abs(sum(values) / 2_000 - 0.5) < 5 * (1 / 12 / 2_000) ** 0.5


@pytest.mark.parametrize("bound", [0, -1])
def test_a_bound_below_one_is_refused(bound: int) -> None:
    with pytest.raises(ValueError, match=f"bound >= 1, got {bound}"):
        Draws(b"k").integer(bound)


def test_a_negative_size_and_an_empty_choice_are_refused() -> None:
    with pytest.raises(ValueError, match="size >= 0, got -1"):
        Draws(b"k").take(-1)
    with pytest.raises(ValueError, match="bound >= 1, got 0"):
        Draws(b"k").choice([])
