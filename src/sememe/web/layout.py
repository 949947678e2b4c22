"""An archive as a map: pictures that mean alike lie together."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sememe.metrics.calibration import Background
from sememe.types import Embeddings
from sememe.zeroshot import Classifier

__all__ = ["Point", "lay_out"]

_NEIGHBOURS, _ROUNDS = 12, 150


class Point(NamedTuple):
    """One image: a place in the unit square, and the everyday word that fits it best, if any does."""

    row: int
    x: float
    y: float
    label: str | None


def lay_out(
    rows: NDArray[np.int64], x: Embeddings, background: Background, classifier: Classifier
) -> list[Point]:
    """Give each of n decoded vectors (n, d) a place.

    Neighbours attract, and random pairs repel, from a start at the two strongest directions: the forces of
    LargeVis (Tang et al. 2016) on a graph of the `_NEIGHBOURS` nearest.
    """
    if not len(rows):
        return []
    places = _even(_settle(_start(centred := background.centre(x, "image")), _graph(centred)))
    predictions = classifier.classify(x)
    return [
        Point(int(row), round(float(px), 4), round(float(py), 4), None if p.none else p.best.label)
        for row, (px, py), p in zip(rows, places, predictions, strict=True)
    ]


def _start(x: NDArray[np.float32]) -> NDArray[np.float64]:
    centred = x - x.mean(axis=0)
    places = (centred @ np.linalg.eigh((centred.T @ centred).astype(np.float64))[1][:, -2:]).astype(
        np.float64
    )
    scaled: NDArray[np.float64] = places / max(float(places.std()), 1e-9)
    return scaled


def _graph(x: NDArray[np.float32]) -> NDArray[np.int64]:
    """Nearest neighbours (n, k) of each row."""
    k = min(_NEIGHBOURS, len(x) - 1)
    near = np.empty((len(x), k), np.int64)
    for start in range(0, len(x), 1024):
        cosines = x[start : start + 1024] @ x.T
        cosines[np.arange(len(cosines)), np.arange(start, start + len(cosines))] = -2
        near[start : start + 1024] = np.argpartition(-cosines, max(k - 1, 0), axis=1)[:, :k]
    return near


def _settle(places: NDArray[np.float64], near: NDArray[np.int64]) -> NDArray[np.float64]:
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


def _even(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scale to the unit square, stragglers at its edge."""
    low, high = np.percentile(places, [0.5, 99.5], axis=0)
    even: NDArray[np.float64] = np.clip((places - low) / np.maximum(high - low, 1e-9), 0, 1)
    return even
