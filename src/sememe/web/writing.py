"""Adding pictures to the archive, one at a time, when the server was started with `--write`."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from threading import Lock

from sememe.api import Codec, Encoded
from sememe.archive import Archive, NewItem
from sememe.batch.reading import HASH_BYTES
from sememe.errors import UsageError

__all__ = ["Writer"]


class Writer:
    """Puts codes of uploaded pictures under names of their own; the pictures are not kept."""

    def __init__(self, archive: Path) -> None:
        self._archive, self._lock = archive, Lock()

    def add(self, codec: Codec, name: str, data: bytes, encoded: Encoded) -> str:
        """Store one code and return its path in the archive.

        Raises
        ------
        UsageError
            The name is empty, too long or no plain file name.
        StorageError
            The archive cannot be written.
        """
        if not name or len(name) > 200 or Path(name).name != name or not name.isprintable():
            raise UsageError("a name is that of a file, of 200 characters at most, without folders")
        path = f"added/{name}"
        width, height = encoded.sizes[0]
        item = NewItem(
            path,
            time.time_ns(),
            len(data),
            hashlib.sha256(data).digest()[:HASH_BYTES],
            width,
            height,
            encoded.fidelity(0),
        )
        with self._lock, Archive.open(self._archive, write=True) as archive:
            if path in archive:
                raise UsageError(f"{path} is there already; choose another name")
            archive.put([item], encoded.codes[:, : codec.nbytes])
        return path
