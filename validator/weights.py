"""Weights: the shares of one mechanism's pay, proportional to the scores and to nothing else.

share(h) = score(h) / sum of scores in h's mechanism, never per uid. One mechanism's shares sum
to 1, or are all 0 where nobody has a score. Sums are exactly rounded (`math.fsum`), so neither
the order of miners nor their names change a share.
Source: policy; the score's formula stands in `validator.score`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

__all__ = ["shares"]


def shares(scores: Mapping[str, float]) -> dict[str, float]:
    """Return each hotkey's share of ONE mechanism, sorted by hotkey.

    Args:
        scores: {hotkey: score}, finite and not negative.

    Returns:
        {hotkey: share} for the same hotkeys; shares sum to 1 up to rounding, or all are 0.

    Raises:
        ValueError: A score is negative or not finite.

    Example:
        >>> shares({"b": 1.0, "a": 3.0, "c": 0.0})
        {'a': 0.75, 'b': 0.25, 'c': 0.0}
    """
    for hotkey, value in scores.items():
        if not (math.isfinite(value) and value >= 0.0):
            raise ValueError(f"need finite scores >= 0, got {value} for {hotkey!r}")
    # Divide by the largest first: a sum of huge scores may overflow, of tiny ones underflow.
    top = max(scores.values(), default=0.0)
    if top == 0.0:
        return dict.fromkeys(sorted(scores), 0.0)
    relative = {hotkey: scores[hotkey] / top for hotkey in sorted(scores)}
    total = math.fsum(relative.values())
    return {hotkey: value / total for hotkey, value in relative.items()}
