"""Writing into an archive, always inside a transaction that the caller holds."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from sememe.archive import schema
from sememe.archive.blocks import Ids, Lengths, patch
from sememe.archive.border import Damaged
from sememe.archive.records import COLUMNS, MAX_ID, Item, item_to_row, path_from_sql, path_to_sql
from sememe.types import Codes

_REPLACE = f"REPLACE INTO items ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608  our names only

_ASKED = 500  # paths that SQLite is asked for at once


def store(
    connection: sqlite3.Connection, items: Sequence[Item], codes: Codes, lengths: Lengths, widths: range
) -> bool:
    """Insert or replace items by path.

    Parameters
    ----------
    connection : sqlite3.Connection
        Inside a transaction.
    items : sequence of Item
        Their ids do not matter. Of equal paths the last counts.
    codes : (n, longest) uint8
        One row for every item that is ok, in their order.
    lengths : (n,) int64
        Bytes of each code.
    widths : range
        Lengths that codes may have.

    Returns
    -------
    bool
        Whether a code changed; then the caller ends the transaction with `count_change`.
    """
    items, rows = _last_of_each(items)
    ids = _assign_ids(connection, items)
    insert(connection, (item._replace(id=i) for item, i in zip(items, ids.tolist(), strict=True)))
    ok = np.array([item.status == "ok" for item in items], np.bool_)
    all_codes = np.zeros((len(items), widths[-1]), np.uint8)
    all_lengths = np.zeros(len(items), np.int64)
    all_codes[ok], all_lengths[ok] = codes[rows], lengths[rows]
    return patch(connection, ids, all_codes, all_lengths, widths)


def count_change(connection: sqlite3.Connection) -> None:
    """Say that codes changed: once in a transaction."""
    _bump(connection, "generation", 1)


def insert(connection: sqlite3.Connection, items: Iterator[Item]) -> None:
    """Write rows of `items` under the ids that they have."""
    connection.executemany(_REPLACE, map(item_to_row, items))


def delete(connection: sqlite3.Connection, paths: Iterable[str], widths: range) -> int:
    """Delete the items of these paths, and their codes; return how many there were."""
    ids = np.array(sorted(_find(connection, list(paths)).values()), np.int64)
    connection.executemany("DELETE FROM items WHERE id = ?", ((i,) for i in ids.tolist()))
    nothing = np.zeros((len(ids), widths[-1]), np.uint8)
    if patch(connection, ids, nothing, np.zeros(len(ids), np.int64), widths):
        count_change(connection)
    return len(ids)


def _last_of_each(items: Sequence[Item]) -> tuple[list[Item], Ids]:
    """Keep the last item of each path, and the rows of the codes of those kept."""
    last = {item.path: position for position, item in enumerate(items)}
    kept = sorted(last.values())
    row_of = np.cumsum([item.status == "ok" for item in items]) - 1
    return [items[i] for i in kept], np.array([row_of[i] for i in kept if items[i].status == "ok"], np.int64)


def _assign_ids(connection: sqlite3.Connection, items: Sequence[Item]) -> Ids:
    """Ids of items: their own if the path is known, else the next ones."""
    first = fresh = schema.get_counter(connection, "next_id")
    ids = np.empty(len(items), np.int64)
    known = _find(connection, [item.path for item in items])
    for position, item in enumerate(items):
        ids[position] = known.get(item.path, fresh)
        fresh += item.path not in known
    last = connection.execute("SELECT max(id) FROM items").fetchone()[0]
    if fresh > MAX_ID or (last is not None and last >= first):
        raise Damaged(f"the next id, {first}, is out of range or used already")
    _bump(connection, "next_id", fresh - first)
    return ids


def _find(connection: sqlite3.Connection, paths: Sequence[str]) -> dict[str, int]:
    """Ids of those of the paths that are known."""
    found: dict[str, int] = {}
    for start in range(0, len(paths), _ASKED):
        some = list(map(path_to_sql, paths[start : start + _ASKED]))
        marks = ",".join("?" * len(some))
        rows = connection.execute(f"SELECT path, id FROM items WHERE path IN ({marks})", some)  # noqa: S608
        found |= {path_from_sql(path): schema.integer(i, "an id", MAX_ID - 1) for path, i in rows}
    return found


def _bump(connection: sqlite3.Connection, key: str, by: int) -> None:
    schema.set_counter(connection, key, schema.get_counter(connection, key) + by)
