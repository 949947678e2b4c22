"""How much noise stands for what a code has lost: from a known cosine to a level of unCLIP's noising.

Stable unCLIP's decoder was trained on vectors noised by a known amount, and is told how much. A decoded
vector is the middle of all vectors that share its bytes. Noise as large as the error of the code turns that
middle into one of them, and the level tells the decoder how little to trust it. All of it is arithmetic on
the statistics and the schedule that come with the weights.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["expected_cosines", "implied_norm", "level_for"]

Vector = NDArray[np.floating]


def implied_norm(mean: Vector, std: Vector) -> float:
    """Root mean square length of vectors with this mean and spread (d,).

    CLIP's own image vectors are not of unit length, and unCLIP was trained on them as they are; codes keep
    the direction only. This is the length to give back.
    """
    return math.sqrt(float(np.square(mean, dtype=np.float64).sum() + np.square(std, dtype=np.float64).sum()))


def expected_cosines(
    vector: Vector, mean: Vector, std: Vector, alphas_cumprod: Vector
) -> NDArray[np.float64]:
    """Cosine of a vector with itself noised, for each level.

    Parameters
    ----------
    vector : (d,) float
        At its full length.
    mean, std : (d,) float
        Statistics by which vectors are normalized before noise of unit variance is added, and back after it.
    alphas_cumprod : (levels,) float
        Share of variance that is signal (Ho et al. 2020, equation 4).

    Returns
    -------
    (levels,) float64
        Never rising. It is the cosine with noise of its expected energy at a right angle, which is off by
        the order of 1/d.
    """
    v, m, s = (np.asarray(part, np.float64) for part in (vector, mean, std))
    kept = np.sqrt(np.asarray(alphas_cumprod, np.float64))
    away = v - m
    along = v @ m + kept * (v @ away)
    energy = m @ m + 2 * kept * (m @ away) + kept**2 * (away @ away) + (1 - kept**2) * (s @ s)
    cosines: NDArray[np.float64] = np.minimum.accumulate(along / np.sqrt(energy * (v @ v)))
    return cosines


def level_for(fidelity: float | None, cosines: Vector) -> int:
    """Highest level whose expected cosine is still `fidelity`; 0, no noise to speak of, if that is not known.

    The lower the fidelity, the higher the level or the same.
    """
    if fidelity is None:
        return 0
    return max(0, int(np.count_nonzero(np.asarray(cosines) >= fidelity)) - 1)
