"""Many records in one SQLite file: opaque codes in blocks, their items, one profile. See FORMAT.md."""

from __future__ import annotations

from sememe.archive.archive import Archive
from sememe.archive.records import ArchiveProfile, Item, Known, NewItem, Status, storable

__all__ = ["Archive", "ArchiveProfile", "Item", "Known", "NewItem", "Status", "storable"]
