"""Integers and their frequencies to bytes and back: a range coder that may be cut after any byte.

Every row of a batch is a message of its own; all rows take their next step together (lock-step), and a
single message is a batch of one. A symbol owns the share [start, stop) of 2**16 equal parts of the current
interval::

    low                                                            low + range
     ├──────────────┬────────────────────────────┬──────────────────────┤
     0            start                         stop                  2**16
                    └──── the interval that the next symbol divides ────┘

The code of a message is a point inside its last interval. Cutting the code after n bytes leaves a *cell* of
points; a symbol is *determined* while the whole cell lies in the share of that one symbol. `Decoder`
returns exactly the determined symbols, and of the first one that is not, the probabilities.

Only integer additions, multiplications and shifts: two machines never disagree.

Source: G. N. N. Martin, "Range encoding: an algorithm for removing redundancy from a digitised message",
1979.

Carries are not resolved while coding: each is added to the word before, and all are rippled once at
the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sememe.types import Codes

__all__ = ["ABSENT", "PRECISION", "TOTAL", "Decoder", "Encoder", "quantize_frequencies"]

PRECISION = 16
TOTAL = 1 << PRECISION
"""Every frequency table sums to this."""

ABSENT = TOTAL + 1
"""Start of a symbol that does not exist: beyond every interval, also beyond what the division left over."""

_WORD = 16  # bits moved at a time
_WINDOW = 48  # bits of `low` kept at hand
_MASK = (1 << _WINDOW) - 1
_KEPT = (1 << (_WINDOW - _WORD)) - 1
_LEAST_RANGE = 1 << (_WINDOW - _WORD)  # below it, one word is settled but for a carry

Ints = NDArray[np.int64]


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
        self._range = np.full(rows, 1 << _WINDOW, np.int64)
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
        short = np.flatnonzero(self._range < _LEAST_RANGE)
        if short.size:
            if self._words.shape[1] - self._filled[short].max() < 5:
                self._words = np.pad(self._words, ((0, 0), (0, 8)))
            low = self._low[short]
            self._words[self.rows[short], self._filled[short]] = low >> (_WINDOW - _WORD)
            self._low[short] = (low & _KEPT) << _WORD
            self._range[short] <<= _WORD
            self._filled[short] += 1

    def retire(self) -> NDArray[np.bool_]:
        """Take the rows whose code is settled out of the batch.

        Returns
        -------
        (rows left before,) bool
            True for the rows that stay.
        """
        # a settled row needs its last byte above the bits that the range still moves
        far = np.flatnonzero(_WORD * self._filled + _WORD >= 8 * self._nbytes)
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
        for tail in range(0, _WINDOW + 1, 8):
            cell = 1 << (_WINDOW - tail)
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
            words[at, filled + 2 - shift] = (low >> (_WORD * shift)) & 0xFFFF
        words[at, filled - 1] += low >> _WINDOW
        for column in range(words.shape[1] - 1, 0, -1):
            words[:, column - 1] += words[:, column] >> _WORD
        return words.astype(">u2").view(np.uint8).reshape(len(left), 2 * words.shape[1])[:, : self._nbytes]


class Decoder:
    """Decode a batch of codes in lock-step, as far as their bytes determine symbols.

    Parameters
    ----------
    codes
        (rows, nbytes) uint8.
    complete
        False: the codes were cut, and anything may have followed. True: they are whole messages as
        `Encoder.finish` ended them, so zeros follow and the caller knows how many symbols there are.
    """

    def __init__(self, codes: Codes, *, complete: bool = False) -> None:
        self._least = _as_words(codes, 0x00)
        self._most = _as_words(codes, 0x00 if complete else 0xFF)
        self.rows: NDArray[np.intp] = np.arange(len(codes))
        self._taken = np.full(len(codes), _WINDOW // _WORD)
        # the cell of points, from its first to its last, relative to the low end of the interval
        self._first = _window(self._least)
        self._last = _window(self._most)
        self._range = np.full(len(codes), 1 << _WINDOW, np.int64)

    def decode(self, inner: Sequence[NDArray[np.integer] | int]) -> tuple[Ints, NDArray[np.bool_]]:
        """Decode one symbol in every row of the batch.

        Parameters
        ----------
        inner
            The starts of symbols 1, 2, ...: for each a scalar or (rows,) integers, ascending; `ABSENT`
            where a row has fewer symbols. All `ABSENT` decodes symbol 0 and reads nothing.

        Returns
        -------
        symbols : (rows,) int64
            The symbol, or 0 where the bytes do not determine it.
        determined : (rows,) bool
            Rows where they do not stay as they are: give them `ABSENT` from then on, or drop them.
        """
        bounds = self._bounds(inner)
        symbols = np.zeros(len(self.rows), np.int64)
        lower, upper = np.zeros_like(self._range), self._range
        for bound in bounds:
            above = self._first >= bound
            symbols += above
            lower = np.where(above, bound, lower)
        for bound in reversed(bounds):
            upper = np.where(self._first < bound, bound, upper)
        determined = self._last < upper
        if not determined.all():
            symbols = np.where(determined, symbols, 0)
            lower = np.where(determined, lower, 0)
            upper = np.where(determined, upper, self._range)
        self._range = upper - lower
        self._first = self._first - lower
        self._last = self._last - lower
        self._refill()
        return symbols, determined

    def shares(self, rows: NDArray[np.intp], inner: Sequence[NDArray[np.integer]]) -> NDArray[np.float64]:
        """How the bytes of some rows are divided among the candidates of a symbol that they do not determine.

        Parameters
        ----------
        rows
            (k,) places in the batch.
        inner
            The starts of symbols 1, 2, ... for these rows, as in `decode`.

        Returns
        -------
        (k, symbols) float64
            The probability of each symbol: an entropy coder makes all points equally likely.
        """
        first, end = self._first[rows], self._last[rows] + 1
        edges = [np.zeros_like(first), *self._bounds(inner, rows), self._range[rows]]
        overlap = [
            np.maximum(0, np.minimum(end, high) - np.maximum(first, low)) for low, high in pairwise(edges)
        ]
        shares: NDArray[np.float64] = np.stack(overlap, axis=1) / (end - first)[:, None]
        return shares

    def keep(self, stay: NDArray[np.bool_]) -> None:
        """Drop the other rows from the batch; `stay` is (rows,) bool."""
        self.rows, self._taken = self.rows[stay], self._taken[stay]
        self._first, self._last, self._range = self._first[stay], self._last[stay], self._range[stay]

    def _bounds(
        self, inner: Sequence[NDArray[np.integer] | int], rows: NDArray[np.intp] | slice = slice(None)
    ) -> list[Ints]:
        within = self._range[rows]
        part = within >> PRECISION
        return [np.minimum(part * start, within) for start in inner]

    def _refill(self) -> None:
        short = np.flatnonzero(self._range < _LEAST_RANGE)
        if short.size == 0:
            return
        rows = self.rows[short]
        taken = np.minimum(self._taken[short], self._least.shape[1] - 1)
        self._range[short] <<= _WORD
        self._first[short] = (self._first[short] << _WORD) + self._least[rows, taken]
        self._last[short] = (self._last[short] << _WORD) + self._most[rows, taken]
        self._taken[short] += 1


def quantize_frequencies(counts: NDArray[np.floating] | NDArray[np.integer]) -> NDArray[np.int64]:
    """Turn counts into frequencies that sum to TOTAL, none of them zero.

    Parameters
    ----------
    counts
        (..., symbols) non-negative, each row with a positive sum; at most TOTAL / 2 symbols.

    Returns
    -------
    (..., symbols) int64
        Floor of each share plus one; the largest takes the remainder.
    """
    counts = np.asarray(counts, np.float64)
    spare = TOTAL - counts.shape[-1]
    shares = counts / counts.sum(axis=-1, keepdims=True)
    frequencies: Ints = np.floor(shares * spare).astype(np.int64) + 1
    largest = shares.argmax(axis=-1)[..., None]
    rest = TOTAL - frequencies.sum(axis=-1, keepdims=True)
    np.put_along_axis(frequencies, largest, np.take_along_axis(frequencies, largest, -1) + rest, -1)
    return frequencies


def _as_words(codes: Codes, padding: int) -> Ints:
    """(rows, words) of 16 bits, with four words of padding after the last byte."""
    rows, nbytes = codes.shape
    padded = np.full((rows, nbytes + nbytes % 2 + 8), padding, np.uint8)
    padded[:, :nbytes] = codes
    return padded.view(">u2").astype(np.int64)


def _window(words: Ints) -> Ints:
    """First 48 bits of each row."""
    first: Ints = (words[:, 0] << 2 * _WORD) | (words[:, 1] << _WORD) | words[:, 2]
    return first
