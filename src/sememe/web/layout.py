"""An archive as a map: pictures that mean alike lie together."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sememe import index
from sememe.metrics.calibration import Background
from sememe.types import Embeddings
from sememe.zeroshot import Classifier

__all__ = ["Point", "lay_out"]


class Point(NamedTuple):
    """One image: a place in the unit square, and the everyday word that fits it best, if any does."""

    row: int
    x: float
    y: float
    label: str | None


def lay_out(
    rows: NDArray[np.int64], x: Embeddings, background: Background, classifier: Classifier
) -> list[Point]:
    """Give each of n decoded vectors (n, d) a place and a word."""
    if not len(rows):
        return []
    places = index.lay_out(background.centre(x, "image"))
    return [
        Point(int(row), round(float(px), 4), round(float(py), 4), None if p.none else p.best.label)
        for row, (px, py), p in zip(rows, places, classifier.classify(x), strict=True)
    ]
