"""Strong, weak or none: a name for a calibrated score, given all that was compared.

A score that one unrelated pair in a thousand reaches is news among ten pictures and noise among ten thousand.
So the scores of the whole collection decide: of those at least as high, what share would be there anyway?
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Strength: TypeAlias = Literal["strong", "weak", "none"]

STRONG = 4.0
"""Lowest score called strong."""

WEAK = 2.5
"""Lowest score called weak."""

STRONG_BY_CHANCE = 0.1
"""Largest share of chance among the scores at least as high as a strong one."""

WEAK_BY_CHANCE = 0.5
"""Largest share of chance among the scores at least as high as a weak one."""

_AT_WEAK = 0.0125  # of unrelated pairs of real picture and word, this share scores 2.5 or more
_DECAY = 1.35  # and this is how fast the share falls: e-fold for each 0.74 of score, measured from 2.5 to 6


def chance(scores: NDArray[np.floating]) -> NDArray[np.float64]:
    """Share of unrelated pairs that reach each calibrated score; at most 1, an upper bound below 2.5.

    The tail is exponential, not that of a normal distribution: meanings are never wholly unrelated.
    """
    above = np.asarray(scores, np.float64) - WEAK
    tail: NDArray[np.float64] = np.minimum(1.0, _AT_WEAK * np.exp(-_DECAY * above))
    return tail


def strengths(scores: NDArray[np.floating], total: int | None = None) -> list[Strength]:
    """Name the scores of one query with many pictures, or of one picture with many labels.

    Parameters
    ----------
    scores : (n,) float
        Calibrated scores, in any order; at least the best of all that were compared.
    total : int, optional
        How many were compared; n if not given.

    Returns
    -------
    list of n str
        "strong": 4 or more, and chance explains at most a tenth of those that score as high. "weak": 2.5 or
        more, and at most half. Else "none". A higher score is never named weaker than a lower one.

    Notes
    -----
    The rule of Benjamini and Hochberg (1995) for the false discovery rate, with `chance` as the tail.
    """
    order = np.argsort(-np.asarray(scores), kind="stable")
    ranked = np.asarray(scores, np.float64)[order]
    expected = chance(ranked) * (len(ranked) if total is None else total)
    share = expected / np.arange(1, len(ranked) + 1)
    share = np.minimum.accumulate(share[::-1])[::-1]
    named = np.zeros(len(ranked), np.int64)
    named[order] = np.where(
        (ranked >= STRONG) & (share <= STRONG_BY_CHANCE), 2, (ranked >= WEAK) & (share <= WEAK_BY_CHANCE)
    )
    names: tuple[Strength, ...] = ("none", "weak", "strong")
    return [names[i] for i in named]
