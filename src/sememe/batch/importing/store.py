"""Rows into an archive: what it knows is skipped, each part is one transaction, everything is counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from sememe.archive import Archive, NewItem
from sememe.archive.records import path_to_sql
from sememe.batch.report import Failure, Report
from sememe.batch.sink import matrix
from sememe.errors import UsageError

Coded: TypeAlias = tuple[NewItem, bytes | None]
"""An item, and its code unless it failed."""


class Store:
    """Puts rows into an archive.

    Parameters
    ----------
    archive : Archive
        Open for writing.
    """

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._new = self._unchanged = self._bytes = 0
        self._failed: list[Failure] = []

    def wanted(self, names: Sequence[str | None], fallback: Callable[[int], str]) -> dict[int, str]:
        """Which rows to take, and the path of each: not those that have a code, nor repetitions.

        Rows whose name no archive can hold are failures under the name that `fallback` gives them.
        """
        paths: dict[str, int] = {}
        for row, name in enumerate(names):
            path = fallback(row) if name is None else name
            try:
                path_to_sql(path)
            except UsageError as exc:
                self.fail(fallback(row), str(exc))
                continue
            if paths.setdefault(path, row) != row:
                self._unchanged += 1
        known = self._archive.look_up(paths)
        done = {path for path, what in known.items() if what.status == "ok"}
        self._unchanged += len(done)
        return {row: path for path, row in paths.items() if path not in done}

    def put(self, rows: Sequence[Coded]) -> None:
        """Store rows in one transaction."""
        if not rows:
            return
        codes = [code for _, code in rows if code is not None]
        self._archive.put([item for item, _ in rows], *matrix(codes, self._archive.nbytes))
        self._new += len(codes)
        self._bytes += sum(map(len, codes))
        self._failed += [Failure(item.path, item.error) for item, _ in rows if item.error is not None]

    def fail(self, name: str, error: str) -> None:
        """Count something that the archive cannot or need not remember."""
        self._failed.append(Failure(name, error.removeprefix(f"{name}: ")))

    def report(self, seconds: float) -> Report:
        """Sum up."""
        return Report(self._new, 0, self._unchanged, tuple(self._failed), self._bytes, seconds)
