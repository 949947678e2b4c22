"""Matrices of integers to messages and back, one a row, by static tables: what the papers' coders share.

::

    symbols (n, P) ──tables of each position──► range coder ──► [bytes, …]

A symbol of a large alphabet is coded as digits of at most four bits, the table of a digit chosen by the
digits before it, which costs the same as one large table and decodes in fewer steps. A message is the
shortest bytes that name its symbols; it has no length inside, and whatever carries it must bring one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from sememe.errors import FormatError, TrailingDataError, UsageError
from sememe.rangecoder import ABSENT, TOTAL, Decoder, Encoder, quantize_frequencies
from sememe.types import Codes

__all__ = ["LARGEST_ALPHABET", "Ints", "SymbolTables", "as_matrix", "as_messages", "check_canonical"]

Ints = NDArray[np.int64]

LARGEST_ALPHABET = 1 << 16
_DIGIT = 16


class SymbolTables:
    """Frequencies of the symbols at each position of a message.

    Parameters
    ----------
    counts
        (P, A) non-negative, 1 <= A <= 65,536: how often symbol a was seen at position p, with whatever the
        caller adds for symbols that were not seen. A row without any count is taken as even.

    Raises
    ------
    UsageError
        Another shape, too large an alphabet, or counts that are negative or not finite.
    """

    def __init__(self, counts: NDArray[np.floating] | NDArray[np.integer]) -> None:
        counts = np.asarray(counts, np.float64)
        if counts.ndim != 2 or not 1 <= counts.shape[1] <= LARGEST_ALPHABET:
            raise UsageError(
                f"counts must be (positions, 1 to {LARGEST_ALPHABET} symbols), not {counts.shape}"
            )
        if not np.isfinite(counts).all() or (counts < 0).any():
            raise UsageError("counts of symbols must be finite and not negative")
        self.positions, self.alphabet = counts.shape
        self._radices = _radices(self.alphabet)
        self._cumulative = [*self._levels(np.where(counts.sum(axis=1, keepdims=True) > 0, counts, 1.0))]

    @property
    def table_bytes(self) -> int:
        """Two bytes for each frequency but the last of its table, which the sum gives."""
        return sum(2 * level[..., 2:].size for level in self._cumulative)

    def bits(self, symbols: Ints) -> NDArray[np.float64]:
        """Ideal length of each message, (n,) bits."""
        spent = np.zeros(len(symbols))
        for start, stop in self._intervals(symbols):
            spent -= np.log2((stop - start) / TOTAL)
        return spent

    def encode(self, symbols: Ints, encoder: Encoder, taking: NDArray[np.bool_] | None = None) -> None:
        """Append symbols (n, P) to the n messages of an encoder; nothing where `taking` (n,) is False."""
        for start, stop in self._intervals(symbols):
            if taking is None:
                encoder.encode(start, stop)
            else:
                encoder.encode(np.where(taking, start, 0), np.where(taking, stop, TOTAL))

    def decode(self, decoder: Decoder, taking: NDArray[np.bool_] | None = None) -> Ints:
        """Read symbols (n, P) from the n messages of a decoder; zeros where `taking` (n,) is False.

        Raises
        ------
        FormatError
            A message names a symbol that does not exist.
        """
        symbols = np.zeros((len(decoder.rows), self.positions), np.int64)
        for position in range(self.positions):
            node = np.zeros(len(symbols), np.int64)
            for level, radix in zip(self._cumulative, self._radices, strict=True):
                inner = level[position, node].T[1:-1]
                digit, _ = decoder.decode(list(inner if taking is None else np.where(taking, inner, ABSENT)))
                node = node * radix + digit
            symbols[:, position] = node
        if (symbols >= self.alphabet).any():
            row = int(np.flatnonzero((symbols >= self.alphabet).any(axis=1))[0])
            raise FormatError(f"message {row} names a symbol beyond the {self.alphabet} that there are")
        return symbols

    def _levels(self, counts: NDArray[np.float64]) -> Iterator[Ints]:
        """Cumulative frequencies (P, nodes, radix + 1) of each digit."""
        size = math.prod(self._radices)
        padded = np.zeros((len(counts), size))
        padded[:, : counts.shape[1]] = counts
        nodes = 1
        for radix in self._radices:
            within = padded.reshape(len(counts), nodes, radix, -1).sum(axis=3)
            within[within.sum(axis=2) == 0] = 1.0
            frequencies = quantize_frequencies(within)
            yield np.concatenate([np.zeros((*within.shape[:2], 1), np.int64), frequencies.cumsum(2)], axis=2)
            nodes *= radix

    def _intervals(self, symbols: Ints) -> Iterator[tuple[Ints, Ints]]:
        size = math.prod(self._radices)
        for position in range(self.positions):
            node, left, below = np.zeros(len(symbols), np.int64), symbols[:, position], size
            for level, radix in zip(self._cumulative, self._radices, strict=True):
                below //= radix
                digit, left = np.divmod(left, below)
                yield level[position, node, digit], level[position, node, digit + 1]
                node = node * radix + digit


def as_messages(encoder: Encoder) -> list[bytes]:
    """End all messages of an encoder, each at its own length."""
    codes, lengths = encoder.finish()
    return [code[:length].tobytes() for code, length in zip(codes, lengths, strict=True)]


def as_matrix(messages: Sequence[bytes]) -> Codes:
    """Messages as rows (n, longest), filled up with the zeros that follow a whole message anyway."""
    longest = max((len(message) for message in messages), default=0)
    padded = b"".join(bytes(message).ljust(longest, b"\0") for message in messages)
    return np.frombuffer(padded, np.uint8).reshape(len(messages), longest)


def check_canonical(messages: Sequence[bytes], again: Sequence[bytes]) -> None:
    """Compare messages with what their symbols encode to.

    Raises
    ------
    TrailingDataError
        One is not the shortest that says the same: bytes were appended, or changed where nothing is read.
    """
    for row, (given, made) in enumerate(zip(messages, again, strict=True)):
        if bytes(given) != made:
            raise TrailingDataError(
                f"message {row} has {len(given)} bytes where its symbols end after {len(made)}"
            )


def _radices(alphabet: int) -> tuple[int, ...]:
    """Numbers of values of each digit, the first as few as are needed."""
    radices: list[int] = []
    while alphabet > _DIGIT:
        radices.insert(0, _DIGIT)
        alphabet = -(-alphabet // _DIGIT)
    return (alphabet, *radices)
