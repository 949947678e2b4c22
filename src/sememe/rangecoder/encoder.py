"""Symbols to bytes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sememe.rangecoder.interval import LEAST_RANGE, PRECISION, TOTAL, WINDOW, WORD, Ints
from sememe.types import Codes

__all__ = ["Encoder"]

_MASK = (1 << WINDOW) - 1
_KEPT = (1 << (WINDOW - WORD)) - 1


class Encoder:
    """Encode `rows` messages in lock-step into at most `nbytes` bytes each.

    A row leaves the batch when its first `nbytes` bytes can no longer change, whatever symbols follow; `rows`
    says which are left, in order. The arrays passed to `encode` have one entry for each of them.

    Parameters
    ----------
    rows
        Number of messages.
    nbytes
        Length of each code in bytes.
    """

    def __init__(self, rows: int, nbytes: int) -> None:
        self.rows: NDArray[np.intp] = np.arange(rows)
        self._nbytes = nbytes
        self._words = np.zeros((rows, nbytes // 2 + 6), np.int64)
        self._filled = np.zeros(rows, np.int64)
        self._low = np.zeros(rows, np.int64)
        self._range = np.full(rows, 1 << WINDOW, np.int64)
        self._codes = np.zeros((rows, nbytes), np.uint8)
        self._lengths = np.zeros(rows, np.int64)

    def encode(self, start: NDArray[np.integer], stop: NDArray[np.integer]) -> None:
        """Code one symbol in every row left; the share [0, TOTAL) changes nothing and costs nothing.

        Parameters
        ----------
        start, stop
            (rows left,) integers, 0 <= start < stop <= TOTAL.
        """
        part = self._range >> PRECISION
        offset = part * start
        # the last symbol also takes what the division by TOTAL left over
        self._range = np.where(stop == TOTAL, self._range - offset, part * (stop - start))
        self._low += offset
        carried = np.flatnonzero(self._low > _MASK)
        if carried.size:
            self._words[self.rows[carried], self._filled[carried] - 1] += 1
            self._low[carried] &= _MASK
        short = np.flatnonzero(self._range < LEAST_RANGE)
        if short.size:
            if self._words.shape[1] - self._filled[short].max() < 5:
                self._words = np.pad(self._words, ((0, 0), (0, 8)))
            low = self._low[short]
            self._words[self.rows[short], self._filled[short]] = low >> (WINDOW - WORD)
            self._low[short] = (low & _KEPT) << WORD
            self._range[short] <<= WORD
            self._filled[short] += 1

    def retire(self) -> NDArray[np.bool_]:
        """Take the rows whose code is settled out of the batch.

        Returns
        -------
        (rows left before,) bool
            True for the rows that stay.
        """
        # a settled row needs its last byte above the bits that the range still moves
        far = np.flatnonzero(WORD * self._filled + WORD >= 8 * self._nbytes)
        if far.size == 0:
            return np.ones(len(self.rows), np.bool_)
        first = self._point(far, self._low[far])
        last = self._point(far, self._low[far] + self._range[far] - 1)
        settled = (first == last).all(axis=1)
        done = far[settled]
        self._codes[self.rows[done]] = first[settled]
        self._lengths[self.rows[done]] = self._nbytes
        stay = np.ones(len(self.rows), np.bool_)
        stay[done] = False
        self.rows, self._filled = self.rows[stay], self._filled[stay]
        self._low, self._range = self._low[stay], self._range[stay]
        return stay

    def finish(self) -> tuple[Codes, NDArray[np.int64]]:
        """End every message: the shortest bytes whose point, zeros appended, lies in the last interval.

        Returns
        -------
        codes : (rows, nbytes) uint8
            Cut to `nbytes`, or filled up with zeros.
        lengths : (rows,) int64
            Bytes that carry the message, at most `nbytes`.
        """
        self.retire()
        point = np.full(len(self.rows), -1, np.int64)
        for tail in range(0, WINDOW + 1, 8):
            cell = 1 << (WINDOW - tail)
            candidate = -(-self._low // cell) * cell
            fits = (point < 0) & (candidate < self._low + self._range)
            point[fits] = candidate[fits]
        codes = self._point(np.arange(len(self.rows)), point)
        self._codes[self.rows] = codes
        self._lengths[self.rows] = ((codes != 0) * np.arange(1, self._nbytes + 1)).max(axis=1, initial=0)
        self.rows = self.rows[:0]
        return self._codes, self._lengths

    def _point(self, left: NDArray[np.intp], low: Ints) -> Codes:
        """Bytes (len(left), nbytes) of the point that has `low` in the window after the words so far."""
        words = self._words[self.rows[left]]
        at, filled = np.arange(len(left)), self._filled[left]
        for shift in (2, 1, 0):
            words[at, filled + 2 - shift] = (low >> (WORD * shift)) & 0xFFFF
        words[at, filled - 1] += low >> WINDOW
        for column in range(words.shape[1] - 1, 0, -1):
            words[:, column - 1] += words[:, column] >> WORD
        return words.astype(">u2").view(np.uint8).reshape(len(left), 2 * words.shape[1])[:, : self._nbytes]
