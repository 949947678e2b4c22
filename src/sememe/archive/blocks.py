"""Blocks: the codes of 1,024 neighbouring ids as one matrix, with a CRC because SQLite keeps none.

::

    id ──► block = id // 1024, slot = id % 1024
    a row: count · crc · present (1 bit a slot) · data (the codes of present slots, packed)
"""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
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

Ids = NDArray[np.int64]


@dataclass(slots=True)
class Block:
    """One block, unpacked: every slot has its row, whether a code is present or not."""

    number: int
    present: NDArray[np.bool_]  # (SLOTS,)
    codes: Codes  # (SLOTS, width), rows of absent slots are 0

    @classmethod
    def empty(cls, number: int, width: int) -> Block:
        """Make a block without codes."""
        return cls(number, np.zeros(SLOTS, np.bool_), np.zeros((SLOTS, width), np.uint8))

    def to_row(self) -> Sequence[object]:
        """Values of the columns of `codes`."""
        width = self.codes.shape[1]
        present = np.packbits(self.present, bitorder="little").tobytes()
        data = self.codes[self.present].tobytes()
        crc = checksum(self.number, width, present, data)
        return (self.number, width, int(self.present.sum()), crc, present, data)


def checksum(number: int, width: int, present: bytes, data: bytes) -> int:
    """CRC-32 of a row of `codes`, the place of the block included."""
    return crc32(data, crc32(present, crc32(struct.pack("<QH", number, width))))


def read_row(row: Sequence[Any], width: int) -> tuple[int, NDArray[np.bool_], Codes]:
    """Check a row; return its block number, present (SLOTS,) and codes (count, width).

    Raises
    ------
    Damaged
        The row is damaged or breaks FORMAT.md.
    """
    number, stored, count, crc, present, data = row
    if not isinstance(number, int) or not 0 <= number < MAX_ID // SLOTS:
        raise Damaged(f"block {number!r} of the codes has an impossible number")
    if stored != width:
        raise Damaged(f"block {number} holds codes of {stored!r} bytes, the archive of {width}")
    if not isinstance(present, bytes) or not isinstance(data, bytes) or len(present) != _PRESENT:
        raise Damaged(f"block {number} of the codes holds wrong types or sizes")
    mask = np.unpackbits(np.frombuffer(present, np.uint8), bitorder="little").view(np.bool_)
    if count != int(mask.sum()) or count == 0 or len(data) != count * width:
        raise Damaged(f"block {number} of the codes does not hold as many as it says")
    if crc != checksum(number, width, present, data):
        raise Damaged(f"block {number} of the codes is damaged: its checksum differs")
    return number, mask, np.frombuffer(data, np.uint8).reshape(-1, width)


def load(connection: sqlite3.Connection, number: int, width: int) -> Block:
    """Read one block; an absent one is empty."""
    row = connection.execute(_SELECT_ONE, (number,)).fetchone()
    block = Block.empty(number, width)
    if row is not None:
        _, mask, codes = read_row(row, width)
        block.present, block.codes[mask] = mask, codes
    return block


def load_all(connection: sqlite3.Connection, width: int) -> tuple[Ids, Codes]:
    """Read all codes: ids (n,) ascending, codes (n, width)."""
    ids: list[Ids] = [np.zeros(0, np.int64)]
    codes: list[Codes] = [np.zeros((0, width), np.uint8)]
    last = -1
    for row in connection.execute(SELECT):
        number, mask, data = read_row(row, width)
        last = ascending(number, last, "block")
        ids.append(np.flatnonzero(mask) + number * SLOTS)
        codes.append(data)
    return np.concatenate(ids), np.concatenate(codes)


def count_all(connection: sqlite3.Connection) -> int:
    """Count the codes without reading them."""
    total, last = 0, -1
    for number, count in connection.execute("SELECT block, count FROM codes ORDER BY block"):
        if not isinstance(number, int) or not isinstance(count, int) or not 0 <= count <= SLOTS:
            raise Damaged(f"block {number!r} of the codes cannot hold {count!r}")
        last = ascending(number, last, "block")
        total += count
    return total


def save(connection: sqlite3.Connection, block: Block) -> None:
    """Write one block, or delete its row when it has no codes left."""
    if block.present.any():
        connection.execute(_REPLACE, block.to_row())
    else:
        connection.execute(
            "DELETE FROM codes WHERE block = ? AND width = ?", (block.number, block.codes.shape[1])
        )


def patch(connection: sqlite3.Connection, ids: Ids, codes: Codes, present: NDArray[np.bool_]) -> bool:
    """Set or clear the codes of `ids`, rewriting only the blocks that change.

    Parameters
    ----------
    connection : sqlite3.Connection
        Inside a transaction.
    ids : (n,) int64
        Each at most once.
    codes : (n, width) uint8
        New codes; rows of cleared ids are ignored.
    present : (n,) bool
        False clears the id.

    Returns
    -------
    bool
        Whether anything changed.
    """
    order = np.argsort(ids)
    numbers = ids[order] // SLOTS
    changed = False
    for rows in np.split(order, np.flatnonzero(np.diff(numbers)) + 1):
        if len(rows):
            changed |= _patch_one(connection, ids[rows], codes[rows], present[rows])
    return changed


def _patch_one(connection: sqlite3.Connection, ids: Ids, codes: Codes, present: NDArray[np.bool_]) -> bool:
    block = load(connection, int(ids[0]) // SLOTS, codes.shape[1])
    slots = ids % SLOTS
    codes = np.where(present[:, None], codes, 0).astype(np.uint8, copy=False)
    if np.array_equal(block.present[slots], present) and np.array_equal(block.codes[slots], codes):
        return False
    block.present[slots], block.codes[slots] = present, codes
    save(connection, block)
    return True
