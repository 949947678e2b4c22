"""Decoded vectors, each decoded once: of a search, decoding is the slow part."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sememe.api import Source
from sememe.types import Embeddings

__all__ = ["Kept"]

_STEP = 2048  # rows decoded at a time ahead of need, so that searches come in between


class Kept:
    """The vectors of a source, kept in half precision: their cosines change in the fifth digit.

    Parameters
    ----------
    source
        Codes of n images. Memory is taken as rows are asked for, 2 d bytes each.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._x = np.empty((len(source), source.profile.dim), np.float16)
        self._known = np.zeros(len(source), np.bool_)

    @staticmethod
    def size(source: Source) -> int:
        """Bytes that a source takes when all of it is kept."""
        return 2 * source.profile.dim * len(source)

    def __len__(self) -> int:
        return len(self._x)

    def __getitem__(self, rows: slice | NDArray[np.int64]) -> Embeddings:
        """Give some rows (m, d) float32, decoding those that nobody asked for before."""
        asked = np.arange(len(self))[rows] if isinstance(rows, slice) else rows
        fresh = asked[~self._known[asked]]
        if len(fresh):  # two threads may decode the same row: both write the same
            self._x[fresh] = self._source[fresh]
            self._known[fresh] = True
        return self._x[asked].astype(np.float32)

    def fill(self) -> None:
        """Decode what nobody asked for yet."""
        for start in range(0, len(self), _STEP):
            rows = start + np.flatnonzero(~self._known[start : start + _STEP])
            if len(rows):
                self._x[rows] = self._source[rows]
                self._known[rows] = True
