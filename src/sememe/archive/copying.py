"""From one archive to another: cut copies and merges."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np

from sememe.archive import schema
from sememe.archive.blocks import Lengths, patch
from sememe.archive.reading import Reader
from sememe.archive.records import Item, path_to_sql
from sememe.archive.writing import count_change, insert, store
from sememe.errors import UsageError
from sememe.types import Codes

_STANDS = "SELECT 1 FROM items WHERE path = ? AND (mtime_ns, status = 'ok', added_at) >= (?, ?, ?)"
_PAGE = 4096  # items in memory at once


def copy_truncated(
    source: Reader, connection: sqlite3.Connection, nbytes: int, fidelity: Sequence[int | None] | None
) -> None:
    """Fill an empty archive with the items of `source` and the first `nbytes` of their codes."""
    if fidelity is not None and len(fidelity) != len(source):
        raise UsageError(f"{len(fidelity)} fidelities for {len(source)} codes")
    new = None if fidelity is None else iter(fidelity)
    widths = range(min(nbytes, source.widths[0]), nbytes + 1)
    for items, codes, lengths in _pages(source):
        cut = iter((lengths > nbytes).tolist())
        insert(connection, (_with_fidelity(item, cut, new) for item in items))
        ids = np.array([item.id for item in items if item.status == "ok"], np.int64)
        patch(connection, ids, codes[:, :nbytes], np.minimum(lengths, nbytes), widths)
    schema.set_counter(connection, "next_id", source.next_id)
    schema.set_counter(connection, "generation", int(len(source) > 0))
    slope = source.slope
    if slope is not None:
        schema.set_slope(connection, slope)


def take_newer(target: Reader, source: Reader) -> int:
    """Store the items of `source` that `target` lacks or holds in an older state; return how many.

    Newer is what is greater in mtime, then ok before failed, then time of encoding. The caller holds a
    transaction on the target and a snapshot of the source.
    """
    taken, changed = 0, False
    for page, codes, lengths in _pages(source):
        wanted = np.array([not _stands(target, item) for item in page], np.bool_)
        ok = np.array([item.status == "ok" for item in page], np.bool_)
        rows = wanted[ok]
        items = [item for item, want in zip(page, wanted.tolist(), strict=True) if want]
        changed |= store(target.connection, items, codes[rows], lengths[rows], target.widths)
        taken += len(items)
    if changed:
        count_change(target.connection)
    return taken


def _pages(source: Reader) -> Iterator[tuple[list[Item], Codes, Lengths]]:
    """Some thousand items at a time, and the codes of those that are ok."""
    items = source.items()
    while page := list(islice(items, _PAGE)):
        yield page, *source.codes_of([item for item in page if item.status == "ok"])


def _with_fidelity(item: Item, cut: Iterator[bool], new: Iterator[int | None] | None) -> Item:
    """Tell the fidelity of the shorter code: what the caller says, else nothing if it was cut."""
    if item.status != "ok":
        return item
    shorter = next(cut)
    if new is not None:
        return item._replace(fidelity=next(new))
    return item._replace(fidelity=None) if shorter else item


def _stands(target: Reader, item: Item) -> bool:
    key = (path_to_sql(item.path), item.mtime_ns, item.status == "ok", item.added_at)
    return target.connection.execute(_STANDS, key).fetchone() is not None
