"""The few special functions that the statistics need, typed and imported when first used.

`scipy.special` costs about a second to import, so nothing above this module imports it by name.
Source: SciPy reference, `scipy.special` (`stdtrit`, `betaincinv`, `gammaln`).
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

__all__ = ["beta_quantile", "check_level", "log_factorial", "normal_quantile", "t_quantile"]


def check_level(confidence: float) -> float:
    """Return half of what a two-sided level leaves out.

    Raises:
        ValueError: `confidence` is not strictly between 0 and 1.

    Example:
        >>> round(check_level(0.95), 6)
        0.025
    """
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"need 0 < confidence < 1, got confidence={confidence}")
    return (1.0 - confidence) / 2.0


def normal_quantile(level: float) -> float:
    """Return z with Pr(standard normal <= z) = `level`, 0 < level < 1.

    Example:
        >>> round(normal_quantile(0.975), 4)
        1.96
    """
    return NormalDist().inv_cdf(level)


def t_quantile(level: float, *, df: int) -> float:
    """Return Student's t quantile; `df` >= 1 degrees of freedom.

    Example:
        >>> round(t_quantile(0.975, df=7), 4)
        2.3646
    """
    from scipy import special

    return float(special.stdtrit(df, level))


def beta_quantile(level: float, *, a: float, b: float) -> float:
    """Return x with the regularised incomplete beta I_x(a, b) = `level`; a, b > 0.

    Example:
        >>> round(beta_quantile(0.5, a=1.0, b=1.0), 4)
        0.5
    """
    from scipy import special

    return float(special.betaincinv(a, b, level))


def log_factorial(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ln(v!) elementwise, v >= 0.

    Example:
        >>> log_factorial(np.array([0.0, 3.0])).round(4).tolist()
        [0.0, 1.7918]
    """
    from scipy import special

    return np.asarray(special.gammaln(values + 1.0), dtype=np.float64)
