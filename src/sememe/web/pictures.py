"""Thumbnails of the archive's own pictures: a file is shown only while its content is what was encoded."""

from __future__ import annotations

import hashlib
import io
from collections import OrderedDict
from pathlib import Path
from threading import BoundedSemaphore, Lock

from sememe.archive import Item
from sememe.backbones.images import open_image, to_rgb
from sememe.errors import InputError, UnreadableImageError

__all__ = ["SIDES", "Pictures"]

SIDES = (160, 320, 800)
"""Lengths of a thumbnail's longer side, in pixels; what is asked for is rounded up to one of them."""

_KEPT = 64 << 20  # bytes of thumbnails in memory
_AT_ONCE = 2  # pictures decoded at once: each may take 100 MB
_LARGEST = 200 << 20  # bytes of a file


class Pictures:
    """Reads originals, if they can be read and did not change, and keeps their thumbnails in memory.

    Parameters
    ----------
    root
        Folder that relative paths start from; with one given, nothing outside it is read.
    """

    def __init__(self, root: Path | None = None) -> None:
        self._root = None if root is None else root.resolve()
        self._kept: OrderedDict[tuple[str, bytes, int], bytes] = OrderedDict()
        self._size = 0
        self._lock, self._decoding = Lock(), BoundedSemaphore(_AT_ONCE)

    def thumbnail(self, item: Item, side: int) -> bytes:
        """Return a JPEG whose longer side is `side` or a little more, without the original's metadata.

        Raises
        ------
        InputError
            The file is not there, is outside the root, changed since it was encoded, or is damaged.
        """
        side = next((s for s in SIDES if s >= side), SIDES[-1])
        key = (item.path, item.content_hash, side)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        with self._decoding:
            made = _shrunk(self.original(item), side)
        self._keep(key, made)
        return made

    def original(self, item: Item) -> bytes:
        """Read the file of an original that is still what was encoded.

        Raises
        ------
        InputError
            The file is not there, is outside the root, or changed since it was encoded.
        """
        path = Path(item.path) if self._root is None else self._root / item.path
        try:
            if self._root is not None and not path.resolve().is_relative_to(self._root):
                raise InputError(f"{item.path}: lies outside the folder that is shown")
            if not path.is_file() or path.stat().st_size != item.size or item.size > _LARGEST:
                raise InputError(f"{item.path}: the original is not there, or not the one that was encoded")
            data = path.read_bytes()
        except (OSError, ValueError) as exc:
            raise InputError(f"{item.path}: the original cannot be read") from exc
        kept = item.content_hash
        if not kept or hashlib.sha256(data).digest()[: len(kept)] != kept:
            raise InputError(f"{item.path}: changed since it was encoded")
        return data

    def _keep(self, key: tuple[str, bytes, int], made: bytes) -> None:
        with self._lock:
            if key not in self._kept:
                self._kept[key] = made
                self._size += len(made)
            while self._size > _KEPT:
                self._size -= len(self._kept.popitem(last=False)[1])


def _shrunk(data: bytes, side: int) -> bytes:
    try:
        image = to_rgb(open_image(data, min_side=side))
    except MemoryError as exc:
        raise UnreadableImageError("the picture does not fit into memory") from exc
    image.thumbnail((side, side))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=82)
    return file.getvalue()
