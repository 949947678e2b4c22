"""Rows of vectors from files of any tool: `.npy`, Parquet, folders of clip-retrieval; a part at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tokenize import TokenError
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sememe.batch import arrow
from sememe.errors import InputError, UsageError, VectorError

PART = 1 << 22
"""Numbers in memory at once: 16 MB of vectors."""

IMAGE_PATH = "image_path"
"""Column of clip-retrieval's metadata that names the images."""

_FLOATS = ("f2", "f4", "f8")


class Part(NamedTuple):
    """Some rows of a source."""

    names: Sequence[str | None]
    """(n,) what the source calls them."""
    first: int
    """Number of the first row in its file, which names rows that have no name."""
    x: NDArray[np.float32]
    """(m, d) vectors of the rows that fit."""
    fits: NDArray[np.bool_]
    """(n,) which rows have a vector of the right dimension."""


@dataclass(frozen=True, slots=True)
class Vectors:
    """One file of vectors, and what names its rows."""

    path: Path
    column: str | None = None
    """Column of the vectors; None for `.npy`."""
    named_by: str | None = None
    """Column of the names, in this file or in `metadata`."""
    metadata: Path | None = None
    """Parquet file with the names of the rows of an `.npy`."""
    names: Path | None = None
    """Text file with one name a line."""

    def dim(self) -> int | None:
        """Dimension of the vectors; None if the rows say it one by one and there are none."""
        if self.column is None:
            return int(_read_npy(self.path).shape[1])
        with arrow.open_parquet(self.path) as file:
            known = arrow.vector_dim(arrow.column(self.path, file, self.column))
            if known is not None:
                return known
            for batch in arrow.batches(file, [self.column], 1):
                value = batch.column(0)[0]
                if value.is_valid:
                    return len(value)
        return None

    def __len__(self) -> int:
        if self.column is None:
            return len(_read_npy(self.path))
        with arrow.open_parquet(self.path) as file:
            return int(file.metadata.num_rows)

    def parts(self, dim: int) -> Iterator[Part]:
        """Read all rows.

        Raises
        ------
        InputError
            The file, or that of the names, cannot be read, or they do not go together.
        VectorError
            No row has this dimension.
        """
        yield from self._from_npy(dim) if self.column is None else self._from_parquet(self.column, dim)

    def _from_npy(self, dim: int) -> Iterator[Part]:
        x = _read_npy(self.path)
        if x.shape[1] != dim:
            raise VectorError(f"{self.path}: holds vectors of {x.shape[1]} dimensions, not {dim}")
        rows = max(1, PART // dim)
        names = self._names(len(x), rows)
        for start in range(0, len(x), rows):
            with np.errstate(over="ignore"):
                # Mapped anew each time: pages of parts gone by would stay in memory.
                some = np.asarray(_read_npy(self.path)[start : start + rows]).astype(np.float32)
            called = next(names, [])
            if len(called) != len(some):
                raise InputError(f"{self.metadata or self.names}: holds fewer names than it says")
            yield Part(called, start, some, np.ones(len(some), np.bool_))

    def _from_parquet(self, column: str, dim: int) -> Iterator[Part]:
        start = 0
        with arrow.open_parquet(self.path) as file:
            known = arrow.vector_dim(arrow.column(self.path, file, column))
            if known not in (None, dim):
                raise VectorError(f"{self.path}: column {column} has {known} dimensions, not {dim}")
            wanted = [column] if self.named_by is None else [column, self.named_by]
            for name in wanted:
                arrow.column(self.path, file, name)
            for batch in arrow.batches(file, wanted, max(1, PART // dim)):
                names = (
                    [None] * len(batch) if self.named_by is None else arrow.texts(batch.column(self.named_by))
                )
                yield Part(names, start, *arrow.vectors(batch.column(column), dim))
                start += len(batch)

    def _names(self, count: int, rows: int) -> Iterator[Sequence[str | None]]:
        """Names of `count` rows, so many at a time."""
        if self.names is not None:
            lines = _lines(self.names)
            _agree(self.names, len(lines), self.path, count)
            yield from (lines[start : start + rows] for start in range(0, count, rows))
        elif self.metadata is not None:
            column = self.named_by or IMAGE_PATH
            with arrow.open_parquet(self.metadata) as file:
                arrow.column(self.metadata, file, column)
                _agree(self.metadata, file.metadata.num_rows, self.path, count)
                kept: list[str | None] = []
                for batch in arrow.batches(file, [column], rows):
                    kept += arrow.texts(batch.column(0))
                    if len(kept) >= rows:
                        yield kept[:rows]
                        kept = kept[rows:]
                yield kept
        else:
            yield from ([None] * min(rows, count - start) for start in range(0, count, rows))


def _agree(names: Path, found: int, path: Path, count: int) -> None:
    if found != count:
        raise InputError(f"{names}: holds {found:,} names for the {count:,} vectors of {path}")


def _lines(path: Path) -> list[str | None]:
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as exc:
        raise UsageError(f"{path}: the list of names cannot be read ({exc.strerror})") from exc
    if lines and not lines[-1]:
        lines.pop()
    return [line.removesuffix(b"\r").decode("utf-8", "surrogateescape") or None for line in lines]


def _read_npy(path: Path) -> NDArray[np.generic]:
    """Map a `.npy` file of vectors (n, d); never unpickles."""
    try:
        array: NDArray[np.generic] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError, OverflowError, SyntaxError, TokenError) as exc:
        detail = getattr(exc, "strerror", None) or " ".join(str(exc).split())
        raise InputError(f"{path}: cannot be read as .npy ({detail[:200]})") from exc
    if not isinstance(array, np.ndarray):
        raise InputError(f"{path}: holds several arrays (.npz); save the vectors alone with numpy.save")
    if array.ndim != 2 or array.dtype.str[1:] not in _FLOATS or not array.shape[1]:
        raise VectorError(f"{path}: holds {array.dtype} {array.shape}, not vectors: floats (n, d)")
    return array
