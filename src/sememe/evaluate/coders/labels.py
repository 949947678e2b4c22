"""A class name as the whole code: what naming a picture, and nothing more, can keep of it.

::

    x ──nearest of K classes──► its number in ceil(log2 K) bits, filled up to bytes
    x̂ ◄── mean of the training vectors of that class ──┘
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sememe.errors import FormatError, UsageError, VectorError
from sememe.evaluate.coder import Length, Note, Training
from sememe.evaluate.coders.centred import Centred
from sememe.evaluate.coders.fixed import Encode, FixedFitted, FixedTrained, FloatTables
from sememe.types import Codes, Embeddings

__all__ = ["Label", "LabelName"]

Floats = NDArray[np.float32]
_FEW = 256
_BATCH = 4096


class Label:
    """The nearest of K classes that k-means found: an upper bound on what a name of so many bits can say.

    Parameters
    ----------
    classes
        K of the longer code; 1,024 are the ten bits of "a class name". One byte names 256.
    """

    name = "label"
    title = "one of 1,024 classes (k-means)"
    length: Length = "fixed"
    source = "Lloyd, 1982"

    def __init__(self, classes: int = 1024) -> None:
        self._classes = classes

    def rates(self, dim: int) -> tuple[float, ...] | None:
        """1 byte for 256 classes, 2 for all of them."""
        return _rates(self._classes)

    def train(self, training: Training, note: Note = lambda _: None) -> FixedTrained:
        """Keep the vectors; classes are found for each rate."""
        centred = Centred.of(training)
        return FixedTrained(self, centred.dim, lambda nbytes, _: self._fit(centred, nbytes))

    def _fit(self, centred: Centred, nbytes: int) -> FixedFitted:
        wanted = min(self._classes, _FEW) if nbytes == 1 else self._classes
        if len(centred.rows) < wanted:
            raise VectorError(f"{wanted} classes need as many training vectors, not {len(centred.rows)}")
        means = _cluster(centred.rows, wanted, np.random.default_rng(centred.seed))

        def encode(rows: Floats) -> Codes:
            return _as_bytes(_nearest(rows, means), nbytes)

        return _fitted(centred, nbytes, means, encode)


class LabelName:
    """The name whose text vector fits best, decoded to the mean of the training vectors that it fits best.

    Of the names given in training those that no training vector takes are left out: nobody could say what
    they look like. One byte names the 256 most frequent.

    Source: zero-shot classification of Radford et al., "Learning transferable visual models", ICML 2021.
    """

    name = "label-name"
    title = "best of the training names (zero-shot)"
    length: Length = "fixed"
    source = "Radford et al., ICML 2021"

    def rates(self, dim: int) -> tuple[float, ...] | None:
        """1 byte for 256 names, 2 for all."""
        return _rates(_FEW + 1)

    def train(self, training: Training, note: Note = lambda _: None) -> FixedTrained:
        """Say which training vector takes which name.

        Raises
        ------
        UsageError
            Training brings no text vectors.
        """
        if training.text is None or not len(training.text):
            raise UsageError(f"coder {self.name!r} needs text vectors of names in its training")
        centred, text = Centred.of(training), np.asarray(training.text, np.float32)
        return FixedTrained(self, centred.dim, lambda nbytes, _: self._fit(centred, text, nbytes))

    def _fit(self, centred: Centred, text: Embeddings, nbytes: int) -> FixedFitted:
        x = centred.rows + centred.mean
        uses = np.bincount((x @ text.T).argmax(axis=1), minlength=len(text))
        order = np.argsort(-uses, kind="stable")[: _FEW ** int(nbytes)]
        names = text[order[uses[order] > 0]]
        means = _means(
            centred.rows, (x @ names.T).argmax(axis=1), np.zeros((len(names), centred.dim), np.float32)
        )

        def encode(rows: Floats) -> Codes:
            return _as_bytes(((rows + centred.mean) @ names.T).argmax(axis=1), nbytes)

        return _fitted(centred, nbytes, means, encode)


def _rates(classes: int) -> tuple[float, ...]:
    return (1.0,) if classes <= _FEW else (1.0, 2.0)


def _fitted(centred: Centred, nbytes: int, means: Floats, encode: Encode) -> FixedFitted:
    return FixedFitted(
        nbytes, {"means": means}, encode, _decode, centred, symbols=_numbers, alphabet=len(means)
    )


def _cluster(rows: Floats, classes: int, rng: np.random.Generator, rounds: int = 15) -> Floats:
    """Means (classes, d) by Lloyd's iterations from random vectors; a class that loses all keeps its mean."""
    means = rows[np.sort(rng.permutation(len(rows))[:classes])]
    for _ in range(rounds):
        means = _means(rows, _nearest(rows, means), means)
    return means


def _nearest(rows: Floats, means: Floats) -> NDArray[np.intp]:
    squares = (means**2).sum(axis=1)
    parts = [rows[start : start + _BATCH] for start in range(0, len(rows), _BATCH)]
    return np.concatenate([(squares - 2 * part @ means.T).argmin(axis=1) for part in parts])


def _means(rows: Floats, labels: NDArray[np.intp], otherwise: Floats) -> Floats:
    """Mean (K, d) of the rows of each label; that of `otherwise` where there are none."""
    order = np.argsort(labels, kind="stable")
    used, starts = np.unique(labels[order], return_index=True)
    counts = np.diff([*starts, len(rows)])
    means = otherwise.copy()
    means[used] = np.add.reduceat(rows[order].astype(np.float64), starts) / counts[:, None]
    return means


def _as_bytes(labels: NDArray[np.intp], nbytes: int) -> Codes:
    """Numbers (n,) as (n, nbytes), the high byte first."""
    shifts = 8 * np.arange(nbytes)[::-1]
    return (labels[:, None] >> shifts).astype(np.uint8)


def _numbers(codes: Codes) -> NDArray[np.integer]:
    """Codes (n, nbytes) as numbers (n, 1)."""
    shifts = 8 * np.arange(codes.shape[1])[::-1]
    numbers: NDArray[np.integer] = (codes.astype(np.int64) << shifts).sum(axis=1, keepdims=True)
    return numbers


def _decode(tables: FloatTables, codes: Codes) -> Floats:
    labels, means = _numbers(codes)[:, 0], tables["means"]
    if (labels >= len(means)).any():
        row = int(np.flatnonzero(labels >= len(means))[0])
        raise FormatError(f"message {row} names class {labels[row]} of {len(means)}")
    rows: Floats = means[labels]
    return rows
