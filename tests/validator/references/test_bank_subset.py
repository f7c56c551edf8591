"""Expected values: linear algebra over bits, counted out."""

import numpy as np
import pytest

from validator.references.bank_subset import draw_subset


def listed(key: bytes, bits: int, kept: int) -> list[int]:
    return [int(v) for block in draw_subset(key, bits=bits, kept=kept).strings() for v in block]


@pytest.mark.parametrize("kept", [0, 1, 5, 9, 10])
def test_numbers_and_strings_are_each_others_inverse(kept: int) -> None:
    subset = draw_subset(b"inverse", bits=10, kept=kept)
    strings = listed(b"inverse", 10, kept)
    assert len(set(strings)) == subset.size == 1 << kept
    for number, value in enumerate(strings):
        assert subset.numbers(np.array([value])).tolist() == [number]
    others = np.array(sorted(set(range(1024)) - set(strings)), dtype=np.int64)
    assert set(subset.numbers(others).tolist()) <= {-1}


def test_all_strings_are_kept_in_their_own_order() -> None:
    assert listed(b"all", 6, 6) == list(range(64))


def test_every_string_is_as_likely_to_be_kept() -> None:
    # 400 keys, a quarter kept: sd of each string's share .0217.
    seen = np.zeros(64)
    for k in range(400):
        seen[listed(b"fair %d" % k, 6, 4)] += 1
    assert abs(seen / 400 - 0.25).max() < 5 * 0.0217


def test_a_subset_is_affine() -> None:
    strings = set(listed(b"affine", 8, 5))
    rng = np.random.default_rng(1)
    for _ in range(50):
        a, b, c = (int(v) for v in rng.choice(sorted(strings), 3))
        assert a ^ b ^ c in strings


def test_subsets_are_frozen() -> None:
    # Golden values: whoever reads a bank must find what its maker kept.
    assert listed(b"golden", 8, 3) == [16, 101, 72, 61, 134, 243, 222, 171]


@pytest.mark.parametrize(("bits", "kept"), [(0, 0), (63, 1), (4, 5), (4, -1)])
def test_sizes_out_of_range_are_refused(bits: int, kept: int) -> None:
    with pytest.raises(ValueError, match="need 1 <= bits <= 62"):
        draw_subset(b"key", bits=bits, kept=kept)
