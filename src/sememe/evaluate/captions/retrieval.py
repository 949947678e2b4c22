"""Whether a text finds its own picture among many."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sememe.errors import VectorError

Floats = NDArray[np.floating]


class Retrieval(NamedTuple):
    """Summary of ranks."""

    median: float
    """Median rank; 1 is best."""
    mean_reciprocal: float
    recall_at_1: float
    recall_at_10: float

    @classmethod
    def of(cls, found: NDArray[np.integer]) -> Retrieval:
        """Summarise ranks (q,)."""
        return cls(
            float(np.median(found)),
            float(np.mean(1 / found)),
            float(np.mean(found <= 1)),
            float(np.mean(found <= 10)),
        )


def ranks(scores: Floats, right: NDArray[np.integer]) -> NDArray[np.int64]:
    """Rank (q,) of the right picture of each query; 1 is best, and a tie counts against it.

    Parameters
    ----------
    scores : (q, n) float
        Of every query with every picture.
    right : (q,) int
        Column of each query's own picture.

    Raises
    ------
    VectorError
        Shapes do not fit.
    """
    if np.ndim(scores) != 2 or np.shape(right) != (len(scores),) or not len(scores):
        raise VectorError(
            f"expected scores (q, n) and one column each, got {np.shape(scores)}, {np.shape(right)}"
        )
    own = np.take_along_axis(np.asarray(scores), np.asarray(right)[:, None], axis=1)
    found: NDArray[np.int64] = (scores >= own).sum(axis=1).astype(np.int64)
    return found
