"""`Trial`: what coders are judged on, and a hash that says whether two trials are the same.

::

    training ── a coder learns from these and from nothing else
    test     ── is coded, decoded and judged
    queries  ── search among the test vectors, at full precision
    known    ── full-precision vectors that class means are taken from
    texts    ── search among the test vectors too; none of them shapes a coder
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sememe.errors import VectorError
from sememe.evaluate.coder import Training
from sememe.types import Embeddings

__all__ = ["UNLABELLED", "Rows", "Trial", "ZeroShot"]

UNLABELLED = -1
"""Label of a vector whose class is not known."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Vectors of several sets; a label means nothing without its set.

    Attributes
    ----------
    x
        (n, d) float32 unit rows.
    labels
        (n,) int64 class within the set, -1 where it is not known.
    sets
        (n,) name of the set of each row.
    """

    x: Embeddings
    labels: NDArray[np.int64]
    sets: NDArray[np.str_]

    def __post_init__(self) -> None:
        if np.ndim(self.x) != 2 or not (len(self.x) == len(self.labels) == len(self.sets)):
            raise VectorError(
                f"rows of {np.shape(self.x)} vectors need as many labels and sets, not "
                f"{len(self.labels)} and {len(self.sets)}"
            )

    def __len__(self) -> int:
        return len(self.x)

    def of(self, name: str) -> Rows:
        """Rows of one set."""
        return self.where(self.sets == name)

    def where(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> Rows:
        """Some rows, by mask or by number."""
        return Rows(self.x[rows], self.labels[rows], self.sets[rows])

    @staticmethod
    def none(dim: int) -> Rows:
        """No rows at all."""
        return Rows(np.zeros((0, dim), np.float32), np.zeros(0, np.int64), np.zeros(0, np.str_))


@dataclass(frozen=True, eq=False)
class ZeroShot:
    """Test pictures whose class has a text vector.

    Attributes
    ----------
    rows
        (m,) rows of the test part.
    labels
        (m,) the right row of `text` for each.
    names
        c names of classes.
    text
        (c, d) one text vector for each class.
    """

    rows: NDArray[np.intp]
    labels: NDArray[np.int64]
    names: tuple[str, ...]
    text: Embeddings

    def __post_init__(self) -> None:
        if len(self.rows) != len(self.labels) or len(self.names) != len(self.text):
            raise VectorError("zero-shot needs one label for each row, and one name for each text vector")


@dataclass(frozen=True, eq=False)
class Trial:
    """What coders are judged on.

    Attributes
    ----------
    name
        For people; two trials are the same if and only if their digests are.
    training
        All that a coder may learn from.
    test
        What is coded.
    queries
        Full-precision vectors that search among the test; none of its rows. May be empty.
    known
        Labelled vectors of the test's sets that class means are taken from; none of the test's rows. May be
        empty.
    zero_shot
        Or None.
    texts
        (q, d) text vectors for text-to-image search and agreement, or None.
    pixels
        (n,) width times height of each test picture, or None.
    """

    name: str
    training: Training
    test: Rows
    queries: Rows
    known: Rows
    zero_shot: ZeroShot | None = None
    texts: Embeddings | None = None
    pixels: NDArray[np.int64] | None = field(default=None)

    def __post_init__(self) -> None:
        if not len(self.test):
            raise VectorError(f"{self.name}: no test vectors; there is nothing to judge")
        dims = {name: array.shape[1] for name, array in self._arrays() if array.ndim == 2}
        if len(set(dims.values())) > 1:
            listed = ", ".join(f"{name} {dim}" for name, dim in dims.items())
            raise VectorError(f"{self.name}: vectors of different lengths do not share a space ({listed})")
        if self.pixels is not None and (len(self.pixels) != len(self.test) or self.pixels.min() < 1):
            raise VectorError(f"{self.name}: bits per pixel need a number of pixels for each test vector")

    @property
    def dim(self) -> int:
        """Length d of a vector."""
        return int(self.test.x.shape[1])

    @property
    def sets(self) -> tuple[str, ...]:
        """Names of the sets that the test holds, in their order."""
        return tuple(dict.fromkeys(self.test.sets.tolist()))

    @cached_property
    def mean(self) -> NDArray[np.float32]:
        """(d,) mean of the training vectors, not normalised: the centre of centred cosines."""
        mean: NDArray[np.float32] = self.training.x.mean(axis=0, dtype=np.float64).astype(np.float32)
        return mean

    @cached_property
    def digest(self) -> str:
        """SHA-256 over all arrays in order, with their names, types and shapes; the seed is not in it."""
        digest = hashlib.sha256()
        for name, array in self._arrays():
            little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
            digest.update(f"{name} {little.dtype.str} {little.shape}\n".encode())
            digest.update(little.tobytes())
        return digest.hexdigest()

    @property
    def counts(self) -> dict[str, int]:
        """How many there are of everything."""
        trained = {row.tobytes() for row in self.training.x}
        return {
            "train": len(self.training.x),
            "train_text": 0 if self.training.text is None else len(self.training.text),
            "test": len(self.test),
            "queries": len(self.queries),
            "known": int((self.known.labels != UNLABELLED).sum()),
            "zero_shot": 0 if self.zero_shot is None else len(self.zero_shot.rows),
            "zero_shot_classes": 0 if self.zero_shot is None else len(self.zero_shot.names),
            "texts": 0 if self.texts is None else len(self.texts),
            "test_in_train": sum(row.tobytes() in trained for row in self.test.x),
        }

    def of(self, name: str) -> Trial:
        """Judge one set among its own rows and queries; training and texts stay."""
        rows = np.flatnonzero(self.test.sets == name)
        return replace(
            self,
            name=f"{self.name}, {name}",
            test=self.test.where(rows),
            queries=self.queries.of(name),
            known=self.known.of(name),
            zero_shot=_zero_shot_of(self.zero_shot, rows),
            pixels=None if self.pixels is None else self.pixels[rows],
        )

    def _arrays(self) -> Iterator[tuple[str, NDArray[np.generic]]]:
        """Every array that can change a figure, in a fixed order."""
        yield "train", self.training.x
        if self.training.text is not None:
            yield "train_text", self.training.text
        for part in ("test", "queries", "known"):
            rows: Rows = getattr(self, part)
            yield part, rows.x
            yield f"{part}_labels", rows.labels
            yield f"{part}_sets", np.frombuffer("\n".join(rows.sets.tolist()).encode(), np.uint8)
        if self.zero_shot is not None:
            yield "zero_shot_rows", self.zero_shot.rows.astype(np.int64)
            yield "zero_shot_labels", self.zero_shot.labels
            yield "zero_shot_text", self.zero_shot.text
        if self.texts is not None:
            yield "texts", self.texts
        if self.pixels is not None:
            yield "pixels", self.pixels


def _zero_shot_of(whole: ZeroShot | None, rows: NDArray[np.intp]) -> ZeroShot | None:
    """Zero-shot over some rows of the test, which are ascending; None if none of them takes part."""
    if whole is None:
        return None
    kept = np.isin(whole.rows, rows)
    if not kept.any():
        return None
    return ZeroShot(np.searchsorted(rows, whole.rows[kept]), whole.labels[kept], whole.names, whole.text)
