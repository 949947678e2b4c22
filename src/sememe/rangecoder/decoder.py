"""Bytes to symbols, as far as they go."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sememe.rangecoder.interval import LEAST_RANGE, PRECISION, WINDOW, WORD, Ints
from sememe.types import Codes

__all__ = ["Decoder"]


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
        self._taken = np.full(len(codes), WINDOW // WORD)
        # the cell of points, from its first to its last, relative to the low end of the interval
        self._first = _window(self._least)
        self._last = _window(self._most)
        self._range = np.full(len(codes), 1 << WINDOW, np.int64)

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
        short = np.flatnonzero(self._range < LEAST_RANGE)
        if short.size == 0:
            return
        rows = self.rows[short]
        taken = np.minimum(self._taken[short], self._least.shape[1] - 1)
        self._range[short] <<= WORD
        self._first[short] = (self._first[short] << WORD) + self._least[rows, taken]
        self._last[short] = (self._last[short] << WORD) + self._most[rows, taken]
        self._taken[short] += 1


def _as_words(codes: Codes, padding: int) -> Ints:
    """(rows, words) of 16 bits, with four words of padding after the last byte."""
    rows, nbytes = codes.shape
    padded = np.full((rows, nbytes + nbytes % 2 + 8), padding, np.uint8)
    padded[:, :nbytes] = codes
    return padded.view(">u2").astype(np.int64)


def _window(words: Ints) -> Ints:
    """First 48 bits of each row."""
    first: Ints = (words[:, 0] << 2 * WORD) | (words[:, 1] << WORD) | words[:, 2]
    return first
