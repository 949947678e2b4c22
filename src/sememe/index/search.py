"""Exact search: a float query against every decoded vector, in chunks, so that memory stays flat."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from ..metrics.calibration import Background, Query, Strength, strength
from ..types import Embeddings

CHUNK = 16_384
"""Rows decoded at once: 32 MB of vectors at 512 dimensions."""


class Vectors(Protocol):
    """Rows of picture vectors that can be asked for slice by slice: an array, or codes that decode on demand."""

    def __len__(self) -> int:
        """Count the rows."""
        ...

    def __getitem__(self, rows: slice, /) -> Embeddings:
        """Return (m, d) rows."""
        ...


@dataclass(frozen=True, slots=True)
class Hit:
    """One match."""

    row: int
    """Row of the vectors that were searched."""
    rank: int
    """1 is the best."""
    score: float
    """Calibrated: standard deviations above chance (`metrics.calibration`)."""
    cosine: float
    """Centred cosine between query and decoded vector, in [-1, 1]."""
    strength: Strength
    path: str | None = None
    """What the archive calls it; None for bare codes."""

    def to_json(self) -> dict[str, Any]:
        """Return ``{"row", "rank", "score", "cosine", "strength", "path"}``."""
        return asdict(self)

    def at(self, path: str | None) -> Hit:
        """Return the same hit with its path."""
        return replace(self, path=path)


def search(query: Query, vectors: Vectors, background: Background, *, k: int = 10) -> list[Hit]:
    """Find the k best matches of a query.

    Parameters
    ----------
    query : Query
        Made by `background`.
    vectors : Vectors
        (n, d) float32, or anything that gives such rows slice by slice; `CHUNK` of them at a time are asked for.
    background : Background
        Of the space of the vectors.
    k : int
        Hits wanted; fewer come back when there are fewer vectors.

    Returns
    -------
    list of Hit
        Best first; equal scores by row.

    Raises
    ------
    UsageError
        `k` is not positive.
    """
    if k < 1:
        raise UsageError(f"k must be at least 1, not {k}")
    scores, cosines = score_all(query, vectors, background)
    return [
        Hit(int(row), rank, float(scores[row]), float(cosines[row]), strength(float(scores[row])))
        for rank, row in enumerate(best_rows(scores, k), start=1)
    ]


def score_all(
    query: Query, vectors: Vectors, background: Background
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Score (n,) and centred cosine (n,) of every vector: 8 bytes kept for each, one chunk decoded at a time."""
    scores = np.empty(len(vectors), np.float32)
    cosines = np.empty(len(vectors), np.float32)
    for rows in chunks(len(vectors)):
        score, cosine = background.score([query], vectors[rows])
        scores[rows], cosines[rows] = score[0], cosine[0]
    return scores, cosines


def chunks(n: int, size: int = CHUNK) -> Iterator[slice]:
    """Cut n rows into slices of at most `size`."""
    for start in range(0, n, size):
        yield slice(start, min(start + size, n))


def best_rows(scores: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    """Rows of the k highest scores, best first, equal ones by row; all of them if there are fewer."""
    if k < len(scores):
        floor = np.partition(scores, len(scores) - k)[len(scores) - k]
        rows = np.flatnonzero(scores >= floor)
    else:
        rows = np.arange(len(scores))
    order: NDArray[np.int64] = rows[np.argsort(-scores[rows], kind="stable")][:k].astype(np.int64)
    return order
