"""A collection as a plane: vectors near each other get places near each other, and gather in clusters.

::

    u (n, d) ─nearest neighbours─► graph ─pull and push─► places (n, 2) in the unit square
             ─spherical k-means──► cluster (n,) of each
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sememe.index.search import chunks

__all__ = ["gather", "lay_out"]

_NEIGHBOURS, _ROUNDS = 12, 150
_BLOCK = 1024  # rows compared with all others at once
_ITERATIONS = 30

Floats = NDArray[np.float32]
Places = NDArray[np.float64]


def lay_out(x: Floats) -> Places:
    """Give each of n centred unit vectors (n, d) a place in the unit square: (n, 2), the same at each call.

    Neighbours attract, and random pairs repel, from a start at the two strongest directions: the forces of
    LargeVis (Tang et al. 2016) on a graph of the `_NEIGHBOURS` nearest. Work grows with the square of n.
    """
    if not len(x):
        return np.zeros((0, 2))
    return _even(_settle(_start(x), _graph(x)))


def gather(x: Floats, k: int) -> NDArray[np.int64]:
    """Sort n centred unit vectors (n, d) into at most k clusters: the number of each row's, 0 the largest.

    Spherical k-means (Dhillon and Modha 2001) from the seeds of k-means++ (Arthur and Vassilvitskii 2007).
    """
    if not len(x):
        return np.zeros(0, np.int64)
    centres = _seeds(x, min(k, len(x)))
    labels = np.full(len(x), -1, np.int64)
    for _ in range(_ITERATIONS):
        nearest = (x @ centres.T).argmax(axis=1)
        if np.array_equal(nearest, labels):
            break
        labels = nearest
        for one in np.unique(labels):
            middle = x[labels == one].sum(axis=0)
            centres[one] = middle / max(float(np.linalg.norm(middle)), 1e-9)
    _, labels, counts = np.unique(labels, return_inverse=True, return_counts=True)
    rank = np.empty(len(counts), np.int64)
    rank[np.argsort(-counts, kind="stable")] = np.arange(len(counts))
    return rank[labels]


def _seeds(x: Floats, k: int) -> Floats:
    """Draw k rows that lie far from each other."""
    rng = np.random.default_rng(0)
    chosen = [int(rng.integers(len(x)))]
    distance = np.full(len(x), np.inf)
    while len(chosen) < k:
        distance = np.minimum(distance, np.maximum(0, 1 - x @ x[chosen[-1]]).astype(np.float64))
        total = distance.sum()
        if total < 1e-6:  # no more different rows than seeds
            break
        chosen.append(int(rng.choice(len(x), p=distance / total)))
    return x[chosen].copy()


def _start(x: Floats) -> Places:
    centred = x - x.mean(axis=0)
    strongest = np.linalg.eigh((centred.T @ centred).astype(np.float64))[1][:, -2:]
    places = (centred @ strongest).astype(np.float64)
    scaled: Places = places / max(float(places.std()), 1e-9)
    return scaled


def _graph(x: Floats) -> NDArray[np.int64]:
    """Nearest neighbours (n, k) of each row."""
    k = min(_NEIGHBOURS, len(x) - 1)
    near = np.empty((len(x), k), np.int64)
    for rows in chunks(len(x), _BLOCK):
        cosines = x[rows] @ x.T
        cosines[np.arange(len(cosines)), np.arange(rows.start, rows.stop)] = -2
        near[rows] = np.argpartition(-cosines, max(k - 1, 0), axis=1)[:, :k]
    return near


def _settle(places: Places, near: NDArray[np.int64]) -> Places:
    rng = np.random.default_rng(0)
    n = len(places)
    for step in range(_ROUNDS if n > 2 else 0):
        rate = 1 - step / _ROUNDS
        gap = places[near] - places[:, None]
        distance = (gap**2).sum(axis=2, keepdims=True)
        pull = (gap / (1 + distance)).mean(axis=1)
        others = rng.integers(0, n, (n, 8))
        gap = places[others] - places[:, None]
        distance = (gap**2).sum(axis=2, keepdims=True)
        push = (gap / ((0.1 + distance) * (1 + distance))).mean(axis=1)
        places = places + rate * np.clip(pull - 0.6 * push, -1, 1)
    return places


def _even(places: Places) -> Places:
    """Scale to the unit square, stragglers at its edge, and give dense parts more room: half-way to ranks."""
    low, high = np.percentile(places, [0.5, 99.5], axis=0)
    scaled = np.clip((places - low) / np.maximum(high - low, 1e-9), 0, 1)
    ranks = places.argsort(axis=0).argsort(axis=0) / max(len(places) - 1, 1)
    even: Places = (scaled + ranks) / 2
    return even
