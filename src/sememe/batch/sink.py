"""What is done but not yet on the disk, committed every so often in one transaction."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np

from sememe.archive import Archive, NewItem


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
            codes = np.frombuffer(b"".join(self._codes), np.uint8).reshape(-1, self.archive.nbytes)
            self.archive.put(self._items, codes)
            self._items, self._codes = [], []
        self._since = time.monotonic()
