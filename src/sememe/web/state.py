"""An archive at one moment: its codes, and everything slow that was made of them, kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from sememe import api, index
from sememe.api import Codec, Source
from sememe.api.space import PLAIN
from sememe.archive import Archive
from sememe.errors import InputError, UsageError
from sememe.index import Hit, Shortlist
from sememe.index.search import Vectors
from sememe.metrics.calibration import Background, Query, Term
from sememe.web.kept import Kept
from sememe.web.layout import Point, lay_out
from sememe.web.terms import Asked
from sememe.zeroshot import EVERYDAY, TEMPLATE, Classifier, Prediction

__all__ = ["LARGE", "RATES", "State", "read"]

RATES = (1, 2, 4, 8, 16, 32, 64, 128)
"""Lengths that the slider stops at, those that the codes have."""

LARGE = 4_000
"""Images from which on a shortlist is used: more could not be compared for each step of the slider."""

MEMORY = 768 << 20
"""Bytes of decoded vectors that are kept, those of the longest codes first."""

_POINTS = 3_000


@dataclass(eq=False)
class _Cut:
    """The codes cut to one length, and what makes their search fast."""

    source: Source
    vectors: Vectors
    lock: Lock = field(default_factory=Lock)
    shortlist: Shortlist | None = None
    ready: bool = False

    def prepare(self, background: Background) -> None:
        """Load or make the shortlist, once; others wait."""
        with self.lock:
            if not self.ready and self.source.cache is not None and len(self.source) >= LARGE:
                self.shortlist = self.source.cache.shortlist(self.vectors, background)
            self.ready = True


@dataclass(eq=False)
class State:
    """An archive at one moment."""

    path: Path
    generation: int
    codec: Codec
    source: Source
    ready: bool = False
    """Whether every stop of the slider answers at once."""
    _cuts: dict[int, _Cut] = field(init=False)
    _names: Sequence[str] | None = None

    def __post_init__(self) -> None:
        self._cuts = dict(self._cut_to_stops())
        if isinstance(self.source.names, tuple):
            self._names = self.source.names

    def __len__(self) -> int:
        return len(self.source)

    @property
    def nbytes(self) -> int:
        """Length of the codes."""
        return self.codec.nbytes

    @property
    def rates(self) -> list[int]:
        """Stops of the slider."""
        return [n for n in RATES if n < self.nbytes] + [self.nbytes]

    @cached_property
    def background(self) -> Background:
        """What chance looks like, for texts and pictures."""
        return self.codec.space.background(PLAIN)

    @cached_property
    def classifier(self) -> Classifier:
        """Everyday words."""
        return self.codec.space.classifier(EVERYDAY, TEMPLATE)

    @cached_property
    def points(self) -> list[Point]:
        """The archive, or an even sample of it, as a map."""
        rows = np.unique(np.linspace(0, len(self) - 1, min(len(self), _POINTS)).astype(np.int64))
        return lay_out(rows, self.source[rows], self.background, self.classifier)

    def prepare(self) -> None:
        """Make what every stop of the slider needs, the full length first."""
        for nbytes in reversed(self.rates):
            cut = self._cut(nbytes)
            cut.prepare(self.background)
            if isinstance(cut.vectors, Kept):
                cut.vectors.fill()
            if self._names is None:
                self._names = self._all_paths()
        _ = self.points
        self.ready = True

    def hits(self, query: Query, nbytes: int, k: int) -> list[Hit]:
        """Search the codes cut to `nbytes`.

        Raises
        ------
        UsageError
            They are not that long.
        """
        cut = self._cut(nbytes)
        cut.prepare(self.background)
        return index.search(query, cut.vectors, self.background, k=k, shortlist=cut.shortlist)

    def vectors(self, nbytes: int) -> Vectors:
        """Give vectors of the codes cut to a stop of the slider; rows are decoded when they are asked for.

        Raises
        ------
        UsageError
            There is no such stop.
        """
        return self._cut(nbytes).vectors

    def query(self, terms: Sequence[Asked]) -> Query:
        """Embed a query.

        Raises
        ------
        UsageError
            It cancels out, or a code or an item is none of this archive.
        """
        return self.background.query([self._embed(term) for term in terms])

    def row_of(self, item: int) -> int:
        """Row of the item with an id.

        Raises
        ------
        InputError
            There is none.
        """
        row = int(np.searchsorted(self._ids, item))
        if row == len(self) or self._ids[row] != item:
            raise InputError(f"there is no image {item}")
        return row

    def id_of(self, row: int) -> int:
        """Id of the item in a row."""
        return int(self._ids[row])

    def paths(self, rows: Sequence[int]) -> list[str]:
        """Paths of some rows; empty for what was removed a moment ago."""
        if self._names is not None:
            return [self._names[row] for row in rows]
        with Archive.open(self.path) as archive:
            return [_path_of(archive, self.id_of(row)) for row in rows]

    def code(self, row: int) -> bytes:
        """Code of one row."""
        return self.source.codes[row, : self.source.lengths[row]].tobytes()

    def labels(self, x: NDArray[np.float32]) -> list[Prediction]:
        """Everyday words for decoded vectors (n, d)."""
        return self.classifier.classify(x)

    @property
    def _ids(self) -> NDArray[np.int64]:
        assert self.source.ids is not None, "an archive has ids"
        return self.source.ids

    def _cut_to_stops(self) -> Iterator[tuple[int, _Cut]]:
        """Every stop of the slider; vectors are kept as long as there is memory."""
        left = MEMORY
        for nbytes in reversed(self.rates):
            source = self.source if nbytes == self.nbytes else self.source.cut(nbytes)
            keep = Kept.size(source) <= left
            left -= Kept.size(source) if keep else 0
            yield nbytes, _Cut(source, Kept(source) if keep else source)

    def _all_paths(self) -> Sequence[str] | None:
        """Paths of all rows, to be kept in memory; None if the archive is another by now."""
        with Archive.open(self.path) as archive, archive.snapshot():
            same = archive.generation == self.generation
            return tuple(item.path for item in archive.items("ok")) if same else None

    def _cut(self, nbytes: int) -> _Cut:
        if not 1 <= nbytes <= self.nbytes:
            raise UsageError(f"the codes have 1 to {self.nbytes} bytes, not {nbytes}")
        if nbytes not in self._cuts:
            stops = ", ".join(map(str, self.rates))
            raise UsageError(f"codes are cut to {stops} bytes here, not to {nbytes}")
        return self._cuts[nbytes]

    def _embed(self, term: Asked) -> Term:
        if term.kind == "text":
            return Term(self.codec.space.embed_texts([term.value])[0], "text", term.weight)
        if term.kind == "item":
            row = self.row_of(int(term.value))
            return Term(self.source[np.array([row])][0], "image", term.weight)
        code = bytes.fromhex(term.value)
        if not 1 <= len(code) <= self.codec.profile.max_bytes:
            raise UsageError(f"a code has 1 to {self.codec.profile.max_bytes} bytes, not {len(code)}")
        return Term(self.codec.decode([code])[0], "image", term.weight)


def read(path: Path) -> State:
    """Read an archive as it is now.

    Raises
    ------
    StorageError, ArchiveFormatError, UnknownProfileError
        It cannot be opened.
    """
    with Archive.open(path) as archive, archive.snapshot():
        generation = archive.generation
        codec = api.codec_for(archive)
    return State(path, generation, codec, codec.read(path))


def _path_of(archive: Archive, item: int) -> str:
    try:
        return archive.path_of(item)
    except InputError:
        return ""
