"""Reading an archive: everything that changes nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import numpy as np

from sememe.archive import blocks, schema
from sememe.archive.blocks import Ids
from sememe.archive.border import Damaged, ascending, border
from sememe.archive.checking import problems
from sememe.archive.connections import open_file
from sememe.archive.records import (
    COLUMNS,
    ArchiveProfile,
    Item,
    Known,
    item_from_row,
    known_from_row,
    path_from_sql,
    path_to_sql,
)
from sememe.errors import InputError
from sememe.types import Codes

BUSY_TIMEOUT = 10.0
"""Seconds to wait for another writer."""

_KNOWN = "path, mtime_ns, size, content_hash, status, id"
_PAGE = 4096  # items read at a time, so that no long read keeps SQLite's journal from being cleared


class Reader:
    """An open archive, as far as it can be read; `Archive` adds writing."""

    def __init__(self, path: Path, *, write: bool, busy_timeout: float) -> None:
        self._path = path
        self._connection = open_file(path, write=write, busy_timeout=busy_timeout)
        try:
            with border(path):
                schema.check(self._connection)
                self._meta = schema.read(self._connection)
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        """Let go of the file; closing again does nothing."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        profile = self.profile
        return f"<Archive {self._path} {profile.profile_id} {profile.fingerprint[:4].hex()} {self.nbytes} B>"

    @property
    def path(self) -> Path:
        """Where the archive lies, as it was given."""
        return self._path

    @property
    def profile(self) -> ArchiveProfile:
        """The profile of every code."""
        return self._meta.profile

    @property
    def nbytes(self) -> int:
        """Bytes of every code; of the longest possible one if lengths are mixed."""
        return self._meta.nbytes

    @property
    def mean_bytes(self) -> float | None:
        """Bytes that a code should take on average; None if all codes have one length."""
        return self._meta.mean_bytes

    @property
    def widths(self) -> range:
        """Lengths that codes may have."""
        return range(self.nbytes if self.mean_bytes is None else 1, self.nbytes + 1)

    @property
    def slope(self) -> float | None:
        """Error that one byte must save, by which mixed lengths are chosen; None before it is settled."""
        with border(self._path):
            return schema.get_slope(self._connection)

    @property
    def uid(self) -> bytes:
        """16 random bytes of this archive; with `generation` they tell whether a cache is fresh."""
        return self._meta.uid

    @property
    def generation(self) -> int:
        """Number of commits that changed codes, those of other processes included."""
        with border(self._path):
            return schema.get_counter(self._connection, "generation")

    @property
    def next_id(self) -> int:
        """Id that the next new item will have."""
        with border(self._path):
            return schema.get_counter(self._connection, "next_id")

    def __len__(self) -> int:
        """Count the codes."""
        with border(self._path):
            return int(blocks.outline(self._connection).counts.sum())

    @property
    def code_bytes(self) -> int:
        """Bytes of all codes together."""
        rows = self._rows("SELECT sum(count * width) FROM codes")
        with border(self._path):
            return schema.integer(rows[0][0] or 0, "the size of all codes", 1 << 62)

    def __contains__(self, path: str) -> bool:
        return bool(self._rows("SELECT 1 FROM items WHERE path = ?", path_to_sql(path)))

    @contextmanager
    def snapshot(self) -> Iterator[Self]:
        """Hold one state of the archive: all reads inside agree, whatever others write meanwhile.

        Inside another snapshot, or a transaction, it is that one's state.

        Raises
        ------
        UsageError
            Later, on an attempt to write inside the block.
        """
        if self._connection.in_transaction:
            yield self
            return
        with border(self._path):
            self._connection.execute("BEGIN")
            try:
                self._connection.execute("SELECT 1 FROM meta").fetchone()  # the state is taken here
                yield self
            finally:
                self._connection.execute("ROLLBACK")

    def codes(self) -> tuple[Ids, Codes]:
        """All codes as one matrix.

        Returns
        -------
        ids : (n,) int64
            Ids of the items with a code, ascending: the order in which `items` gives them.
        codes : (n, nbytes) uint8
            Their codes; where lengths are mixed, padded with zeros, and of use with `lengths` only.

        Raises
        ------
        ArchiveFormatError
            A block is damaged; its checksum is always looked at.
        """
        ids, codes, _ = self.coded()
        return ids, codes

    def coded(self) -> blocks.Coded:
        """All codes and the length of each: `ids` and `codes` as in `codes`, `lengths` (n,) int64."""
        with border(self._path):
            return blocks.load_all(self._connection, self.widths)

    def codes_of(self, items: Sequence[Item]) -> tuple[Codes, blocks.Lengths]:
        """Codes (n, nbytes) uint8, padded with zeros, and lengths (n,) of items that are ok, by ascending id.

        Raises
        ------
        ArchiveFormatError
            A block is damaged, or an item has no code.
        """
        with border(self._path):
            ids = np.array([item.id for item in items], np.int64)
            codes, lengths = blocks.load_some(self._connection, ids, self.widths)
            if not lengths.all():
                item = items[int(lengths.argmin())]
                raise Damaged(f"damaged: item {item.id} ({item.path!r}) is ok but has no code")
            return codes, lengths

    def outline(self) -> blocks.Outline:
        """Tell numbers, counts and checksums of the blocks: a cache compares them with its own."""
        with border(self._path):
            return blocks.outline(self._connection)

    def items(self, status: str | None = None) -> Iterator[Item]:
        """All items, or those whose status is "ok" or "failed", by ascending id.

        With "ok" they align with the rows of `codes` (within one `snapshot`, if others write).
        """
        for rows in self._pages(COLUMNS, status):
            with border(self._path):
                page = list(map(item_from_row, rows))
            yield from page

    def failed(self) -> Iterator[Item]:
        """Items that have no code; `error` says why."""
        return self.items("failed")

    def known(self) -> dict[str, Known]:
        """Map every path to what a rerun compares its input with."""
        known: dict[str, Known] = {}
        for rows in self._pages(_KNOWN):
            with border(self._path):
                known.update(map(known_from_row, rows))
        return known

    def paths(self) -> Iterator[str]:
        """Paths of all items, by ascending id."""
        for rows in self._pages("path, id"):
            with border(self._path):
                page = [path_from_sql(path) for path, _ in rows]
            yield from page

    def look_up(self, paths: Iterable[str]) -> dict[str, Known]:
        """Map those of some paths that are here to what `known` says of them, reading no others."""
        wanted, found = list(map(path_to_sql, paths)), dict[str, Known]()
        for start in range(0, len(wanted), _PAGE // 8):
            some = wanted[start : start + _PAGE // 8]
            marks = ",".join("?" * len(some))
            sql = f"SELECT {_KNOWN} FROM items WHERE path IN ({marks})"  # noqa: S608  our names only
            rows = self._rows(sql, *some)
            with border(self._path):
                found.update(map(known_from_row, rows))
        return found

    def get(self, path: str) -> Item:
        """Item of `path`.

        Raises
        ------
        InputError
            The archive has no such path.
        """
        rows = self._rows(f"SELECT {COLUMNS} FROM items WHERE path = ?", path_to_sql(path))  # noqa: S608
        if not rows:
            raise InputError(f"{self._path}: holds no {path!r}; paths are spelled as they were encoded")
        with border(self._path):
            return item_from_row(rows[0])

    def path_of(self, item: int) -> str:
        """Path of the item with an id.

        Raises
        ------
        InputError
            The archive has no such id.
        """
        rows = self._rows("SELECT path FROM items WHERE id = ?", item)
        if not rows:
            raise InputError(f"{self._path}: holds no item {item} (any more)")
        with border(self._path):
            return path_from_sql(rows[0][0])

    def code(self, path: str) -> bytes:
        """Code of `path`.

        Raises
        ------
        InputError
            The archive has no such path, or no code for it because it failed.
        """
        item = self.get(path)
        if item.status == "failed":
            raise InputError(f"{self._path}: {path!r} has no code, it failed: {item.error}")
        with border(self._path):
            block = blocks.load(self._connection, item.id // blocks.SLOTS, self.widths)
            length = block.lengths[item.id % blocks.SLOTS]
            if not length:
                raise Damaged(f"item {item.id} ({path!r}) is ok but has no code")
            return bytes(block.codes[item.id % blocks.SLOTS, :length])

    def verify(self) -> list[str]:
        """Look for damage; return what was found, one line each, nothing if all is well.

        Checks SQLite's own structures, the checksum and shape of every block, the type and range of
        every item, and that exactly the items that are ok have codes. Whether codes *decode* is for
        those to check who have the profile.
        """
        with border(self._path):
            return problems(self._connection, self.widths)

    def _pages(self, columns: str, status: str | None = None) -> Iterator[list[Any]]:
        """Rows of `items` by ascending id, which must be the last of the columns."""
        where = "" if status is None else " AND status = ?"
        sql = f"SELECT {columns} FROM items WHERE id > ?{where} ORDER BY id LIMIT {_PAGE}"  # noqa: S608
        last = -(1 << 63)  # negative ids are damage, which must be seen
        while rows := self._rows(sql, last, *([] if status is None else [status])):
            with border(self._path):
                for row in rows:
                    last = ascending(row[-1], last, "item")
            yield rows

    def _rows(self, sql: str, *parameters: object) -> list[Any]:
        with border(self._path):
            return self._connection.execute(sql, parameters).fetchall()

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection, for the modules of this package."""
        return self._connection
