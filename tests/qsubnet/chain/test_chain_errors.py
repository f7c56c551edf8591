from __future__ import annotations

import pytest

from qsubnet.chain import errors


def test_names_shared_with_bittensor_are_spelled_as_there() -> None:
    catalogue = pytest.importorskip("bittensor.error_map", reason="needs Bittensor's SDK")
    known = set(catalogue.NAME_TO_CODE) | {"BadProof"}
    # BadProof is Substrate's word for an invalid transaction, outside the pallets' errors.
    assert {error.__name__ for error in errors.BITTENSOR_NAMES} <= known


def test_every_error_says_what_to_do_next() -> None:
    branches = (errors.RetryLater, errors.NeverRetry, errors.OutcomeUnknown, errors.LedgerCorrupt)
    leaves = [
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, errors.ChainError)
    ]
    assert len(leaves) > 20
    for leaf in leaves:
        if leaf is not errors.ChainError:
            assert sum(issubclass(leaf, branch) for branch in branches) == 1
            assert leaf.__name__ in (errors.__doc__ or "")
