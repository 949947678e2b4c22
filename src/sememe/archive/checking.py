"""Verification of an open archive: find every problem, stop at none."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

import numpy as np

from sememe.archive import blocks, schema
from sememe.archive.border import Damaged, ascending
from sememe.archive.records import COLUMNS, item_from_row

Row = tuple[object, ...]

_LISTED = 20  # more problems of one kind tell nothing more


def problems(connection: sqlite3.Connection, widths: range) -> list[str]:
    """Problems found, one line each."""
    found: list[str] = []
    connection.execute("BEGIN")  # one state for all checks, whatever others write
    try:
        for check in (_structure, _blocks, _items, _invariants):
            found += _survive(check, connection, widths)
    finally:
        connection.execute("ROLLBACK")
    return found


def _survive(
    check: Callable[[sqlite3.Connection, range], list[str]], connection: sqlite3.Connection, widths: range
) -> list[str]:
    try:
        return check(connection, widths)
    except (sqlite3.DatabaseError, UnicodeDecodeError, MemoryError, Damaged) as exc:
        return [" ".join(str(exc).split()) or type(exc).__name__]


def _structure(connection: sqlite3.Connection, _: range) -> list[str]:
    rows = connection.execute(f"PRAGMA integrity_check({_LISTED})").fetchall()
    return [f"SQLite: {' '.join(str(row[0]).split())}" for row in rows if row[0] != "ok"]


def _blocks(connection: sqlite3.Connection, widths: range) -> list[str]:
    return _each(connection, blocks.SELECT, lambda row: blocks.read_row(row, widths))


def _items(connection: sqlite3.Connection, _: range) -> list[str]:
    last = -(1 << 63)

    def read(row: Row) -> None:
        nonlocal last
        last = ascending(item_from_row(row).id, last, "item")

    return _each(connection, f"SELECT {COLUMNS} FROM items ORDER BY id", read)  # noqa: S608  our names


def _each(connection: sqlite3.Connection, sql: str, read: Callable[[Row], object]) -> list[str]:
    found: list[str] = []
    for row in connection.execute(sql):
        try:
            read(row)
        except Damaged as exc:
            found.append(str(exc))
        if len(found) == _LISTED:
            break
    return found


def _invariants(connection: sqlite3.Connection, widths: range) -> list[str]:
    """Items that are ok have codes, no others have, and ids are below the next one."""
    ids = blocks.load_all(connection, widths).ids
    ok: list[int] = []
    for (number,) in connection.execute("SELECT id FROM items WHERE status = 'ok' ORDER BY id"):
        ok.append(ascending(number, ok[-1] if ok else -1, "item"))
    found = []
    if missing := np.setdiff1d(ok, ids).tolist():
        found.append(f"{len(missing)} items are ok but have no code, such as item {missing[0]}")
    if orphans := np.setdiff1d(ids, ok).tolist():
        found.append(f"{len(orphans)} codes belong to no item that is ok, such as code {orphans[0]}")
    schema.get_counter(connection, "generation")
    last = connection.execute("SELECT max(id) FROM items").fetchone()[0]
    if last is not None and last >= schema.get_counter(connection, "next_id"):
        found.append(f"the next id is not above the last, {last}")
    return found
