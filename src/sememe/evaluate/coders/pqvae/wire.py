"""Indices to bytes: by static tables of each position, or packed into as few bits as all of them need."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sememe.errors import FormatError, TrailingDataError, TruncatedError
from sememe.evaluate.coders.messages import Ints, SymbolTables, as_matrix, as_messages, check_canonical
from sememe.rangecoder import Decoder, Encoder

__all__ = ["PackedWire", "StaticWire", "Wire"]

_UNSEEN = 0.25


class Wire(Protocol):
    """A way to write rows of indices."""

    @property
    def table_bytes(self) -> int:
        """What a decoder must hold for it."""
        ...

    def encode(self, indices: Ints) -> list[bytes]:
        """Write rows (n, m), each into its own message."""
        ...

    def decode(self, messages: Sequence[bytes]) -> Ints:
        """Read rows (n, m)."""
        ...


class StaticWire:
    """Range coder with one table for each position.

    Parameters
    ----------
    counts
        (m, K) how often training used each codeword at each position.
    """

    def __init__(self, counts: NDArray[np.integer]) -> None:
        self._tables = SymbolTables(np.asarray(counts, np.float64) + _UNSEEN)

    @property
    def table_bytes(self) -> int:
        """Frequencies."""
        return self._tables.table_bytes

    def encode(self, indices: Ints) -> list[bytes]:
        """Write rows (n, m), each as long as it needs to be."""
        encoder = Encoder(len(indices), int(self._tables.bits(indices).max(initial=0) / 8) + 8)
        self._tables.encode(indices, encoder)
        return as_messages(encoder)

    def decode(self, messages: Sequence[bytes]) -> Ints:
        """Read rows (n, m).

        Raises
        ------
        TrailingDataError
            A message is longer than its indices need.
        FormatError
            A message names a codeword that does not exist.
        """
        indices = self._tables.decode(Decoder(as_matrix(messages), complete=True))
        check_canonical(messages, self.encode(indices))
        return indices


class PackedWire:
    """Every index in as many bits as the largest needs: the length that the paper counts.

    Parameters
    ----------
    positions, codewords
        m and K.
    """

    table_bytes = 0

    def __init__(self, positions: int, codewords: int) -> None:
        self._positions, self._codewords = positions, codewords
        self._width = max(1, math.ceil(math.log2(codewords)))
        self._nbytes = -(-positions * self._width // 8)

    def encode(self, indices: Ints) -> list[bytes]:
        """Write rows (n, m), all of one length, most significant bits first."""
        bits = (indices[:, :, None] >> np.arange(self._width - 1, -1, -1)) & 1
        rows = np.packbits(bits.reshape(len(indices), self._positions * self._width).astype(np.uint8), axis=1)
        return [row.tobytes() for row in rows]

    def decode(self, messages: Sequence[bytes]) -> Ints:
        """Read rows (n, m).

        Raises
        ------
        TruncatedError, TrailingDataError
            A message has another length.
        FormatError
            A message names a codeword that does not exist, or its last bits are not zero.
        """
        for row, message in enumerate(messages):
            if len(message) != self._nbytes:
                error = TruncatedError if len(message) < self._nbytes else TrailingDataError
                raise error(f"message {row} has {len(message)} bytes where this coder writes {self._nbytes}")
        rows = np.frombuffer(b"".join(messages), np.uint8).reshape(len(messages), self._nbytes)
        bits = np.unpackbits(rows, axis=1).astype(np.int64)
        used = self._positions * self._width
        places = 1 << np.arange(self._width - 1, -1, -1)
        indices: Ints = bits[:, :used].reshape(len(messages), self._positions, self._width) @ places
        if bits[:, used:].any() or (indices >= self._codewords).any():
            raise FormatError("a message names a codeword that does not exist, or its padding is not zero")
        return indices
