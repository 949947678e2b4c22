"""How far an accuracy can be trusted, given how many pictures it was taken over."""

from __future__ import annotations

import math

from sememe.errors import VectorError

Z95 = 1.959963984540054
"""Quantile of the standard normal distribution: 95 % lie within this many standard deviations of 0."""


def wilson(share: float, n: int, z: float = Z95) -> tuple[float, float]:
    """Confidence interval of a share of n independent trials (Wilson 1927, JASA 22, 209-212).

    Unlike share ± z standard errors it stays within [0, 1] and keeps its promise near both ends, where
    accuracies live.

    Parameters
    ----------
    share : float
        Successes / n.
    n : int
    z : float
        Half-width in standard deviations; 95 % by default.

    Returns
    -------
    low, high : float

    Raises
    ------
    VectorError
        There are no trials, or `share` is not in [0, 1].
    """
    if n < 1 or not 0 <= share <= 1:
        raise VectorError(f"an interval needs a share in [0, 1] of one trial or more, not {share} of {n}")
    square = z * z / n
    middle = (share + square / 2) / (1 + square)
    half = z / (1 + square) * math.sqrt(share * (1 - share) / n + square / (4 * n))
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    return (0.0 if share == 0 else low), (1.0 if share == 1 else high)
