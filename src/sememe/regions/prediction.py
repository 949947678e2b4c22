"""What the whole picture's code says of a region beforehand: differential coding with a fixed coefficient.

::

    y = unit(x - ¼ w)          what is coded; w: what the whole picture's code decodes to
    x̂ = s ŷ + ¼ w              s > 0 such that x̂ has unit length

A region is part of the picture, so their vectors lie nearer to each other than two of different pictures do.
What is left after a quarter of `w` is still much like a vector of its own, which the profile codes well.

Source: C. C. Cutler, "Differential quantization of communication signals" (1952).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sememe.metrics import unit_rows
from sememe.types import Embeddings

COEFFICIENT = 0.25
"""Share of the whole picture's vector; part of the format."""


def difference(x: Embeddings, whole: NDArray[np.float32], coefficient: float = COEFFICIENT) -> Embeddings:
    """Take the prediction from vectors (n, d): unit rows."""
    return unit_rows(x - np.float32(coefficient) * whole)


def restore(y: Embeddings, whole: NDArray[np.float32], coefficient: float = COEFFICIENT) -> Embeddings:
    """Add the prediction to decoded differences (n, d): unit rows.

    `s` is the positive root of |s ŷ + a w|² = 1 for unit ŷ and w with product c: √(1 - a² + a²c²) - ac.
    """
    a = np.float32(coefficient)
    shared = a * (y @ whole)
    lengths = np.sqrt(1 - a * a + shared * shared) - shared
    return unit_rows(lengths[:, None] * y + a * whole)
