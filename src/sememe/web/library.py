"""One archive, asked by many at once: read when it changed, everything that is slow kept."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from threading import Lock, Thread
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sememe.archive import Archive, Item
from sememe.errors import InputError, SememeError, UsageError
from sememe.index import Hit
from sememe.metrics import byte_to_fidelity, cosine
from sememe.metrics.calibration import Term
from sememe.web.state import State, read
from sememe.web.terms import read_terms

__all__ = ["Library"]

STEPS = (*range(1, 17), 20, 24, 32, 48, 64, 96, 128)
"""Lengths at which a new code is looked at."""

AGREE = 20
"""Best results that are compared between two lengths."""

_FIRST = 50  # results looked for at first: a page, and whether there are more
_FRESH = 1.0  # seconds for which a state is taken to be the archive's


class Library:
    """An archive that others may write meanwhile.

    Parameters
    ----------
    path
        The archive.
    eager
        Whether to make at once, aside, what the first questions would wait for.

    Raises
    ------
    StorageError, ArchiveFormatError, UnknownProfileError
        It cannot be opened.
    """

    def __init__(self, path: Path, *, eager: bool = False) -> None:
        self._path, self._eager = path, eager
        self._lock = Lock()
        self._state = self._read()
        self._checked = time.monotonic()
        self._found = lru_cache(maxsize=256)(self._search)

    @property
    def state(self) -> State:
        """The archive as it is now, or was a second ago."""
        with self._lock:
            if time.monotonic() - self._checked > _FRESH:
                with Archive.open(self._path) as archive:
                    if archive.generation != self._state.generation:
                        self._state = self._read()
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
        wanted = _FIRST
        while wanted <= start + count:
            wanted *= 4
        hits = self._found(state, query, nbytes, wanted)
        full = hits if nbytes == state.nbytes else self._found(state, query, state.nbytes, _FIRST)
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
            "hits": _shown(state, hits[start : start + count]),
        }

    def browse(self, start: int, count: int) -> dict[str, Any]:
        """Give the images without asking for anything, the newest first."""
        state = self.state
        rows = range(len(state) - 1 - start, max(-1, len(state) - 1 - start - count), -1)
        return {"more": start + count < len(state), "hits": _named(state, rows)}

    def item(self, item: int) -> Item:
        """Look an image up by its id.

        Raises
        ------
        InputError
            There is none.
        """
        with Archive.open(self._path) as archive:
            try:
                return archive.get(archive.path_of(item))
            except InputError:  # says where the archive lies, which is nobody's business
                raise InputError(f"there is no image {item}") from None

    def code(self, item: int, nbytes: int | None = None) -> bytes:
        """Give the code of an image, or its first bytes.

        Raises
        ------
        InputError
            There is no such image.
        UsageError
            Its code is shorter.
        """
        state = self.state
        code = state.code(state.row_of(item))
        if nbytes is not None and nbytes > len(code):
            raise UsageError(f"the code of image {item} has {len(code)} bytes, not {nbytes}")
        return code[:nbytes]

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
                    "neighbours": [
                        one | {"kept": r in full} for one, r in zip(_named(state, rows), rows, strict=True)
                    ],
                    "lost": _named(state, [r for r in full if r not in rows]),
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

    def labels(self, items: Sequence[int], count: int = 3) -> dict[str, list[str]]:
        """Give the words that fit images best, by id: those that are strong or weak, or else the best.

        Raises
        ------
        InputError
            There is no such image.
        """
        state = self.state
        rows = np.array([state.row_of(item) for item in items], np.int64)
        found = state.labels(state.source[rows])
        return {
            str(item): [one.label for one in prediction.labels[:count] if one.strength != "none"]
            or [prediction.best.label]
            for item, prediction in zip(items, found, strict=True)
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
            "ready": state.ready,
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

    def _read(self) -> State:
        state = read(self._path)
        if self._eager:
            Thread(target=_prepare, args=[state], daemon=True).start()
        return state


def _prepare(state: State) -> None:
    with suppress(SememeError):  # whoever asks is told
        state.prepare()


def _shown(state: State, hits: Sequence[Hit]) -> list[dict[str, Any]]:
    return [
        named | {"rank": hit.rank, "score": round(hit.score, 2), "strength": hit.strength}
        for named, hit in zip(_named(state, [hit.row for hit in hits]), hits, strict=True)
    ]


def _named(state: State, rows: Sequence[int]) -> list[dict[str, Any]]:
    return [{"id": state.id_of(row), "path": path} for row, path in zip(rows, state.paths(rows), strict=True)]
