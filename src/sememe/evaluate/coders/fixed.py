"""Coders whose messages all have one length: a matrix of bytes inside, messages outside.

::

    x (n, d) ──less mean──► encode ──► codes (n, nbytes) ──rows──► [bytes, …]
    x̂ (n, d) ◄─unit, mean back─ decode(tables, codes) ◄──────────┘

`decode` is a function of tables and bytes and of nothing else, so that the size of the tables is all
that a receiver must hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sememe.errors import TrailingDataError, TruncatedError, UsageError, VectorError
from sememe.evaluate.coder import Coder, Note
from sememe.evaluate.coders.centred import Centred
from sememe.evaluate.coders.ideal import OrderZero
from sememe.metrics import unit_rows
from sememe.types import Codes, Embeddings

__all__ = ["Encode", "FixedFitted", "FixedTrained", "FloatTables", "as_bytes", "size_of", "vectors_of"]

Floats = NDArray[np.float32]
FloatTables = Mapping[str, Floats]
Encode = Callable[[Floats], Codes]
"""Centred rows (n, d) to codes (n, nbytes)."""
Decode = Callable[[FloatTables, Codes], Floats]
"""Tables and codes (n, nbytes) to centred rows (n, d); may raise FormatError."""
Symbols = Callable[[Codes], NDArray[np.integer]]
"""Codes (n, nbytes) to the symbols (n, s) that they are made of."""

_BATCH = 4096
_IDEAL_ROWS = 8192


def as_bytes(codes: Codes) -> NDArray[np.integer]:
    """Each byte is a symbol: what 8-bit quantizers write."""
    return codes


def size_of(tables: FloatTables) -> int:
    """Bytes of all tables, each at the width in which it is kept."""
    return sum(table.nbytes for table in tables.values())


def vectors_of(x: Any, dim: int) -> Floats:
    """Check that `x` is a matrix of vectors of `dim` dimensions.

    Raises
    ------
    VectorError
        It is not.
    """
    rows = np.asarray(x, np.float32)
    if rows.ndim != 2 or rows.shape[1] != dim:
        raise VectorError(f"vectors must be (n, {dim}), not {rows.shape}")
    return rows


class FixedFitted:
    """A coder at one rate; every message has `nbytes` bytes.

    Parameters
    ----------
    nbytes
        Length of a message.
    tables
        What the receiver holds beside the mean.
    encode
        Centred rows to codes.
    decode
        Tables and codes to centred rows, without anything else.
    training
        Its mean is the centre; its vectors tell how often each symbol is used.
    symbols, alphabet
        What a code is made of: symbols, each in 0..alphabet-1.
    """

    def __init__(
        self,
        nbytes: int,
        tables: FloatTables,
        encode: Encode,
        decode: Decode,
        training: Centred,
        *,
        symbols: Symbols = as_bytes,
        alphabet: int = 256,
    ) -> None:
        self.nbytes = nbytes
        self.tables: FloatTables = {"mean": training.mean, **tables}
        self._encode = encode
        self._decode = decode
        self._training = training
        self._symbols = symbols
        self._alphabet = alphabet
        self._usage: OrderZero | None = None

    @property
    def table_bytes(self) -> int:
        """Size of the tables, the mean among them."""
        return size_of(self.tables)

    def encode(self, x: Embeddings) -> list[bytes]:
        """Encode unit rows (n, d).

        Raises
        ------
        VectorError
            Another dimension.
        """
        return [row.tobytes() for row in self._codes(x)]

    def decode(self, codes: Sequence[bytes]) -> Embeddings:
        """Decode messages to unit rows (n, d).

        Raises
        ------
        TruncatedError, TrailingDataError
            A message is shorter or longer than `nbytes`.
        FormatError
            A message that this coder never writes.
        """
        return unit_rows(self._decode(self.tables, self._matrix(codes)) + self.tables["mean"])

    def ideal_bytes(self, codes: Sequence[bytes]) -> float:
        """Mean bytes of these messages if their symbols were entropy coded without any loss.

        One static table for each place of a code, fitted on training vectors (at most 8,192 of them); the
        tables are not counted.
        """
        if self._usage is None:
            sample = self._training.sample(_IDEAL_ROWS)
            self._usage = OrderZero.fit(self._symbols(self._codes(sample)), self._alphabet)
        return self._usage.mean_bytes(self._symbols(self._matrix(codes)))

    def _codes(self, x: Embeddings) -> Codes:
        rows = vectors_of(x, len(self.tables["mean"])) - self.tables["mean"]
        codes = np.zeros((len(rows), self.nbytes), np.uint8)
        for start in range(0, len(rows), _BATCH):
            batch = slice(start, start + _BATCH)
            codes[batch] = self._encode(np.ascontiguousarray(rows[batch]))
        return codes

    def _matrix(self, codes: Sequence[bytes]) -> Codes:
        for row, code in enumerate(codes):
            if len(code) != self.nbytes:
                error = TruncatedError if len(code) < self.nbytes else TrailingDataError
                raise error(f"message {row} has {len(code)} bytes where this coder writes {self.nbytes}")
        return np.frombuffer(b"".join(codes), np.uint8).reshape(len(codes), self.nbytes)


class FixedTrained:
    """A coder that has seen its training vectors, and fits what belongs to a rate when it is asked for.

    Parameters
    ----------
    coder
        Knows the rates, and its name for complaints.
    dim
        Length of a vector.
    fit
        Called with a rate in bytes.
    """

    def __init__(self, coder: Coder, dim: int, fit: Callable[[int, Note], FixedFitted]) -> None:
        self._coder = coder
        self._dim = dim
        self._fit = fit

    def at(self, nbytes: float, note: Note = lambda _: None) -> FixedFitted:
        """Set the rate.

        Raises
        ------
        UsageError
            The coder has no such rate.
        """
        rates = self._coder.rates(self._dim) or ()
        if nbytes not in rates:
            known = ", ".join(f"{rate:g}" for rate in rates) or "none"
            raise UsageError(
                f"coder {self._coder.name!r} has no rate of {nbytes:g} bytes for {self._dim} dimensions; "
                f"it has {known}"
            )
        return self._fit(int(nbytes), note)
