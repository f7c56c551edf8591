"""The special functions, against printed tables."""

from __future__ import annotations

import numpy as np
import pytest

from validator.special import beta_quantile, log_factorial, normal_quantile, t_quantile


def test_quantiles_agree_with_printed_tables() -> None:
    # Abramowitz and Stegun, tables 26.1 and 26.10.
    assert normal_quantile(0.995) == pytest.approx(2.575829, abs=1e-6)
    assert t_quantile(0.975, df=1) == pytest.approx(12.706, abs=1e-3)
    assert t_quantile(0.95, df=10) == pytest.approx(1.812, abs=1e-3)


def test_beta_quantile_inverts_a_closed_form() -> None:
    assert beta_quantile(0.25, a=2.0, b=1.0) == pytest.approx(0.5)


def test_log_factorial_is_the_sum_of_logarithms() -> None:
    assert log_factorial(np.array([5.0]))[0] == pytest.approx(np.log([2.0, 3.0, 4.0, 5.0]).sum())
