"""Rows of signed integers of any size to messages: tables of those that training saw, an escape for others.

::

    q (n, P) ──clip──► symbols: below, low … high, above ──► tables
               └─ what was clipped: excess in Elias' gamma code, after the symbols

Source of the escape: P. Elias, "Universal codeword sets and representations of the integers", 1975.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sememe.errors import LengthError
from sememe.evaluate.coders.messages import Ints, SymbolTables, as_matrix, as_messages, check_canonical
from sememe.rangecoder import ABSENT, TOTAL, Decoder, Encoder

__all__ = ["IntegerTables"]

_WIDEST = 1 << 14
_EXCESS_BITS = 40
_HALF = TOTAL // 2
_UNSEEN = 0.5  # count given to every symbol of a table beside what training shows


class IntegerTables:
    """Tables of integers at P positions.

    Parameters
    ----------
    seen
        (n, P) int64, the integers of the training rows.
    """

    def __init__(self, seen: Ints) -> None:
        widest = _WIDEST // 2
        self._low = np.maximum(seen.min(axis=0), -widest)
        high = np.minimum(seen.max(axis=0), widest)
        self._alphabet = int((high - self._low).max()) + 3
        self._tables = SymbolTables(self._counts(seen, high))

    @property
    def table_bytes(self) -> int:
        """Frequencies, and four bytes for the first integer of each position."""
        return self._tables.table_bytes + 4 * len(self._low)

    @property
    def low(self) -> Ints:
        """(P,) smallest integer of each position that has a symbol of its own."""
        low: Ints = self._low
        return low

    @property
    def alphabet(self) -> int:
        """Symbols of every position, both escapes included."""
        return self._alphabet

    def symbols(self, integers: Ints) -> Ints:
        """Symbols (n, P) of integers; 0 and `alphabet` - 1 say below and above."""
        clipped: Ints = np.clip(integers - self._low + 1, 0, self._alphabet - 1)
        return clipped

    def encode(self, integers: Ints) -> list[bytes]:
        """Encode rows of integers (n, P), each into its own message."""
        symbols = self.symbols(integers)
        excess = self._excess(integers, symbols)
        bits = (
            self._tables.bits(symbols)
            + 2 * np.log2(np.maximum(excess, 1)).sum(axis=1)
            + (excess > 0).sum(axis=1)
        )
        encoder = Encoder(len(integers), int(bits.max(initial=0) / 8) + 16)
        self._tables.encode(symbols, encoder)
        for position in np.flatnonzero((excess > 0).any(axis=0)):
            _encode_gamma(encoder, excess[:, position])
        return as_messages(encoder)

    def decode(self, messages: Sequence[bytes]) -> Ints:
        """Decode messages to rows of integers (n, P).

        Raises
        ------
        TrailingDataError
            A message is longer than what it says needs, or names it otherwise.
        LengthError
            An integer is too large for any that is encoded.
        """
        decoder = Decoder(as_matrix(messages), complete=True)
        symbols = self._tables.decode(decoder)
        integers: Ints = symbols + self._low - 1
        below, above = symbols == 0, symbols == self._alphabet - 1
        for position in np.flatnonzero((below | above).any(axis=0)):
            excess = _decode_gamma(decoder, (below | above)[:, position]) - 1
            integers[:, position] += np.where(below[:, position], -excess, excess)
        check_canonical(messages, self.encode(integers))
        return integers

    def _counts(self, seen: Ints, high: Ints) -> NDArray[np.float64]:
        positions = np.arange(len(self._low))
        places = positions * self._alphabet + self.symbols(np.minimum(seen, high))
        counts = np.bincount(places.ravel(), minlength=len(positions) * self._alphabet).astype(np.float64)
        return counts.reshape(len(positions), self._alphabet) + _UNSEEN * self._is_given(high)

    def _is_given(self, high: Ints) -> NDArray[np.float64]:
        """1 for symbols from a position's smallest to its largest integer and for both escapes; else less."""
        inside = np.arange(self._alphabet)[None] <= (high - self._low + 1)[:, None]
        given = np.where(inside, 1.0, 1e-3)
        given[:, -1] = 1.0
        return given

    def _excess(self, integers: Ints, symbols: Ints) -> Ints:
        """How far (n, P) beyond the last symbol: 1 or more where an escape was taken, else 0."""
        over = integers - (self._low + self._alphabet - 2)
        under = self._low - 1 - integers
        excess: Ints = np.where(symbols == 0, under, np.where(symbols == self._alphabet - 1, over, -1)) + 1
        return excess


def _encode_gamma(encoder: Encoder, excess: Ints) -> None:
    """Append positive integers in Elias' gamma code; rows with 0 take no part."""
    asked = excess > 0
    width = np.where(asked, np.frexp(excess.astype(np.float64))[1], 0)
    for step in range(int(width.max())):
        more = width > step + 1
        _encode_bit(encoder, asked & (width > step), more)
    for step in range(int(width.max()) - 2, -1, -1):
        _encode_bit(encoder, width > step + 1, (excess >> step) & 1 == 1)


def _encode_bit(encoder: Encoder, asked: NDArray[np.bool_], bit: NDArray[np.bool_]) -> None:
    start = np.where(asked & bit, _HALF, 0)
    encoder.encode(start, np.where(asked & ~bit, _HALF, TOTAL))


def _decode_gamma(decoder: Decoder, asked: NDArray[np.bool_]) -> Ints:
    """Read what `_encode_gamma` wrote; 1 in rows that take no part."""
    width, going = asked.astype(np.int64), asked
    while going.any():
        going = going & (_decode_bit(decoder, going) == 1)
        width += going
        if width.max() > _EXCESS_BITS:
            raise LengthError(f"a message names an integer of more than {_EXCESS_BITS} bits")
    value = np.ones(len(asked), np.int64)
    for step in range(int(width.max(initial=0)) - 2, -1, -1):
        taking = width > step + 1
        value = np.where(taking, 2 * value + _decode_bit(decoder, taking), value)
    return value


def _decode_bit(decoder: Decoder, asked: NDArray[np.bool_]) -> Ints:
    bit, _ = decoder.decode([np.where(asked, _HALF, ABSENT)])
    return bit
