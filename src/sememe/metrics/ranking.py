"""What search finds, before and after coding."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sememe.errors import VectorError
from sememe.metrics.checks import Floats, check_k, matrix, pair

_BLOCK = 256  # queries scored at once; among a million rows their scores are 2 GB


def search(queries: Floats, vectors: Floats, k: int = 10) -> NDArray[np.int64]:
    """Exact inner-product search; equal scores are ranked by row number.

    Parameters
    ----------
    queries : (q, d) float
    vectors : (n, d) float
    k : int
        Hits wanted per query; at most n.

    Returns
    -------
    (q, k) int64
        Rows of `vectors`, best first.

    Raises
    ------
    VectorError
        Not two matrices of one dimension, or k is not in 1..n.
    """
    queries, vectors = matrix(queries), matrix(vectors)
    if queries.shape[1] != vectors.shape[1]:
        raise VectorError(f"queries have {queries.shape[1]} dimensions, vectors have {vectors.shape[1]}")
    check_k(k, len(vectors))
    distinct, copies = _distinct_rows(vectors)
    hits = np.empty((len(queries), k), np.int64)
    for start in range(0, len(queries), _BLOCK):
        scores = (queries[start : start + _BLOCK] @ distinct.T)[:, copies]
        hits[start : start + _BLOCK] = top_k(scores, k)
    return hits


def recall_at(queries: Floats, originals: Floats, decoded: Floats, k: int = 10) -> float:
    """Share of the k nearest originals that a search among the decoded vectors finds again.

    Parameters
    ----------
    queries : (q, d) float
        Full-precision queries, not among the originals.
    originals, decoded : (n, d) float
        The collection before and after coding, row for row.
    k : int
        Neighbours compared per query.

    Returns
    -------
    float
        Mean over queries of |hits among originals ∩ hits among decoded| / k, in [0, 1].

    Raises
    ------
    VectorError
        Shapes do not fit, there are no queries, or k is not in 1..n.
    """
    originals, decoded = pair(originals, decoded)
    wanted, found = search(queries, originals, k), search(queries, decoded, k)
    if not len(wanted):
        raise VectorError("recall needs at least one query")
    return float(np.mean((wanted[:, :, None] == found[:, None, :]).any(axis=2)))


def top_k(scores: Floats, k: int = 1) -> NDArray[np.int64]:
    """Columns of the k highest scores in each row, best first; equal scores by column number.

    Parameters
    ----------
    scores : (n, c) float
    k : int

    Returns
    -------
    (n, k) int64

    Raises
    ------
    VectorError
        `scores` is not a matrix, or k is not in 1..c.
    """
    scores = matrix(scores)
    check_k(k, scores.shape[1])
    best: NDArray[np.int64]
    if k == 1:
        best = np.argmax(scores, axis=1)[:, None]
        return best
    floor = -np.partition(-scores, k - 1, axis=1)[:, k - 1 : k]
    kept = int((scores >= floor).sum(axis=1).max(initial=k))
    # Only the columns at or above the k-th score are sorted; stable order keeps them ascending among equals.
    candidates = np.argsort(scores < floor, axis=1, kind="stable")[:, :kept]
    order = np.argsort(-np.take_along_axis(scores, candidates, axis=1), axis=1, kind="stable")[:, :k]
    best = np.take_along_axis(candidates, order, axis=1).astype(np.int64)
    return best


def _distinct_rows(vectors: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Every row once, and which of them each row is.

    Equal rows must get equal scores for ties to be ties. BLAS does not promise that, so each is scored once.
    """
    whole = np.ascontiguousarray(vectors + 0.0)  # -0.0 + 0.0 = 0.0: equal rows have equal bytes
    rows = whole.view(np.dtype((np.void, whole.itemsize * whole.shape[1])))[:, 0]
    _, first, copies = np.unique(rows, return_index=True, return_inverse=True)
    return vectors[first], copies.reshape(-1)
