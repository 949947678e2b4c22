"""From scores to the share that is right: constants fitted on pictures whose concepts are known.

A softmax of scores is no probability that one may act on. How sharp it must be, and how much of its word to
believe, is a property of the backbone: it is measured (`bench/captions.py`, docs/caption.md), kept here by
space, and spaces that were never measured get the constants of the weakest one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Certainty(NamedTuple):
    """How scores of one space become confidence.

    Platt's logistic map (1999, "Probabilistic outputs for support vector machines"), of the log-odds of a
    concept and everything below it, and of the score of an addition.
    """

    scale: float
    """Factor on calibrated scores before the softmax over concepts."""
    offset: float
    slope: float
    """Log-odds of being right = offset + slope · log-odds of the softmax."""
    addition_offset: float
    addition_slope: float
    """The same for an addition, of its score above chance."""

    def of_concepts(self, shares: Floats) -> Floats:
        """Confidence of concepts from their shares of the softmax, the same shape."""
        clipped = np.clip(shares, 1e-9, 1 - 1e-9)
        return _logistic(self.offset + self.slope * np.log(clipped / (1 - clipped)))

    def of_additions(self, scores: Floats) -> Floats:
        """Confidence of additions from their scores, the same shape."""
        return _logistic(self.addition_offset + self.addition_slope * scores)


NANO = Certainty(scale=1.0, offset=0.45, slope=0.87, addition_offset=-3.99, addition_slope=1.15)
CLIP = Certainty(scale=1.4, offset=1.22, slope=1.04, addition_offset=-4.01, addition_slope=1.16)

MEASURED = {"nano/3": NANO, "openai/clip-vit-base-patch32": CLIP}
"""Constants by space id."""


def certainty_of(space_id: str) -> Certainty:
    """Give the constants of a space, or the careful ones of `NANO`."""
    return MEASURED.get(space_id, NANO)


def _logistic(x: Floats) -> Floats:
    values: Floats = 1 / (1 + np.exp(-x))
    return values
