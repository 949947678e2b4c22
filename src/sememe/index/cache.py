"""The cache beside an archive: its shortlist, renewed block by block, and thrown away when in doubt.

`photos.sems.cache/` may be deleted at any time. What did not change in the archive has the same checksum and
is taken over; the rest is decoded and coded again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from sememe.archive.blocks import Outline
from sememe.disk import writing
from sememe.errors import StorageError, VectorError
from sememe.index.search import CHUNK, Vectors
from sememe.index.shortlist import TRAINING, Shortlist
from sememe.metrics.calibration import Background

__all__ = ["LARGE", "Cache", "Tell"]

LARGE = 20_000
"""Rows from which on a shortlist pays: fewer are decoded and compared in a third of a second."""

Tell = Callable[[int, int], None]
"""Called with (done, total) rows."""

_VERSION = "1"
_GROWN = 4  # a collection that many times as large as the one learned from is learned anew


@dataclass(frozen=True, slots=True)
class _Kept:
    """A shortlist as it lies in the cache, and the blocks that it holds."""

    shortlist: Shortlist
    outline: Outline
    learned_from: int


@dataclass(frozen=True, slots=True)
class Cache:
    """What is kept about one archive, for codes of one length.

    Parameters
    ----------
    archive
        Path of the archive.
    fingerprint
        Of its profile.
    nbytes
        Length that its codes are read at.
    outline
        Its blocks, of the same moment as the vectors asked about.
    """

    archive: Path
    fingerprint: bytes
    nbytes: int
    outline: Outline

    @property
    def file(self) -> Path:
        """Where the shortlist lies."""
        return Path(f"{self.archive}.cache") / f"shortlist-{self.nbytes}.safetensors"

    def shortlist(self, vectors: Vectors, background: Background, tell: Tell | None = None) -> Shortlist:
        """Load the shortlist of all vectors, bringing it up to date or making it first.

        Parameters
        ----------
        vectors
            (n, d), decoded on demand, in the order of the outline.
        background
            Of their space.
        tell
            Told of progress.

        Raises
        ------
        MissingExtraError
            FAISS is not installed.
        """
        kept = self._load()
        dim = len(background.means["image"])
        if kept is None or len(kept.shortlist.basis) != dim or len(vectors) > _GROWN * kept.learned_from:
            kept = self._learn(vectors, background)
        elif all(map(np.array_equal, kept.outline, self.outline)):
            return kept.shortlist
        renewed = _Kept(self._renewed(kept, vectors, background, tell), self.outline, kept.learned_from)
        with suppress(StorageError):  # where nothing can be kept, it is made again
            self._save(renewed)
        return renewed.shortlist

    def _learn(self, vectors: Vectors, background: Background) -> _Kept:
        rng = np.random.default_rng(0)
        rows = np.sort(rng.choice(len(vectors), min(len(vectors), TRAINING), replace=False))
        shortlist = Shortlist.train(background.centre(vectors[rows], "image"))
        nothing = np.zeros(0, np.int64)
        return _Kept(shortlist, Outline(nothing, nothing, nothing), len(vectors))

    def _renewed(self, kept: _Kept, vectors: Vectors, background: Background, tell: Tell | None) -> Shortlist:
        """Codes of all rows: those of blocks that are the same taken over, the others made."""
        codes = np.empty((len(vectors), kept.shortlist.codes.shape[1]), np.uint8)
        fresh = _take_over(codes, self.outline, kept)
        done = len(vectors) - len(fresh)
        for start in range(0, len(fresh), CHUNK):
            rows = fresh[start : start + CHUNK]
            codes[rows] = kept.shortlist.encode(background.centre(vectors[rows], "image"))
            done += len(rows)
            if tell is not None:
                tell(done, len(vectors))
        return kept.shortlist.holding(codes)

    def _load(self) -> _Kept | None:
        """Read what is kept, if it is of this profile and makes sense."""
        from safetensors import SafetensorError, safe_open

        if not self.file.is_file():  # opening a pipe would wait for ever
            return None
        try:
            with safe_open(self.file, framework="np") as file:
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  no mapping
                said = file.metadata()
            if said != self._about(said["learned_from"], arrays):
                return None
            learned_from = int(said["learned_from"])
            outline = Outline(*(arrays.pop(name) for name in Outline._fields))
            shortlist = Shortlist(**arrays)
        except (OSError, SafetensorError, VectorError, ValueError, KeyError, TypeError, AttributeError):
            return None
        whole = {(part.ndim, part.dtype, part.size) for part in outline} == {
            (1, np.dtype(np.int64), outline.counts.size)
        }
        if not whole or outline.counts.min(initial=0) < 0 or outline.counts.sum() != len(shortlist):
            return None
        return _Kept(shortlist, outline, learned_from)

    def _save(self, kept: _Kept) -> None:
        from safetensors.numpy import save

        try:
            self.file.parent.mkdir(exist_ok=True)
        except OSError as exc:
            raise StorageError(f"{self.file.parent}: cannot be made") from exc
        parts = dict(kept.shortlist.arrays) | kept.outline._asdict()
        arrays = {
            name: np.ascontiguousarray(part) for name, part in parts.items()
        }  # safetensors sees no strides
        with writing(self.file) as file:
            file.write(save(arrays, metadata=self._about(str(kept.learned_from), arrays)))

    def _about(self, learned_from: str, arrays: Mapping[str, NDArray[Any]]) -> dict[str, str]:
        crc = 0
        for name in sorted(arrays):
            crc = crc32(arrays[name].data, crc)
        return {
            "version": _VERSION,
            "fingerprint": self.fingerprint.hex(),
            "nbytes": str(self.nbytes),
            "learned_from": learned_from,
            "crc": f"{crc:08x}",
        }


def _take_over(codes: NDArray[np.uint8], outline: Outline, kept: _Kept) -> NDArray[np.int64]:
    """Copy the codes of blocks that did not change; return the rows of all others."""
    ends = np.cumsum(kept.outline.counts).tolist()
    held = {
        block: slice(end - block[1], end)
        for block, end in zip(zip(*(part.tolist() for part in kept.outline), strict=True), ends, strict=True)
    }
    fresh: list[NDArray[np.int64]] = [np.zeros(0, np.int64)]
    start = 0
    for block in zip(*(part.tolist() for part in outline), strict=True):
        stop = start + block[1]
        if block in held:
            codes[start:stop] = kept.shortlist.codes[held[block]]
        else:
            fresh.append(np.arange(start, stop))
        start = stop
    return np.concatenate(fresh)
