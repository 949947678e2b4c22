"""Search: a float query against decoded vectors, all of them or those of a shortlist, in chunks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sememe.errors import UsageError
from sememe.metrics.calibration import Background, Query
from sememe.metrics.strength import Strength, strengths
from sememe.types import Embeddings

if TYPE_CHECKING:
    from sememe.index.shortlist import Shortlist

SHORT = 1000
"""Rows that a shortlist names, at the least."""

_SPARE = 10  # rows of a shortlist for each hit wanted
_LISTED = 4096  # rows of a shortlist whose scores decide how strong a hit is

CHUNK = 16_384
"""Rows decoded at once: 32 MB of vectors at 512 dimensions."""


class Vectors(Protocol):
    """Rows of picture vectors, given some at a time: an array, or codes that decode on demand."""

    def __len__(self) -> int:
        """Count the rows."""
        ...

    def __getitem__(self, rows: slice | NDArray[np.int64], /) -> Embeddings:
        """Return (m, d) rows: a slice, or those of the numbers given."""
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
        return asdict(self) | {"score": round(self.score, 4), "cosine": round(self.cosine, 4)}

    def at(self, path: str | None) -> Hit:
        """Return the same hit with its path."""
        return replace(self, path=path)


def search(
    query: Query,
    vectors: Vectors,
    background: Background,
    *,
    k: int = 10,
    shortlist: Shortlist | None = None,
) -> list[Hit]:
    """Find the k best matches of a query.

    Parameters
    ----------
    query : Query
        Made by `background`.
    vectors : Vectors
        (n, d) float32, or anything that gives such rows some at a time, at most `CHUNK`.
    background : Background
        Of the space of the vectors.
    k : int
        Hits wanted; fewer come back when there are fewer vectors.
    shortlist : Shortlist, optional
        Of the same vectors: then only the rows that it names are decoded, and a hit in a hundred is missed.

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
    if shortlist is not None:
        return _search_short(query, vectors, background, shortlist, k)
    rows = candidates(query, vectors, background)
    scores, cosines = background.score([query], vectors[rows])
    return _hits(rows, scores[0], cosines[0], strengths(scores[0], total=len(vectors)), k)


def _search_short(
    query: Query, vectors: Vectors, background: Background, shortlist: Shortlist, k: int
) -> list[Hit]:
    """Rank the first rows of a shortlist by their scores.

    How strong a hit is depends on how many others score as high. Their scores are told from their products,
    as those of the first rows go with theirs.
    """
    short = max(SHORT, _SPARE * k)
    found, products = shortlist.scan(background.direction(query), max(_LISTED, short))
    rows = found[:short]
    scores, cosines = background.score([query], vectors[rows])
    slope, start = np.polyfit(products[: len(rows)], scores[0], 1)
    others = (start + slope * products[len(rows) :]).astype(np.float32)
    names = strengths(np.concatenate([scores[0], others]), total=len(vectors))
    return _hits(rows, scores[0], cosines[0], names, k)


def _hits(
    rows: NDArray[np.int64],
    scores: NDArray[np.float32],
    cosines: NDArray[np.float32],
    names: list[Strength],
    k: int,
) -> list[Hit]:
    return [
        Hit(int(rows[i]), rank, float(scores[i]), float(cosines[i]), names[i])
        for rank, i in enumerate(best_rows(scores, k), start=1)
    ]


def candidates(query: Query, vectors: Vectors, background: Background) -> NDArray[np.int64]:
    """Give the rows worth a calibrated score, ascending: all, or the `CHUNK` farthest in its direction.

    Calibration holds each picture against hundreds of words. Its `direction` gives nearly the same order for
    one product a picture, so every vector is compared, and 4 bytes are kept of each.
    """
    if len(vectors) <= CHUNK:
        return np.arange(len(vectors), dtype=np.int64)
    direction = background.direction(query)
    products = np.empty(len(vectors), np.float32)
    for rows in chunks(len(vectors)):
        products[rows] = background.centre(vectors[rows], "image") @ direction
    return np.sort(best_rows(products, CHUNK))


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
