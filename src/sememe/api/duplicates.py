"""Near-duplicates of an archive, from its codes alone. Nothing is written, and nothing is ever deleted."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sememe import index
from sememe.api.sources import Source, read_source
from sememe.archive import Archive
from sememe.types import Codes, Embeddings

if TYPE_CHECKING:
    from sememe.api.codec import Codec

__all__ = ["DuplicateGroup", "Member", "find_duplicates"]

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Member:
    """One picture of a group."""

    path: str
    cosine: float
    """Centred cosine of its code with that of the group's first; 1 for the first itself."""
    width: int
    height: int
    size: int
    """Bytes of the file when it was encoded."""

    def to_json(self) -> dict[str, Any]:
        """Return ``{"path", "cosine", "width", "height", "size"}``."""
        return asdict(self) | {"cosine": round(self.cosine, 4)}


@dataclass(frozen=True, slots=True)
class DuplicateGroup:
    """Pictures that show the same, the one to keep first, then the most alike."""

    members: tuple[Member, ...]

    def to_json(self) -> dict[str, Any]:
        """Return ``{"count", "members"}``."""
        return {"count": len(self.members), "members": [member.to_json() for member in self.members]}


class _Measures(NamedTuple):
    """What decides which picture of a group is kept, of each row (n,)."""

    widths: Rows
    heights: Rows
    sizes: Rows

    def order(self) -> Rows:
        """Rows by pixels, then by bytes of the file, the most first; equal ones as they came."""
        return np.lexsort((-self.sizes, -self.widths * self.heights)).astype(np.int64)

    def of(self, row: int) -> tuple[int, int, int]:
        """Width, height and bytes of one row."""
        return int(self.widths[row]), int(self.heights[row]), int(self.sizes[row])


@dataclass(frozen=True, slots=True)
class _Some:
    """Some rows of a source, in another order."""

    source: Source
    rows: Rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, some: slice | Rows) -> Embeddings:
        return self.source[self.rows[some]]


def find_duplicates(
    codec: Codec,
    archive: str | Path,
    *,
    threshold: float = index.COPY,
    nbytes: int | None = None,
    exact: bool = False,
    tell: index.Tell | None = None,
) -> list[DuplicateGroup]:
    """Find groups of pictures whose codes are nearly the same.

    Parameters
    ----------
    codec : Codec
        Of the archive's profile; no backbone is loaded.
    archive : str or Path
    threshold : float
        Centred cosine that makes a copy.
    nbytes : int, optional
        Use only that many bytes of each code.
    exact : bool
        Compare all with all. Otherwise, from 20,000 different codes on, a few pairs may be missed.
    tell : callable, optional
        Told (done, total) codes.

    Returns
    -------
    list of DuplicateGroup
        Of two pictures or more, the largest group first. Every member was compared with the first.

    Raises
    ------
    UsageError
        The threshold is out of range.
    """
    with Archive.open(archive) as opened, opened.snapshot():
        source = read_source(opened, codec.profile)
        measures = _measures(opened, len(source))
    if nbytes is not None:
        source = source.cut(nbytes)
    order = measures.order()
    first, same = _different(source.codes[order], source.lengths[order])
    background = codec.space.background(None)
    some = _Some(source, order[first])
    pairs = index.near_pairs(some, background, threshold, exact=exact, tell=tell)
    keeper, cosines = index.keepers(pairs, len(some))
    found = _groups(order, first[keeper[same]], cosines[same])
    ids = source.ids
    assert ids is not None, "an archive has ids"
    with Archive.open(archive) as opened:

        def member(row: int, cosine: float) -> Member:
            return Member(opened.path_of(int(ids[row])), cosine, *measures.of(row))

        return [DuplicateGroup(tuple(member(*one) for one in group)) for group in found]


def _measures(archive: Archive, n: int) -> _Measures:
    table = np.empty((3, n), np.int64)
    for row, item in enumerate(archive.items("ok")):
        table[:, row] = item.width, item.height, item.size
    return _Measures(*table)


def _different(codes: Codes, lengths: Rows) -> tuple[Rows, Rows]:
    """Places of the first of each set of equal codes, ascending, and which of them each row equals."""
    keys = np.ascontiguousarray(np.column_stack([codes, lengths.astype(np.uint8)]))
    _, first, inverse = np.unique(
        keys.view(np.dtype((np.void, keys.shape[1]))).ravel(), return_index=True, return_inverse=True
    )
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return np.sort(first), rank[inverse]


def _groups(order: Rows, keeper: Rows, cosines: NDArray[np.float32]) -> list[list[tuple[int, float]]]:
    """Gather rows with their cosines by keeper: the largest group first, the keeper before its copies."""
    counts = np.bincount(keeper, minlength=len(order))[keeper]
    alike = np.where(keeper == np.arange(len(order)), np.float32(2), cosines)  # the keeper before its copies
    sequence = np.lexsort((-alike, keeper, -counts))
    groups: dict[int, list[tuple[int, float]]] = {}
    for place in sequence[counts[sequence] > 1].tolist():
        one = int(order[place]), float(min(1.0, cosines[place]))
        groups.setdefault(int(keeper[place]), []).append(one)
    return list(groups.values())
