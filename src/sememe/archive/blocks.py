"""Blocks: the codes of 1,024 neighbouring ids as matrices, with a CRC because SQLite keeps none.

::

    id ──► block = id // 1024, slot = id % 1024
    a row: width · count · crc · present (1 bit a slot) · data (the codes of present slots, packed)

A block has one row where all codes have one length, else one for each length that is there.
"""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from sememe.archive.border import Damaged, ascending
from sememe.archive.records import MAX_ID
from sememe.types import Codes

SLOTS = 1024
_PRESENT = SLOTS // 8  # bytes
_COLUMNS = "block, width, count, crc, present, data"

SELECT = f"SELECT {_COLUMNS} FROM codes ORDER BY block, width"  # noqa: S608  our names only
_SELECT_ONE = f"SELECT {_COLUMNS} FROM codes WHERE block = ?"  # noqa: S608
_REPLACE = f"REPLACE INTO codes ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)"  # noqa: S608
_OUTLINE = "SELECT block, count, crc FROM codes ORDER BY block, width"

Ids = NDArray[np.int64]
Lengths = NDArray[np.int64]


class Coded(NamedTuple):
    """The codes of an archive."""

    ids: Ids
    """(n,) ascending."""
    codes: Codes
    """(n, longest), padded with 0."""
    lengths: Lengths
    """(n,) bytes of each."""


class Outline(NamedTuple):
    """What the blocks of an archive are, without their codes: what did not change has the same row here."""

    numbers: Ids
    """(b,) ascending."""
    counts: Ids
    """(b,) codes of each."""
    crcs: Ids
    """(b,) CRC-32 of each."""


@dataclass(slots=True)
class Block:
    """One block, unpacked: every slot has its row, whether a code is present or not."""

    number: int
    lengths: Lengths  # (SLOTS,), 0 where there is no code
    codes: Codes  # (SLOTS, longest), padded with 0

    @classmethod
    def empty(cls, number: int, longest: int) -> Block:
        """Make a block without codes."""
        return cls(number, np.zeros(SLOTS, np.int64), np.zeros((SLOTS, longest), np.uint8))

    def fill(self, mask: NDArray[np.bool_], codes: Codes) -> None:
        """Take codes of one length into slots that are free."""
        if self.lengths[mask].any():
            raise Damaged(f"block {self.number} holds two codes for one item")
        self.lengths[mask] = codes.shape[1]
        self.codes[mask, : codes.shape[1]] = codes

    def to_rows(self) -> Iterator[Sequence[object]]:
        """Values of the columns of `codes`, a row for each length."""
        for width in np.unique(self.lengths[self.lengths > 0]).tolist():
            mask = self.lengths == width
            present = np.packbits(mask, bitorder="little").tobytes()
            data = self.codes[mask, :width].tobytes()
            crc = checksum(self.number, width, present, data)
            yield (self.number, width, int(mask.sum()), crc, present, data)


def checksum(number: int, width: int, present: bytes, data: bytes) -> int:
    """CRC-32 of a row of `codes`, the place of the block included."""
    return crc32(data, crc32(present, crc32(struct.pack("<QH", number, width))))


def read_row(row: Sequence[Any], widths: range) -> tuple[int, NDArray[np.bool_], Codes]:
    """Check a row; return its block number, present (SLOTS,) and codes (count, width).

    Parameters
    ----------
    row : sequence
        Values of the columns of `codes`.
    widths : range
        Lengths that codes of this archive may have.

    Raises
    ------
    Damaged
        The row is damaged or breaks FORMAT.md.
    """
    number, width, count, crc, present, data = row
    if not isinstance(number, int) or not 0 <= number < MAX_ID // SLOTS:
        raise Damaged(f"block {number!r} of the codes has an impossible number")
    if not isinstance(width, int) or width not in widths:
        allowed = " to ".join(dict.fromkeys((str(widths[0]), str(widths[-1]))))
        raise Damaged(f"block {number} holds codes of {width!r} bytes, the archive of {allowed}")
    if not isinstance(present, bytes) or not isinstance(data, bytes) or len(present) != _PRESENT:
        raise Damaged(f"block {number} of the codes holds wrong types or sizes")
    mask = np.unpackbits(np.frombuffer(present, np.uint8), bitorder="little").view(np.bool_)
    if count != int(mask.sum()) or count == 0 or len(data) != count * width:
        raise Damaged(f"block {number} of the codes does not hold as many as it says")
    if crc != checksum(number, width, present, data):
        raise Damaged(f"block {number} of the codes is damaged: its checksum differs")
    return number, mask, np.frombuffer(data, np.uint8).reshape(-1, width)


def load(connection: sqlite3.Connection, number: int, widths: range) -> Block:
    """Read one block; an absent one is empty."""
    block = Block.empty(number, widths[-1])
    for row in connection.execute(_SELECT_ONE, (number,)):
        block.fill(*read_row(row, widths)[1:])
    return block


def load_all(connection: sqlite3.Connection, widths: range) -> Coded:
    """Read all codes."""
    ids: list[Ids] = [np.zeros(0, np.int64)]
    codes: list[Codes] = [np.zeros((0, widths[-1]), np.uint8)]
    lengths: list[Lengths] = [np.zeros(0, np.int64)]
    last = -1
    for number, rows in groupby(connection.execute(SELECT), itemgetter(0)):
        read = [read_row(row, widths) for row in rows]
        last = ascending(number, last, "block")
        mask, data = read[0][1:]
        if len(read) == 1 and data.shape[1] == widths[-1]:  # as it lies, without one more copy
            of_each = np.full(len(data), data.shape[1])
        else:
            block = Block.empty(number, widths[-1])
            for row in read:
                block.fill(*row[1:])
            mask = block.lengths > 0
            data, of_each = block.codes[mask], block.lengths[mask]
        ids.append(np.flatnonzero(mask) + number * SLOTS)
        codes.append(data)
        lengths.append(of_each)
    return Coded(np.concatenate(ids), np.concatenate(codes), np.concatenate(lengths))


def load_some(connection: sqlite3.Connection, ids: Ids, widths: range) -> tuple[Codes, Lengths]:
    """Read the codes of some ids, ascending: (n, longest) and (n,), 0 where there is none."""
    codes = np.zeros((len(ids), widths[-1]), np.uint8)
    lengths = np.zeros(len(ids), np.int64)
    for rows in _by_block(ids):
        block = load(connection, int(ids[rows[0]]) // SLOTS, widths)
        slots = ids[rows] % SLOTS
        codes[rows], lengths[rows] = block.codes[slots], block.lengths[slots]
    return codes, lengths


def outline(connection: sqlite3.Connection) -> Outline:
    """Read numbers, counts and checksums of all blocks, without their codes."""
    blocks: list[tuple[int, int, int]] = []
    for number, rows in groupby(connection.execute(_OUTLINE), itemgetter(0)):
        counts, crcs = zip(*(row[1:] for row in rows), strict=True)
        whole = all(isinstance(value, int) for value in (number, *counts, *crcs))
        if not whole or min(counts) < 0 or sum(counts) > SLOTS:
            raise Damaged(f"block {number!r} of the codes cannot hold {counts!r}")
        ascending(number, blocks[-1][0] if blocks else -1, "block")
        crc = crcs[0] if len(crcs) == 1 else crc32(repr(crcs).encode())
        blocks.append((number, sum(counts), crc))
    return Outline(*np.array(blocks, np.int64).reshape(-1, 3).T)


def save(connection: sqlite3.Connection, block: Block) -> None:
    """Write one block: a row for each length of its codes, none where there are no codes."""
    rows = list(block.to_rows())
    kept = ", ".join(str(row[1]) for row in rows)
    connection.execute(f"DELETE FROM codes WHERE block = ? AND width NOT IN ({kept})", (block.number,))  # noqa: S608
    connection.executemany(_REPLACE, rows)


def patch(connection: sqlite3.Connection, ids: Ids, codes: Codes, lengths: Lengths, widths: range) -> bool:
    """Set or clear the codes of `ids`, rewriting only the blocks that change.

    Parameters
    ----------
    connection : sqlite3.Connection
        Inside a transaction.
    ids : (n,) int64
        Each at most once.
    codes : (n, longest) uint8
        New codes, padded with 0; rows of cleared ids are ignored.
    lengths : (n,) int64
        Bytes of each; 0 clears the id.
    widths : range
        Lengths that codes may have.

    Returns
    -------
    bool
        Whether anything changed.
    """
    order = np.argsort(ids)
    changed = False
    for some in _by_block(ids[order]):
        rows = order[some]
        changed |= _patch_one(connection, ids[rows], codes[rows], lengths[rows], widths)
    return changed


def _patch_one(
    connection: sqlite3.Connection, ids: Ids, codes: Codes, lengths: Lengths, widths: range
) -> bool:
    block = load(connection, int(ids[0]) // SLOTS, widths)
    slots = ids % SLOTS
    codes = np.where(np.arange(widths[-1]) < lengths[:, None], codes, 0).astype(np.uint8, copy=False)
    if np.array_equal(block.lengths[slots], lengths) and np.array_equal(block.codes[slots], codes):
        return False
    block.lengths[slots], block.codes[slots] = lengths, codes
    save(connection, block)
    return True


def _by_block(ids: Ids) -> Iterator[NDArray[np.intp]]:
    """Split the rows of ascending ids where another block begins."""
    if len(ids):
        yield from np.split(np.arange(len(ids)), np.flatnonzero(np.diff(ids // SLOTS)) + 1)
