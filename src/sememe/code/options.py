"""What can be chosen when a code is fitted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sememe.code.quantizer import LADDER

__all__ = ["FitOptions", "Progress"]

Progress = Callable[[str], None]


@dataclass(frozen=True)
class FitOptions:
    """What can be chosen when a code is fitted.

    Attributes
    ----------
    modes
        Classes beside the universal one; None: as many as the vectors support and 8 MB hold.
    prototypes
        Most prototypes of a mode, each of at least eight vectors; 1: none but its centroid.
    coefficients
        Coefficients coded per mode, at most d.
    floor
        Distortion per coefficient (θ) at the reference rate that mode choice optimises for, relative to the
        mean variance per dimension of all vectors.
    shrinkage
        Weight of the pooled covariance within modes, in vectors, when a mode's own covariance is estimated.
    text_weight
        Share of the metric that the covariance of text vectors takes; 0 minimises plain squared error.
    rounds
        Alternations of mode choice and re-estimation.
    ladder
        Rungs of the quantizer, in standard deviations.
    seed
        Of the first centroids.
    """

    modes: int | None = None
    prototypes: int = 48
    coefficients: int = 256
    floor: float = 1.4
    shrinkage: float = 300.0
    text_weight: float = 0.15
    rounds: int = 4
    ladder: tuple[float, ...] = LADDER
    seed: int = 0
