"""Vectors of pictures that an interrupted run had embedded already, kept until a run is through.

The file is a row of records: 16 bytes that say what was embedded (backbone, path, time, size), then the
vector. A run that is killed leaves at worst half a record, which the next one cuts off.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sememe.disk import translate

if TYPE_CHECKING:
    from sememe.archive import NewItem
    from sememe.types import Backbone, Embeddings

_KEY = 16


class Resume:
    """Vectors by what they were made from.

    Parameters
    ----------
    path : Path
        File to make, or to go on with.
    backbone : Backbone
        That embeds; what another one left is not looked at.

    Raises
    ------
    StorageError
        The file cannot be read or written.
    """

    def __init__(self, path: Path, backbone: Backbone) -> None:
        self._path = path
        self._origin = f"{backbone.backbone_id}\0{sorted(backbone.preprocessing.items())}"
        self._record = np.dtype([("key", f"V{_KEY}"), ("x", "<f4", (backbone.dim,))])
        try:
            with path.open("ab") as file:
                file.truncate(file.tell() // self._record.itemsize * self._record.itemsize)
            records = np.fromfile(path, self._record)
        except OSError as exc:
            raise translate(exc, path) from exc
        self._rows = {record["key"].tobytes(): row for row, record in enumerate(records)}
        self._known = records["x"]

    def take(self, item: NewItem) -> Embeddings | None:
        """Give the vector (1, d) of a picture if it is known as it is now."""
        row = self._rows.get(self._key(item))
        if row is None or not 0.5 < float(np.linalg.norm(self._known[row])) < 2:  # a disk may lose a page
            return None
        return self._known[row : row + 1].astype(np.float32)

    def put(self, items: Sequence[NewItem], vectors: Embeddings) -> None:
        """Keep the vectors (n, d) of n pictures."""
        records = np.empty(len(items), self._record)
        for record, item, x in zip(records, items, vectors, strict=True):
            record["key"], record["x"] = self._key(item), x
        try:
            with self._path.open("ab") as file:
                file.write(records.tobytes())
        except OSError as exc:
            raise translate(exc, self._path) from exc

    def forget(self) -> None:
        """Delete the file: nothing is left to go on with."""
        self._path.unlink(missing_ok=True)

    def _key(self, item: NewItem) -> bytes:
        text = f"{self._origin}\0{item.path}\0{item.mtime_ns}\0{item.size}"
        return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=_KEY).digest()
