"""A set of vectors as one stream: a dictionary of its own, and a few indices for each vector.

::

    x (n, d) ──learn──► atoms ──atom coder──► bytes ─┐
             └─pursue─► indices, levels ──adaptive──►┴─► one stream, the dictionary in it

The tables of indices start even and learn as they go, alike on both sides. To keep decoding quick, up to 64
lanes of vectors take their steps together, each with bytes of its own.

Payload: varints n, atoms, terms; the atoms' messages, each after its length; the lanes' messages likewise.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sememe.errors import FormatError, UsageError, VectorError
from sememe.evaluate.coder import Fitted
from sememe.evaluate.coders.messages import Ints, SymbolTables, as_matrix, as_messages, check_canonical
from sememe.evaluate.collections.framing import Kind, Reader, frame, unframe, varint
from sememe.evaluate.collections.sparse import LEVELS, Sums, learn_atoms, pursue
from sememe.rangecoder import Decoder, Encoder
from sememe.types import Embeddings

__all__ = ["DictionaryCoder"]

_MOST_VECTORS, _MOST_ATOMS, _MOST_TERMS = 1 << 20, 1 << 12, 8
_LANES, _LANE_LEAST = 64, 64
_GAIN = 4  # how much faster than plain counts the tables learn


class DictionaryCoder:
    """Sets of vectors to bytes.

    Parameters
    ----------
    atom_coder
        Any coder at one rate; the receiver holds the same. It codes the atoms.
    atoms
        Size of the dictionary, at most 4,096; a smaller set has one atom for each vector.
    terms
        Atoms in a sum, 1 to 8.
    seed
        Of the first atoms.

    Raises
    ------
    UsageError
        Sizes out of bounds.
    """

    def __init__(self, atom_coder: Fitted, *, atoms: int = 64, terms: int = 2, seed: int = 0) -> None:
        if not 1 <= atoms <= _MOST_ATOMS or not 1 <= terms <= _MOST_TERMS:
            raise UsageError(
                f"a dictionary has 1 to {_MOST_ATOMS} atoms and sums of 1 to {_MOST_TERMS}, "
                f"not {atoms} and {terms}"
            )
        self._atom_coder, self._atoms, self._terms, self._seed = atom_coder, atoms, terms, seed

    def encode(self, x: Embeddings) -> bytes:
        """Encode a set of unit rows (n, d), in their order.

        Raises
        ------
        VectorError
            No rows, or not a matrix.
        """
        if x.ndim != 2 or not 1 <= len(x) <= _MOST_VECTORS:
            raise VectorError(f"a set is a matrix of 1 to {_MOST_VECTORS} vectors, not {x.shape}")
        count = min(self._atoms, len(x))
        messages = self._atom_coder.encode(learn_atoms(x, count, self._terms, seed=self._seed))
        sums = pursue(x, self._atom_coder.decode(messages), self._terms)
        head = [varint(len(x)), varint(count), varint(self._terms)]
        lanes = _encode_lanes(sums, count)
        return frame(Kind.DICTIONARY, b"".join([*head, *_with_lengths(messages), *_with_lengths(lanes)]))

    def decode(self, data: bytes) -> Embeddings:
        """Decode a set to unit rows (n, d).

        Raises
        ------
        IntegrityError
            The bytes are not what `encode` writes.
        """
        reader = Reader(unframe(data, Kind.DICTIONARY))
        n, count, terms = reader.varint(_MOST_VECTORS), reader.varint(_MOST_ATOMS), reader.varint(_MOST_TERMS)
        if not (n and count and terms) or count > n:
            raise FormatError(f"a set of {n} vectors cannot have {count} atoms and sums of {terms}")
        atoms = self._atom_coder.decode(_read_with_lengths(reader, count))
        lanes = _read_with_lengths(reader, _lane_count(n))
        reader.end()
        sums = _decode_lanes(lanes, n, count, terms)
        check_canonical(lanes, _encode_lanes(sums, count))
        return sums.vectors(atoms)


class _Adaptive:
    """A table that learns from what it coded."""

    def __init__(self, alphabet: int) -> None:
        self._counts = np.ones(alphabet)

    def encode(self, symbols: Ints, encoder: Encoder, taking: NDArray[np.bool_]) -> None:
        SymbolTables(self._counts[None]).encode(symbols[:, None], encoder, taking)
        self._learn(symbols[taking])

    def decode(self, decoder: Decoder, taking: NDArray[np.bool_]) -> Ints:
        symbols = SymbolTables(self._counts[None]).decode(decoder, taking)[:, 0]
        self._learn(symbols[taking])
        return symbols

    def _learn(self, symbols: Ints) -> None:
        np.add.at(self._counts, symbols, _GAIN)


def _tables(count: int, terms: int) -> list[_Adaptive]:
    """Tables of the first atom, and then of level and atom of each further term: the order of coding."""
    every = [_Adaptive(count)]
    for _ in range(terms - 1):
        every += [_Adaptive(len(LEVELS)), _Adaptive(count)]
    return every


def _lane_count(n: int) -> int:
    return max(1, min(_LANES, n // _LANE_LEAST))


def _steps(n: int) -> Iterator[tuple[slice, NDArray[np.bool_]]]:
    """Rows that take a step together, and which lanes have one."""
    lanes = _lane_count(n)
    for low, high in pairwise([*range(0, n, lanes), n]):
        yield slice(low, high), np.arange(lanes) < high - low


def _columns(sums: Sums) -> Ints:
    """Symbols (n, 2 · terms - 1) in the order of coding."""
    terms = sums.atoms.shape[1]
    columns = np.zeros((len(sums.atoms), 2 * terms - 1), np.int64)
    columns[:, 0], columns[:, 1::2], columns[:, 2::2] = sums.atoms[:, 0], sums.levels, sums.atoms[:, 1:]
    return columns


def _encode_lanes(sums: Sums, count: int) -> list[bytes]:
    n, terms = sums.atoms.shape
    columns, tables = _columns(sums), _tables(count, terms)
    lanes = _lane_count(n)
    encoder = Encoder(lanes, 2 * columns.shape[1] * (-(-n // lanes)) + 16)
    for rows, taking in _steps(n):
        for table, column in zip(tables, columns[rows].T, strict=True):
            symbols = np.zeros(lanes, np.int64)
            symbols[taking] = column
            table.encode(symbols, encoder, taking)
    return as_messages(encoder)


def _decode_lanes(messages: Sequence[bytes], n: int, count: int, terms: int) -> Sums:
    tables, columns = _tables(count, terms), np.zeros((n, 2 * terms - 1), np.int64)
    decoder = Decoder(as_matrix(messages), complete=True)
    for rows, taking in _steps(n):
        for place, table in enumerate(tables):
            columns[rows, place] = table.decode(decoder, taking)[taking]
    return Sums(np.concatenate([columns[:, :1], columns[:, 2::2]], axis=1), columns[:, 1::2])


def _with_lengths(messages: Sequence[bytes]) -> Iterator[bytes]:
    for message in messages:
        yield varint(len(message))
        yield message


def _read_with_lengths(reader: Reader, count: int) -> list[bytes]:
    return [reader.take(reader.varint((1 << 32) - 1)) for _ in range(count)]
