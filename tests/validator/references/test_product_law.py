"""Expected values: the Kronecker product, written out."""

import numpy as np
import pytest

from validator.references.product_law import ProductLaw

RNG = np.random.default_rng(7)
TWO, ONE = RNG.dirichlet(np.ones(4)), RNG.dirichlet(np.ones(2))
LAW = ProductLaw((TWO, ONE), ((2, 0), (1,)))  # patch 0 reads c[2] as its bit 0 and c[0] as bit 1


def joint(key: str) -> float:
    return float(TWO[int(key[2] + key[0], 2)] * ONE[int(key[1])])


def test_probabilities_are_products_at_the_patches_own_bits() -> None:
    keys = [f"{index:03b}" for index in range(8)]
    assert [LAW.probability(key) for key in keys] == pytest.approx([joint(key) for key in keys])
    assert sum(LAW.probability(key) for key in keys) == pytest.approx(1)
    assert [LAW.ratio(key) for key in keys] == pytest.approx([8 * joint(key) for key in keys])


def test_the_excess_is_that_of_the_joint_law() -> None:
    squares = sum(joint(f"{index:03b}") ** 2 for index in range(8))
    assert LAW.excess == pytest.approx(8 * squares - 1)


def test_counts_of_a_patch_are_marginals_in_its_own_bit_order() -> None:
    table = {"001": 5, "100": 7, "110": 2}
    assert LAW.patch_counts(table, 0) == {"01": 9, "10": 5}
    assert LAW.patch_counts(table, 1) == {"0": 12, "1": 2}


def test_laws_that_do_not_fit_their_bits_are_refused() -> None:
    with pytest.raises(
        ValueError, match=r"need 2\*\*k values for k bits, got \[4\] for \[1\] bits"
    ):
        ProductLaw((TWO,), ((0,),))
    with pytest.raises(ValueError, match="bits of their own"):
        ProductLaw((TWO, ONE), ((0, 1), (1,)))
