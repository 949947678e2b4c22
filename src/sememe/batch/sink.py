"""What is done but not yet on the disk, committed every so often in one transaction."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sememe.archive import Archive, NewItem
from sememe.types import Codes


def matrix(codes: Sequence[bytes], longest: int) -> tuple[Codes, NDArray[np.int64]]:
    """Codes as `Archive.put` takes them: (n, longest) uint8 padded with zeros, and their lengths (n,)."""
    lengths = np.fromiter(map(len, codes), np.int64, len(codes))
    padded = b"".join(code.ljust(longest, b"\0") for code in codes)
    return np.frombuffer(padded, np.uint8).reshape(-1, longest), lengths


@dataclass(slots=True)
class Sink:
    """Collects items and their codes; a kill loses at most what the last commit did not take."""

    archive: Archive
    every: int
    """Items after which to commit."""
    seconds: float
    """Seconds after which to commit."""
    _items: list[NewItem] = field(default_factory=list)
    _codes: list[bytes] = field(default_factory=list)
    _since: float = field(default_factory=time.monotonic)

    def add(self, item: NewItem, code: bytes | None) -> None:
        """Take one item, with a code unless it failed."""
        assert (code is None) == (item.error is not None), "an item has a code or an error"
        self._items.append(item)
        if code is not None:
            self._codes.append(code)
        if len(self._items) >= self.every or time.monotonic() - self._since >= self.seconds:
            self.flush()

    def flush(self) -> None:
        """Commit: all taken so far is on the disk when this returns, kept for another try if it raises."""
        if self._items:
            self.archive.put(self._items, *matrix(self._codes, self.archive.nbytes))
            self._items, self._codes = [], []
        self._since = time.monotonic()
