"""One archive, asked by many at once: read when it changed, everything that is slow kept."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sememe import api, index
from sememe.api import Codec, Source
from sememe.api.space import PLAIN
from sememe.archive import Archive, Item
from sememe.errors import InputError, UsageError
from sememe.index import Hit, Shortlist
from sememe.metrics import byte_to_fidelity, cosine
from sememe.metrics.calibration import Background, Query, Term
from sememe.web.layout import Point, lay_out
from sememe.web.terms import Asked, read_terms
from sememe.zeroshot import EVERYDAY, TEMPLATE, Classifier, Prediction

__all__ = ["RATES", "Library", "State"]

RATES = (1, 2, 4, 8, 16, 32, 64, 128)
"""Lengths that the slider stops at, those that the codes have."""

STEPS = (*range(1, 17), 20, 24, 32, 48, 64, 96, 128)
"""Lengths at which a new code is looked at."""

LARGE = 4_000
"""Images from which on a shortlist is used: more could not be decoded for each step of the slider."""

AGREE = 20
"""Best results that are compared between two lengths."""

_FRESH = 1.0  # seconds for which a state is taken to be the archive's
_POINTS = 3_000


@dataclass(eq=False)
class State:
    """An archive at one moment."""

    path: Path
    generation: int
    codec: Codec
    source: Source
    _shortlists: dict[int, Shortlist | None] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

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

    def cut(self, nbytes: int) -> Source:
        """Give the codes cut to `nbytes`.

        Raises
        ------
        UsageError
            They are not that long.
        """
        if not 1 <= nbytes <= self.nbytes:
            raise UsageError(f"the codes have 1 to {self.nbytes} bytes, not {nbytes}")
        return self.source if nbytes == self.nbytes else self.source.cut(nbytes)

    def shortlist(self, nbytes: int) -> Shortlist | None:
        """Load or make the shortlist for one length, once."""
        with self._lock:
            if nbytes not in self._shortlists:
                self._shortlists[nbytes] = self.cut(nbytes).shortlist(self.background, large=LARGE)
            return self._shortlists[nbytes]

    def hits(self, query: Query, nbytes: int, k: int) -> list[Hit]:
        """Search the codes cut to `nbytes`."""
        source = self.cut(nbytes)
        return index.search(query, source, self.background, k=k, shortlist=self.shortlist(nbytes))

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
        assert self.source.ids is not None, "an archive has ids"
        row = int(np.searchsorted(self.source.ids, item))
        if row == len(self) or self.source.ids[row] != item:
            raise InputError(f"there is no image {item}")
        return row

    def id_of(self, row: int) -> int:
        """Id of the item in a row."""
        assert self.source.ids is not None, "an archive has ids"
        return int(self.source.ids[row])

    def code(self, row: int) -> bytes:
        """Code of one row."""
        return self.source.codes[row].tobytes()

    def labels(self, x: NDArray[np.float32]) -> list[Prediction]:
        """Everyday words for decoded vectors (n, d)."""
        return self.classifier.classify(x)

    def _embed(self, term: Asked) -> Term:
        if term.kind == "text":
            return Term(self.codec.space.embed_texts([term.value])[0], "text", term.weight)
        if term.kind == "item":
            row = self.row_of(int(term.value))
            return Term(self.source[row : row + 1][0], "image", term.weight)
        code = bytes.fromhex(term.value)
        if not 1 <= len(code) <= self.codec.profile.max_bytes:
            raise UsageError(f"a code has 1 to {self.codec.profile.max_bytes} bytes, not {len(code)}")
        return Term(self.codec.decode([code])[0], "image", term.weight)


class Library:
    """An archive that others may write meanwhile.

    Parameters
    ----------
    path
        The archive.

    Raises
    ------
    StorageError, ArchiveFormatError, UnknownProfileError
        It cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._state = _read(path)
        self._checked = time.monotonic()
        self._found = lru_cache(maxsize=256)(self._search)

    @property
    def state(self) -> State:
        """The archive as it is now, or was a second ago."""
        with self._lock:
            if time.monotonic() - self._checked > _FRESH:
                with Archive.open(self._path) as archive:
                    if archive.generation != self._state.generation:
                        self._state = _read(self._path)
                self._checked = time.monotonic()
            return self._state

    def search(self, query: str, nbytes: int | None, start: int, count: int) -> dict[str, Any]:
        """Answer a query: a page of results, where they become unlikely, and what fewer bytes change.

        Raises
        ------
        UsageError
            The query or the length makes no sense.
        """
        state = self.state
        nbytes = state.nbytes if nbytes is None else nbytes
        wanted = 64
        while wanted < start + count:
            wanted *= 4
        hits = self._found(state, query, nbytes, wanted)
        full = hits if nbytes == state.nbytes else self._found(state, query, state.nbytes, 64)
        same = {hit.row for hit in hits[:AGREE]} & {hit.row for hit in full[:AGREE]}
        likely = sum(hit.strength != "none" for hit in hits)
        return {
            "query": query,
            "nbytes": nbytes,
            "images": len(state),
            "archive_bytes": len(state) * nbytes,
            "agree": {"of": min(AGREE, len(full)), "same": len(same)},
            "likely": likely,
            "more": len(hits) > start + count,
            "hits": [self._shown(state, hit) for hit in hits[start : start + count]],
        }

    def browse(self, start: int, count: int) -> dict[str, Any]:
        """Give the images without asking for anything, the newest first."""
        state = self.state
        rows = range(len(state) - 1 - start, max(-1, len(state) - 1 - start - count), -1)
        return {"more": start + count < len(state), "hits": [self._named(state, row) for row in rows]}

    def item(self, item: int) -> Item:
        """Look an image up by its id.

        Raises
        ------
        InputError
            There is none.
        """
        with Archive.open(self._path) as archive:
            return archive.get(archive.path_of(item))

    def inspect(self, item: int, count: int = 12) -> dict[str, Any]:
        """Tell what survives of one image at every length that the slider has."""
        state, found = self.state, self.item(item)
        row = state.row_of(item)
        code = state.code(row)
        x = state.codec.decode([code])
        query = state.background.query([Term(x[0], "image")])
        near = {n: [hit for hit in state.hits(query, n, count + 1) if hit.row != row] for n in state.rates}
        full = [hit.row for hit in near[state.nbytes][:count]]
        rates = []
        for n in state.rates:
            cut = state.codec.decode([code[:n]])
            rows = [hit.row for hit in near[n][:count]]
            rates.append(
                {
                    "nbytes": n,
                    "cosine_to_full": round(float(cosine(x, cut)[0]), 4),
                    **state.labels(cut)[0].to_json(5),
                    "neighbours": [self._named(state, r) | {"kept": r in full} for r in rows],
                    "lost": [self._named(state, r) for r in full if r not in rows],
                }
            )
        fidelity = None if found.fidelity is None else round(float(byte_to_fidelity(found.fidelity)), 4)
        size = {"width": found.width, "height": found.height, "file_bytes": found.size}
        return {
            "id": item,
            "path": found.path,
            "code": code.hex(),
            "fidelity": fidelity,
            **size,
            "rates": rates,
        }

    def describe(self, x: NDArray[np.float32], code: bytes) -> dict[str, Any]:
        """Tell how the meaning of a new picture's vector (d,) settles as its code grows."""
        state = self.state
        lengths = [n for n in STEPS if n < len(code)] + [len(code)]
        cut = np.concatenate([state.codec.decode([code[:n]]) for n in lengths])
        steps = [
            {"nbytes": n, "cosine": round(float(c), 4), **prediction.to_json(3)}
            for n, c, prediction in zip(
                lengths, cosine(np.repeat(x[None], len(lengths), 0), cut), state.labels(cut), strict=True
            )
        ]
        return {"code": code.hex(), "nbytes": len(code), "steps": steps}

    def about(self) -> dict[str, Any]:
        """Say what is served."""
        state = self.state
        profile = state.codec.profile
        return {
            "name": self._path.name,
            "images": len(state),
            "nbytes": state.nbytes,
            "rates": state.rates,
            "profile": profile.profile_id,
            "fingerprint": profile.fingerprint.hex(),
            "archive_bytes": len(state) * state.nbytes,
        }

    def map(self) -> list[dict[str, Any]]:
        """The archive as points in a plane."""
        state = self.state
        return [
            {"id": state.id_of(point.row), "x": point.x, "y": point.y, "label": point.label}
            for point in state.points
        ]

    def _search(self, state: State, query: str, nbytes: int, k: int) -> list[Hit]:
        return state.hits(state.query(read_terms(query)), nbytes, k)

    def _shown(self, state: State, hit: Hit) -> dict[str, Any]:
        about = {"rank": hit.rank, "score": round(hit.score, 2), "strength": hit.strength}
        return self._named(state, hit.row) | about

    def _named(self, state: State, row: int) -> dict[str, Any]:
        return {"id": state.id_of(row), "path": state.source.names[row]}


def _read(path: Path) -> State:
    with Archive.open(path) as archive, archive.snapshot():
        generation = archive.generation
        codec = api.codec_for(archive)
    return State(path, generation, codec, codec.read(path))
