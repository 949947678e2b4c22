"""An archive of any size as the data of a report: a sample of it, some searches, a map."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import sememe
from sememe import index
from sememe.archive import Archive, Item
from sememe.errors import InputError
from sememe.metrics import cosine
from sememe.metrics.calibration import Query
from sememe.report import Hit, Photo, Place, Report, ScoredLabel, Search, Sizes
from sememe.web.layout import lay_out
from sememe.web.pictures import Pictures
from sememe.web.state import State, read
from sememe.web.terms import read_terms
from sememe.zeroshot import EVERYDAY

__all__ = ["summarise"]

LEVELS = (4, 8, 16, 32, 64)
"""Lengths in bytes that are shown, those that the codes have; the whole code comes last."""

_SEARCHED, _MAPPED = 20_000, 1_500
_QUERIES, _TOP_HITS, _TOP_LABELS = 4, 6, 3
_CARD, _SMALL = 320, 160  # pixels
_PICTURES = 5 << 20  # bytes of all thumbnails


def summarise(
    path: Path, *, root: Path | None = None, queries: Sequence[str] = (), count: int = 24
) -> Report:
    """Choose what a report shows of an archive.

    Parameters
    ----------
    path
        The archive.
    root
        Folder that the paths of its items start from; the working folder if not given.
    queries
        What to search for; the commonest labels of the sample if none is given.
    count
        Pictures shown with their codes, evenly spread over the archive.

    Raises
    ------
    StorageError, ArchiveFormatError, UnknownProfileError
        The archive cannot be opened.
    InputError
        It is empty.
    UsageError
        A query makes no sense.
    """
    state = read(path)
    if not len(state):
        raise InputError(f"{path}: has no images to report on")
    return _Summary(state, Pictures(root)).report(queries, count)


@dataclass(slots=True)
class _Summary:
    state: State
    pictures: Pictures
    left: int = _PICTURES

    @property
    def levels(self) -> tuple[int, ...]:
        return (*(n for n in LEVELS if n < self.state.nbytes), self.state.nbytes)

    def report(self, queries: Sequence[str], count: int) -> Report:
        state = self.state
        shown = _spread(len(state), count)
        searched = _spread(len(state), _SEARCHED)
        places = self._places(_spread(len(state), _MAPPED))
        asked = list(queries) or _common(places)
        found = {query: self._hits(query, searched) for query in asked}
        extra = sorted(
            {hit.row for hits in found.values() for level in hits.values() for hit in level} - set(shown)
        )
        rows = [*map(int, shown), *extra]
        items = self._items(rows)
        position = {row: at for at, row in enumerate(rows)}
        photos = [*self._cards(shown, items), *(self._small(item) for item in items[len(shown) :])]
        return Report(
            profile_id=state.codec.profile.profile_id,
            version=sememe.__version__,
            levels=self.levels,
            photos=photos,
            searches=[_search(query, hits, position) for query, hits in found.items()],
            candidates=EVERYDAY,
            notes=list(self._notes(len(shown), len(searched), photos)),
            images=len(state),
            reference="the full code",
            places=places,
            sizes=self._sizes(items[: len(shown)]),
        )

    def _hits(self, query: str, rows: NDArray[np.int64]) -> dict[int, list[index.Hit]]:
        asked = self.state.query(read_terms(query))
        return {n: self._best(asked, rows, n) for n in self.levels}

    def _best(self, query: Query, rows: NDArray[np.int64], nbytes: int) -> list[index.Hit]:
        vectors = self.state.vectors(nbytes)[rows]
        hits = index.search(query, vectors, self.state.background, k=_TOP_HITS)
        return [index.Hit(int(rows[h.row]), h.rank, h.score, h.cosine, h.strength) for h in hits]

    def _items(self, rows: Sequence[int]) -> list[Item]:
        with Archive.open(self.state.path) as archive:
            return [archive.get(archive.path_of(self.state.id_of(row))) for row in rows]

    def _cards(self, rows: NDArray[np.int64], items: Sequence[Item]) -> Iterator[Photo]:
        cut = {n: self.state.vectors(n)[rows] for n in self.levels}
        full = cut[self.levels[-1]]
        near = {n: cosine(full, cut[n]) for n in self.levels}
        labels = {n: self.state.labels(cut[n]) for n in self.levels}
        for at, row in enumerate(rows):
            yield Photo(
                name=Path(items[at].path).name,
                width=items[at].width,
                height=items[at].height,
                code=self.state.code(int(row)),
                thumbnail=self._thumbnail(items[at], _CARD),
                fidelity={n: float(near[n][at]) for n in self.levels},
                labels={
                    n: [
                        ScoredLabel(one.label, one.probability, one.strength)
                        for one in labels[n][at].labels[:_TOP_LABELS]
                    ]
                    for n in self.levels
                },
            )

    def _small(self, item: Item) -> Photo:
        """A picture that searches find: no card of its own."""
        name, size = Path(item.path).name, (item.width, item.height)
        return Photo(name, *size, b"", self._thumbnail(item, _SMALL), {}, {}, card=False)

    def _thumbnail(self, item: Item, side: int) -> bytes | None:
        if self.left <= 0:
            return None
        try:
            made = self.pictures.thumbnail(item, side)
        except InputError:
            return None
        self.left -= len(made)
        return made

    def _places(self, rows: NDArray[np.int64]) -> list[Place]:
        state = self.state
        points = lay_out(rows, state.source[rows], state.background, state.classifier)
        return [Place(point.x, point.y, point.label) for point in points]

    def _sizes(self, items: Sequence[Item]) -> Sizes:
        known = [item.size for item in items if item.size]
        originals = round(float(np.mean(known)) * len(self.state)) if known else None
        return Sizes(self.state.path.stat().st_size, originals, exact=len(items) == len(self.state))

    def _notes(self, shown: int, searched: int, photos: Sequence[Photo]) -> Iterator[str]:
        total = len(self.state)
        if shown < total:
            yield f"The pictures with codes are {shown} of {total:,}, evenly spread over the archive."
        if searched < total:
            yield f"Searches looked at {searched:,} images, evenly spread over the archive."
        missing = sum(photo.thumbnail is None for photo in photos)
        if missing:
            yield (
                f"{missing} of {len(photos)} pictures are not shown: their originals could not be read here, "
                "or the page has enough of them."
            )
        yield "Strong, weak and none say how far a match stands above chance, whatever else there is."
        yield "The codes hold meaning, not pixels: no picture can be restored from them."


def _spread(total: int, count: int) -> NDArray[np.int64]:
    return np.unique(np.linspace(0, total - 1, min(total, count)).astype(np.int64))


def _common(places: Sequence[Place]) -> list[str]:
    counted = Counter(place.label for place in places if place.label)
    return [label for label, _ in counted.most_common(_QUERIES)]


def _search(query: str, hits: dict[int, list[index.Hit]], position: dict[int, int]) -> Search:
    return Search(
        query, {n: [Hit(position[h.row], h.score, h.strength) for h in found] for n, found in hits.items()}
    )
