"""From one archive to another: cut copies and merges."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import numpy as np

from sememe.archive import schema
from sememe.archive.blocks import patch
from sememe.archive.reading import Reader
from sememe.archive.records import Item, path_to_sql
from sememe.archive.writing import insert
from sememe.errors import ArchiveFormatError, UsageError
from sememe.types import Codes

_STANDS = "SELECT 1 FROM items WHERE path = ? AND (mtime_ns, status = 'ok', added_at) >= (?, ?, ?)"


def copy_truncated(
    source: Reader, connection: sqlite3.Connection, nbytes: int, fidelity: Sequence[int | None] | None
) -> None:
    """Fill an empty archive with the items of `source` and the first `nbytes` of their codes."""
    ids, codes = source.codes()
    if fidelity is not None and len(fidelity) != len(ids):
        raise UsageError(f"{len(fidelity)} fidelities for {len(ids)} codes")
    items = source.items()
    if nbytes < source.nbytes or fidelity is not None:
        by_id = dict(zip(ids.tolist(), fidelity or [None] * len(ids), strict=True))
        items = (item._replace(fidelity=by_id.get(item.id)) for item in items)
    insert(connection, items)
    patch(connection, ids, codes[:, :nbytes], np.ones(len(ids), np.bool_))
    schema.set_counter(connection, "next_id", source.next_id)
    schema.set_counter(connection, "generation", int(len(ids) > 0))


def newer(target: Reader, source: Reader) -> tuple[list[Item], Codes]:
    """Items of `source` that `target` lacks or holds in an older state, and the codes of the ok ones.

    Newer is what is greater in mtime, then ok before failed, then time of encoding.
    """
    ids, codes = source.codes()
    items = [item for item in source.items() if not _stands(target, item)]
    wanted = np.array([item.id for item in items if item.status == "ok"], np.int64)
    rows = np.searchsorted(ids, wanted)
    if len(wanted) and not np.array_equal(ids[np.minimum(rows, len(ids) - 1)] if len(ids) else [], wanted):
        raise ArchiveFormatError(f"{source.path}: damaged, items that are ok have no code; verify it")
    return items, codes[rows]


def _stands(target: Reader, item: Item) -> bool:
    key = (path_to_sql(item.path), item.mtime_ns, item.status == "ok", item.added_at)
    return target.connection.execute(_STANDS, key).fetchone() is not None
