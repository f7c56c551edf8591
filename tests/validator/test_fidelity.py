"""Claims from a sheet, in process units, and the floor for accusations."""

from __future__ import annotations

import pytest

from validator.estimators.mirror import readout_polarization
from validator.fidelity import Measure, accusation_floor, claimed_fidelity


def test_average_infidelities_become_process_survival() -> None:
    # d = 4: F_e = (5 F_avg - 1)/4 = 1 - 5r/4; d = 2: (3 F_avg - 1)/2 = 1 - 3r/2 (Nielsen 2002).
    assert claimed_fidelity(two_qubit=[0.08]) == pytest.approx((5 * 0.92 - 1) / 4)
    assert claimed_fidelity(one_qubit=[0.02]) == pytest.approx((3 * 0.98 - 1) / 2)


def test_readout_counts_by_what_the_circuit_is_scored_by() -> None:
    errors = [0.02, 0.05, 0.01]
    hits = claimed_fidelity(readout=errors, measure=Measure.HITS)
    assert hits == pytest.approx(0.98 * 0.95 * 0.99)
    # At 3 qubits the exact polarization differs from the product by terms in 4^-n only.
    exact = readout_polarization(errors)
    assert claimed_fidelity(readout=errors) == pytest.approx(exact, abs=4**-3)


def test_a_worse_sheet_never_claims_more() -> None:
    for rate in (0.0, 0.01, 0.3, 0.9):
        worse = claimed_fidelity(two_qubit=[rate + 0.05] * 3, readout=[0.1])
        assert worse <= claimed_fidelity(two_qubit=[rate] * 3, readout=[0.1])
        assert worse >= 0.0


def test_the_floor_is_half_the_cube_of_the_claim() -> None:
    assert accusation_floor(0.5, width=20) == pytest.approx(0.0625)
    assert accusation_floor(1.0, width=1) == 0.5


@pytest.mark.parametrize(("claim", "width"), [(0.499, 5), (0.99, 21), (0.1, 100)])
def test_weak_claims_and_wide_circuits_never_accuse(claim: float, width: int) -> None:
    assert accusation_floor(claim, width=width) is None


def test_rates_and_claims_outside_their_range_are_refused() -> None:
    with pytest.raises(ValueError, match=r"in \[0, 1\], got -0.1"):
        claimed_fidelity(one_qubit=[-0.1])
    with pytest.raises(ValueError, match=r"in \[0, 1\], got 1.5"):
        accusation_floor(1.5, width=3)
